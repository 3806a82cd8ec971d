//! Swift on Linux, in a Debian of its own below the target folder: no distribution that we run on has Swift and all have that one.

use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{library, show};
use crate::process::{output, root, run, target_dir};
use crate::scenario;
use crate::setup::{self, Need};
use crate::step::step;
use crate::vectors;

/// The Debian that has Swift 6, and what is needed of it: 3 GB.
const DEBIAN: &str = "trixie";
const PACKAGES: &str = "ca-certificates,swiftlang,libc6-dev,libstdc++-14-dev";
/// Enters it with the workspace at /antiphon and the target folder at /target. `$0` is its root. Mounts end with the process.
/// Without /proc, Swift does not find its own libraries.
const ENTER: &str = r#"
    mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" &&
    mount --bind "$1" "$0/antiphon" && mount --bind "$2" "$0/target" && shift 2 &&
    exec chroot "$0" env -C /antiphon/mobile/swift HOME=/root LD_LIBRARY_PATH=/target/debug ANTIPHON=/target/debug/antiphon "$@""#;

/// How the package is built.
const BUILD: [&str; 5] = [
    "--disable-sandbox",
    "--scratch-path",
    "/target/xtask/swift-build",
    "-Xlinker",
    "-L/target/debug",
];

/// Runs the tests of the package, and the scenario.
///
/// # Errors
///
/// Who runs this is not root, the code does not compile, a test fails.
pub(super) fn test() -> Result<()> {
    library()?;
    let system = system()?;
    step("running the tests in Swift", || run(enter(&system, &["swift", "test"]).args(BUILD)))?;
    build(&system, "wallet")?;
    let target = target_dir().display().to_string();
    scenario::run("swift", |words| {
        let mut line = enter(&system, &["/target/xtask/swift-build/debug/wallet"]);
        // The same folder, as it is called inside.
        line.args(words.iter().map(|word| word.replace(&target, "/target")));
        line
    })?;
    let inside = |path: &Path| path.display().to_string().replace(&target, "/target");
    let library = inside(&vectors::library("swift")?);
    step("building the vectors' runner in Swift", || {
        let map = format!("-fmodule-map-file={library}/vectorsFFI.modulemap");
        let mut compiler = enter(&system, &["swiftc", "-swift-version", "5", "-parse-as-library"]);
        compiler.args(["-Xcc", &map, "-L", &library, "-lantiphon_vectors"]);
        compiler
            .args([&format!("{library}/vectors.swift"), "/antiphon/tests/languages/Judge.swift"]);
        run(compiler.args(["-o", &format!("{library}/vectors")]))
    })?;
    let mut line = enter(&system, &["env", &format!("LD_LIBRARY_PATH={library}")]);
    line.arg(format!("{library}/vectors"));
    let below = |path: PathBuf| {
        path.display().to_string().replace(&root().display().to_string(), "/antiphon")
    };
    line.args(vectors::files().into_iter().map(below));
    vectors::compare(&vectors::rust()?, "swift", &mut line)
}

/// Prints a proven balance.
///
/// # Errors
///
/// Those of [`test()`], or the example fails.
pub(super) fn balance(words: &[&str]) -> Result<()> {
    library()?;
    let system = system()?;
    build(&system, "balance")?;
    show(enter(&system, &["/target/xtask/swift-build/debug/balance"]).args(words))
}

fn build(system: &Path, product: &str) -> Result<()> {
    step(&format!("building the {product} in Swift"), || {
        run(enter(system, &["swift", "build", "--product", product]).args(BUILD))
    })
}

/// Makes the Debian, unless it is there.
fn system() -> Result<PathBuf> {
    let is_root = output("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    ensure!(
        is_root,
        "a Debian of its own takes root; a Swift of the system runs `swift test` in mobile/swift"
    );
    setup::ensure(&[Need::Debootstrap])?;
    let system = target_dir().join("xtask/swift");
    let stamp = system.join("complete");
    if !stamp.exists() {
        step("installing Swift in a Debian of its own (3 GB)", || {
            let mut make = Command::new("debootstrap");
            make.args(["--variant=minbase", &format!("--include={PACKAGES}"), DEBIAN]).arg(&system);
            run(&mut make)
        })?;
        fs::write(&stamp, DEBIAN).context("it was just made")?;
    }
    for folder in ["antiphon", "target"] {
        fs::create_dir_all(system.join(folder))?;
    }
    Ok(system)
}

fn enter(system: &Path, words: &[&str]) -> Command {
    let mut line = Command::new("unshare");
    line.args(["--mount", "bash", "-c", ENTER]).arg(system).arg(root()).arg(target_dir());
    line.args(words);
    line
}
