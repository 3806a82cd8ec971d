//! Builds what browsers download: the wasm module, the npm package around it, the site.
//!
//! ```text
//! core, wasm ──cargo──► .wasm ──wasm-bindgen──► wasm/js/generated ──wasm-opt, esbuild──► wasm/js/dist
//!                                                              www ──esbuild──► www/dist
//! ```
//!
//! A step whose inputs have not changed is skipped.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::files::{gzip_size, unless_fresh};
use crate::process::{cargo, command, root, run, target_dir};
use crate::setup;
use crate::step::step;

/// What the wasm of every current browser may use; rustc's own default set and fixed-width SIMD.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// How wasm-opt makes the module smaller: what a page downloads is measured after gzip, which looks back 32 kB.
///
/// In the order of their names functions of one kind follow one another, such as all decoders: 9 kB less. Functions with
/// one caller stay on their own, for gzip finds less that is alike in long functions: 3 kB less. The lowest 1024 bytes of
/// memory are the far end of the stack, which rustc puts below everything else, so offsets may be folded into loads and
/// stores.
const SMALLER: [&str; 7] = [
    "--reorder-functions-by-name",
    "-Oz",
    "--converge",
    "--low-memory-unused",
    "--one-caller-inline-max-function-size",
    "10",
    "--strip-debug",
];

/// Builds the wasm module, the npm package and the site.
///
/// # Errors
///
/// Something is missing and cannot be installed, or a build fails.
pub(crate) fn build_all() -> Result<()> {
    setup::ensure(&[setup::Need::Clang])?;
    package()?;
    site()
}

/// Builds the npm package with its wasm.
///
/// # Errors
///
/// A build fails.
pub(crate) fn package() -> Result<()> {
    setup::npm_ci("wasm/js")?;
    wasm()?;
    let inputs = ["wasm/js", "wasm/js/generated"];
    let outputs = [root().join("wasm/js/dist")];
    unless_fresh("package", &inputs, &outputs, || {
        step("building the npm package", || {
            run(command("npm").args(["run", "build"]).current_dir(root().join("wasm/js")))
        })
    })?;
    Ok(())
}

/// Returns where the worker's wasm module lies after [`package`].
pub(crate) fn wasm_path() -> PathBuf {
    root().join("wasm/js/generated/antiphon_bg.wasm")
}

/// Compiles the wasm module and writes its glue.
fn wasm() -> Result<()> {
    let inputs = [
        ".cargo",
        "Cargo.lock",
        "Cargo.toml",
        "rust-toolchain.toml",
        "core",
        "wasm/Cargo.toml",
        "wasm/src",
    ];
    unless_fresh("wasm", &inputs, &[wasm_path()], || {
        const TARGET: &str = "wasm32-unknown-unknown";
        step("compiling the core to wasm", || {
            run(cargo().args(["build", "--package", "antiphon-wasm"]).args([
                "--target",
                TARGET,
                "--profile",
                "wasm",
            ]))
        })?;
        let raw = target_dir().join(TARGET).join("wasm/antiphon_wasm.wasm");
        step("writing its JavaScript glue", || {
            let folder = root().join("wasm/js/generated");
            run(cargo()
                .args(["run", "--package", "antiphon-bindgen", "--", "web"])
                .args([raw, folder])
                .arg("antiphon"))
        })?;
        step("making it smaller", || {
            let small = wasm_path().with_extension("small");
            run(command("wasm/js/node_modules/.bin/wasm-opt")
                .args(SMALLER)
                .args(WASM_FEATURES)
                .arg(wasm_path())
                .arg("-o")
                .arg(&small))?;
            fs::rename(small, wasm_path())?;
            let (bytes, zipped) = (fs::metadata(wasm_path())?.len(), gzip_size(&wasm_path())?);
            println!("    {bytes} bytes, {zipped} after gzip");
            Ok(())
        })
    })?;
    Ok(())
}

/// Builds the node and returns its program.
///
/// # Errors
///
/// The build fails.
pub(crate) fn node() -> Result<PathBuf> {
    step("building the node", || {
        run(cargo().args(["build", "--package", "antiphon-node", "--bin", "antiphon"]))
    })?;
    Ok(target_dir().join("debug/antiphon"))
}

/// Builds the site from the npm package.
///
/// # Errors
///
/// A build fails.
pub(crate) fn site() -> Result<()> {
    setup::npm_ci("www")?;
    let inputs = ["www", "wasm/js/dist"];
    unless_fresh("site", &inputs, &[root().join("www/dist")], || {
        step("building the site", || {
            run(command("npm").args(["run", "build"]).current_dir(root().join("www")))
        })
    })?;
    Ok(())
}
