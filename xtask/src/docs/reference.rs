//! References of each language, made from the comments beside the code: `target/reference/`, and the site if it is built.

use anyhow::{Context as _, Result, bail};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{cargo, command, root, run, target_dir};
use crate::step::step;
use crate::{artifact, setup};

/// What makes pages of Python's docstrings. Pinned, as all that writes what people read.
const PDOC: &str = "pdoc==16.0.0";

/// Makes all of them, and puts them into the site.
///
/// # Errors
///
/// One does not build.
pub(super) fn all() -> Result<()> {
    rust()?;
    typescript()?;
    python()?;
    artifact::site()?;
    step("putting them into the site", || {
        let site = root().join("www/dist/docs/reference");
        for name in ["rust", "typescript", "python"] {
            copy(&folder(name), &site.join(name))?;
        }
        run(command("node").arg("docs.mjs").current_dir(root().join("www")))
    })
}

fn folder(name: &str) -> PathBuf {
    target_dir().join("reference").join(name)
}

/// Makes the Rust reference.
///
/// # Errors
///
/// rustdoc fails.
pub(super) fn rust() -> Result<()> {
    step("making the Rust reference", || {
        let mut doc = cargo();
        doc.args(["doc", "--no-deps", "--package", "antiphon-core", "--package", "antiphon-host"]);
        run(doc.args(["--package", "antiphon-node", "--lib"]))?;
        copy(&target_dir().join("doc"), &folder("rust"))
    })?;
    made(&folder("rust").join("antiphon_core/index.html"))
}

/// Makes the reference of the npm package, from its sources and their comments.
///
/// # Errors
///
/// The package or typedoc fails.
pub(super) fn typescript() -> Result<()> {
    artifact::package()?;
    setup::npm_ci("docs/typescript")?;
    step("making the TypeScript reference", || {
        let mut typedoc = command(root().join("docs/typescript/node_modules/.bin/typedoc"));
        run(typedoc
            .arg("--out")
            .arg(folder("typescript"))
            .current_dir(root().join("docs/typescript")))
    })?;
    made(&folder("typescript").join("index.html"))
}

/// Makes the reference of the Python package: its docstrings are Rust's, as uniffi wrote them.
///
/// # Errors
///
/// The library does not build, or pdoc cannot be had or fails.
pub(super) fn python() -> Result<()> {
    let home = target_dir().join("xtask/pdoc");
    let package = target_dir().join("xtask/pdoc-source/antiphon");
    step("building the library for Python", || {
        run(cargo().args(["build", "--package", "antiphon-mobile", "--lib"]))?;
        fs::create_dir_all(&package)?;
        let library = format!("{DLL_PREFIX}antiphon_mobile{DLL_SUFFIX}");
        fs::copy(target_dir().join("debug").join(&library), package.join(&library))?;
        for name in ["__init__.py", "antiphon.py"] {
            let source = root().join("mobile/python/src/antiphon").join(name);
            fs::copy(source, package.join(name))?;
        }
        Ok(())
    })?;
    if !home.join("bin/pdoc").exists() {
        step("making an environment for pdoc", || {
            run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
            run(Command::new(home.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", PDOC]))
        })?;
    }
    step("making the Python reference", || {
        let mut pdoc = Command::new(home.join("bin/pdoc"));
        pdoc.args(["--no-show-source", "--output-directory"]).arg(folder("python"));
        // The library beside the module looks like one, and is none.
        pdoc.args(["antiphon", "!antiphon.libantiphon_mobile"]);
        run(pdoc.env("PYTHONPATH", package.parent().context("a folder above the package")?))
    })?;
    made(&folder("python").join("antiphon.html"))
}

/// Says where it is; a tool that ends well and writes nothing has failed.
fn made(page: &Path) -> Result<()> {
    if !page.is_file() {
        bail!("{} was not written", page.display());
    }
    println!("    {}", page.display());
    Ok(())
}

/// Copies a folder to where nothing else may be.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| to.display().to_string())?;
    }
    copy_into(from, to)
}

fn copy_into(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_into(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
