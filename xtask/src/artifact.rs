//! Builds what browsers download: the wasm module, the npm package around it, the site.
//!
//! ```text
//! core, wasm, wasm/{verify,words} ──cargo──► .wasm ──wasm-bindgen──► wasm/js/generated ──wasm-opt, esbuild──► wasm/js/dist
//!                                                                www, docs ──esbuild, markdown-it──► www/dist
//! ```
//!
//! A step whose inputs have not changed is skipped.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Result, anyhow};

use crate::files::{gzip_size, is_stale, unless_fresh};
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

const TARGET: &str = "wasm32-unknown-unknown";

/// How wasm-opt makes the module smaller: what a page downloads is measured after gzip, which looks back 32 kB.
///
/// In the order of their names functions of one kind follow one another, such as all decoders: 9 kB less. Functions with
/// one caller stay on their own, for gzip finds less that is alike in long functions: 3 kB less; those of a few instructions do
/// not, for a call is as long: 0.4 kB less. The lowest 1024 bytes of
/// memory are the far end of the stack, which rustc puts below everything else, so offsets may be folded into loads and
/// stores. Variables that share a place are chosen once more by trial: 0.1 kB less. Who made the module, and with which
/// features, is told by no part of it: 0.15 kB less.
const SMALLER: [&str; 13] = [
    "--reorder-functions-by-name",
    "-Oz",
    "--converge",
    "--low-memory-unused",
    "--one-caller-inline-max-function-size",
    "12",
    "--always-inline-max-function-size",
    "4",
    "--coalesce-locals-learning",
    "--reorder-locals",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
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

/// Builds the same and the node, side by side where that is faster: the last of a module is its linker, which is one thread.
///
/// # Errors
///
/// Those of [`build_all`].
pub(crate) fn build_all_and_node() -> Result<()> {
    setup::ensure(&[setup::Need::Clang])?;
    thread::scope(|scope| {
        let modules = scope.spawn(|| MODULES.iter().try_for_each(Module::compile_early));
        let node = node().map(drop);
        modules.join().map_err(|_| anyhow!("a build panicked"))??;
        node
    })?;
    build_all()
}

/// Builds the npm package with its wasm.
///
/// # Errors
///
/// A build fails.
pub(crate) fn package() -> Result<()> {
    setup::npm_ci("wasm/js")?;
    for module in &MODULES {
        wasm(module)?;
    }
    let inputs = ["wasm/js", "wasm/js/generated"];
    let outputs = [root().join("wasm/js/dist")];
    unless_fresh("package", &inputs, &outputs, || {
        step("building the npm package", || {
            run(command("npm").args(["run", "build"]).current_dir(root().join("wasm/js")))
        })
    })?;
    Ok(())
}

/// A wasm module of the npm package.
pub(crate) struct Module {
    /// Where its crate lies.
    folder: &'static str,
    /// The crate's name, and that of what cargo makes of it.
    package: &'static str,
    raw: &'static str,
    /// What its glue is called.
    name: &'static str,
    /// What it may have after gzip, in bytes. Source: WEB.md R2.
    pub(crate) budget: usize,
}

/// What the worker runs; what judges files, and what keeps words: few pages ever download those.
pub(crate) const MODULES: [Module; 3] = [
    Module {
        folder: "wasm",
        package: "antiphon-wasm",
        raw: "antiphon_wasm.wasm",
        name: "antiphon",
        budget: 350_000,
    },
    Module {
        folder: "wasm/verify",
        package: "antiphon-verify",
        raw: "antiphon_verify.wasm",
        name: "antiphon_verify",
        budget: 60_000,
    },
    Module {
        folder: "wasm/words",
        package: "antiphon-words",
        raw: "antiphon_words.wasm",
        name: "antiphon_words",
        budget: 60_000,
    },
];

impl Module {
    /// Returns where it lies after [`package`].
    pub(crate) fn path(&self) -> PathBuf {
        root().join(format!("wasm/js/generated/{}_bg.wasm", self.name))
    }

    /// What it is made of, as paths of the workspace.
    fn inputs(&self) -> Vec<String> {
        let mut all = [".cargo", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml", "core"]
            .map(String::from)
            .to_vec();
        all.extend(["Cargo.toml", "src"].map(|name| format!("{}/{name}", self.folder)));
        all
    }

    /// Compiles it, unless it is there with its glue.
    fn compile_early(&self) -> Result<()> {
        let inputs = self.inputs();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        if is_stale(self.package, &inputs, &[self.path()])? { self.compile() } else { Ok(()) }
    }

    fn compile(&self) -> Result<()> {
        step(&format!("compiling {} to wasm", self.package), || {
            run(cargo()
                .args(["build", "--package", self.package, "--target", TARGET])
                .args(["--profile", "wasm", "--config"])
                .arg(format!("target.{TARGET}.rustflags={:?}", flags()?)))
        })
    }
}

/// Compiles a wasm module and writes its glue.
fn wasm(module: &Module) -> Result<()> {
    let inputs = module.inputs();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    unless_fresh(module.package, &inputs, &[module.path()], || {
        module.compile()?;
        let raw = target_dir().join(TARGET).join("wasm").join(module.raw);
        step("writing its JavaScript glue", || {
            let folder = root().join("wasm/js/generated");
            run(cargo()
                .args(["run", "--package", "antiphon-bindgen", "--", "web"])
                .args([raw, folder])
                .arg(module.name))
        })?;
        step("making it smaller", || {
            let small = module.path().with_extension("small");
            run(command("wasm/js/node_modules/.bin/wasm-opt")
                .args(SMALLER)
                .args(WASM_FEATURES)
                .arg(module.path())
                .arg("-o")
                .arg(&small))?;
            fs::rename(small, module.path())?;
            let (bytes, zipped) = (fs::metadata(module.path())?.len(), gzip_size(&module.path())?);
            println!("    {bytes} bytes, {zipped} after gzip");
            Ok(())
        })
    })?;
    Ok(())
}

/// Returns the compiler's flags by which a module does not name the folders of who built it, so that all build the same.
///
/// And by which functions with more than so many bytes of variables stay on their own, as wasm-opt leaves them: rustc puts one
/// with a single caller into that, and gzip finds less that is alike in long functions. 7 kB less.
fn flags() -> Result<Vec<String>> {
    let home = env::var("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|_| env::var("HOME").map(|home| Path::new(&home).join(".cargo")))?;
    let mut flags = vec![String::from("-Cllvm-args=--inline-max-stacksize=160")];
    for registry in fs::read_dir(home.join("registry/src"))? {
        flags.push(format!("--remap-path-prefix={}=", registry?.path().display()));
    }
    Ok(flags)
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
    let inputs = ["www", "docs", "mobile/kotlin/src", "mobile/swift/Sources", "wasm/js/dist"];
    unless_fresh("site", &inputs, &[root().join("www/dist")], || {
        step("building the site", || {
            run(command("npm").args(["run", "build"]).current_dir(root().join("www")))
        })
    })?;
    Ok(())
}
