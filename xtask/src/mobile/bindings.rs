//! The code that `uniffi` generates is checked in, so that every language's reader finds it, and compared here.

use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{folder, library};
use crate::process::{run, target_dir};
use crate::step::step;

/// What is generated, where it is checked in, and a line that must be in it: a configuration that is not read is not an
/// error of the generator.
const FILES: [(&str, &str, &str); 5] = [
    ("python/antiphon.py", "python/src/antiphon/antiphon.py", "class AntiphonProtocol"),
    (
        "jvm/io/antiphon/antiphon.kt",
        "kotlin/src/main/kotlin/io/antiphon/antiphon.kt",
        "package io.antiphon",
    ),
    (
        "android/io/antiphon/antiphon.kt",
        "kotlin/src/android/kotlin/io/antiphon/antiphon.kt",
        "import android.",
    ),
    ("swift/Antiphon.swift", "swift/Sources/Antiphon/Antiphon.swift", "import AntiphonFFI"),
    ("swift/AntiphonFFI.h", "swift/Sources/AntiphonFFI/AntiphonFFI.h", "ffi_antiphon_mobile_"),
];

/// Generates all, and compares or writes it.
///
/// # Errors
///
/// The library does not compile, or what is checked in is not what it gives.
pub(super) fn check(write: bool) -> Result<()> {
    let library = library()?.join("libantiphon_mobile.so");
    let out = target_dir().join("xtask/bindings");
    step("generating Kotlin, Swift and Python", || generate(&library, &out))?;
    let mut stale = Vec::new();
    for (made, kept, line) in FILES {
        let made = out.join(made);
        let text = fs::read_to_string(&made).with_context(|| made.display().to_string())?;
        ensure!(text.contains(line), "{} has no `{line}`: is uniffi.toml read?", made.display());
        let kept = folder(kept);
        if fs::read_to_string(&kept).is_ok_and(|known| known == text) {
            continue;
        }
        if !write {
            stale.push(kept.display().to_string());
            continue;
        }
        fs::create_dir_all(kept.parent().context("a file lies in a folder")?)?;
        fs::write(&kept, text)?;
    }
    if !stale.is_empty() {
        bail!(
            "not what the library gives (cargo xtask mobile bindings --write): {}",
            stale.join(", ")
        );
    }
    Ok(())
}

fn generate(library: &Path, out: &Path) -> Result<()> {
    let tool = |name: &str| Command::new(target_dir().join("debug").join(name));
    let make = |language: &str, to: PathBuf, config: Option<PathBuf>| {
        let mut line = tool("uniffi-bindgen");
        line.arg("generate").arg(library).args(["-l", language, "--no-format", "-o"]).arg(to);
        if let Some(config) = config {
            line.arg("--config").arg(config);
        }
        run(line.current_dir(folder("")))
    };
    make("python", out.join("python"), None)?;
    make("kotlin", out.join("jvm"), None)?;
    make("kotlin", out.join("android"), Some(folder("uniffi-android.toml")))?;
    for part in ["--swift-sources", "--headers"] {
        let mut line = tool("uniffi-bindgen-swift");
        run(line.arg(library).arg(out.join("swift")).arg(part).current_dir(folder("")))?;
    }
    Ok(())
}
