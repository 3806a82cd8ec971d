//! Kotlin: compiled for the JVM and run there; for Android compiled against stubs of what it uses of the platform, and not run.

use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::slice::from_ref;

use super::{folder, library, show};
use crate::files::unless_fresh;
use crate::process::{root, run, target_dir};
use crate::scenario;
use crate::setup::{self, Need};
use crate::step::step;
use crate::vectors;

/// The compiler with its own libraries, coroutines and tests among them, as npm has it: 90 MB.
const COMPILER: &str = "kotlin-compiler@2.4.20";
/// How Kotlin finds Rust, and what runs tests; taken apart, not installed.
const PACKAGES: [&str; 4] = ["libjna-java", "libjna-jni", "junit4", "libhamcrest-java"];
/// What comes with the compiler.
const LIBRARIES: [&str; 4] = [
    "kotlin-stdlib.jar",
    "kotlinx-coroutines-core-jvm.jar",
    "kotlin-test.jar",
    "kotlin-test-junit.jar",
];
/// What comes with the packages.
const JARS: [&str; 3] = ["jna.jar", "junit4.jar", "hamcrest-all.jar"];

/// Compiles both flavours, and runs the tests and the scenario on the JVM.
///
/// # Errors
///
/// A tool cannot be had, the code does not compile, a test fails.
pub(super) fn test() -> Result<()> {
    setup::ensure(&[Need::Jdk])?;
    let rust = library()?;
    let tools = Tools::get()?;
    let out = tools.home.join("out");
    fs::create_dir_all(&out)?;
    tools.compile_for_jvm()?;
    step("compiling Kotlin for Android, against stubs", || {
        let stubs = out.join("stubs");
        fs::create_dir_all(&stubs)?;
        let mut javac = Command::new("javac");
        run(javac.arg("-d").arg(&stubs).args(all(&folder("kotlin/stubs"), "java")?))?;
        let sources = ["src/android/kotlin/io/antiphon", "src/main/kotlin/io/antiphon/Flows.kt"];
        let sources = sources.map(|source| folder("kotlin").join(source));
        tools.compile(&sources, &[stubs], &out.join("android.jar"))
    })?;
    let java = |class: &str, words: &[&str]| tools.java(&rust, class, words);
    step("running the tests in Kotlin", || {
        run(&mut java(
            "org.junit.runner.JUnitCore",
            &["ClientTest", "BalanceTest", "WalletModelTest"],
        ))
    })?;
    scenario::run("kotlin", |words| java("ProgramKt", words))?;
    let library = vectors::library("kotlin")?;
    let runner = out.join("vectors.jar");
    step("compiling the vectors' runner", || {
        let sources = [library.join("uniffi"), root().join("tests/languages/Judge.kt")];
        tools.compile(&sources, &[], &runner)
    })?;
    let mut line = Command::new("java");
    line.arg(format!("-Djna.library.path={}", library.display()));
    line.args(["-cp", &tools.path(&[runner, tools.home.join("res")]), "JudgeKt"]);
    vectors::compare(&vectors::rust()?, "kotlin", line.args(vectors::files()))
}

/// Prints a proven balance.
///
/// # Errors
///
/// A tool cannot be had, the code does not compile, the example fails.
pub(super) fn balance(words: &[&str]) -> Result<()> {
    setup::ensure(&[Need::Jdk])?;
    let rust = library()?;
    let tools = Tools::get()?;
    tools.compile_for_jvm()?;
    show(&mut tools.java(&rust, "BalanceKt", words))
}

/// What compiles and runs Kotlin.
struct Tools {
    home: PathBuf,
}

impl Tools {
    /// Downloads what is not here yet.
    fn get() -> Result<Self> {
        let home = target_dir().join("xtask/kotlin");
        let stamp = home.join("complete");
        if !stamp.exists() {
            fs::create_dir_all(&home)?;
            step("downloading the Kotlin compiler, JNA and JUnit", || {
                let here = |program: &str| {
                    let mut line = Command::new(program);
                    line.current_dir(&home);
                    line
                };
                run(here("npm").args(["pack", "--silent", COMPILER]))?;
                for archive in all(&home, "tgz")? {
                    run(here("tar").arg("xzf").arg(archive))?;
                }
                run(here("apt-get").args(["download", "-q"]).args(PACKAGES))?;
                for package in all(&home, "deb")? {
                    run(here("dpkg").arg("-x").arg(package).arg("system"))?;
                }
                native(&home)
            })?;
            fs::write(stamp, COMPILER)?;
        }
        Ok(Self { home })
    }

    /// Compiles the package with its examples and tests, unless nothing has changed.
    fn compile_for_jvm(&self) -> Result<()> {
        let (jar, sources) = (self.jar(), ["src/main/kotlin/io/antiphon", "example", "src/test"]);
        let inputs = sources.map(|source| format!("mobile/kotlin/{source}"));
        let inputs = inputs.each_ref().map(String::as_str);
        unless_fresh("kotlin-jvm", &inputs, from_ref(&jar), || {
            step("compiling Kotlin for the JVM", || {
                fs::create_dir_all(jar.parent().context("a jar lies in a folder")?)?;
                self.compile(&inputs.map(|source| root().join(source)), &[], &jar)
            })
        })?;
        Ok(())
    }

    fn jar(&self) -> PathBuf {
        self.home.join("out/jvm.jar")
    }

    /// Returns what runs a class of it, with the library in a folder.
    fn java(&self, library: &Path, class: &str, words: &[&str]) -> Command {
        let mut line = Command::new("java");
        line.arg(format!("-Djna.library.path={}", library.display()));
        line.args(["-cp", &self.path(&[self.jar(), self.home.join("res")])]);
        line.arg(class).args(words);
        line
    }

    fn compile(&self, sources: &[PathBuf], more: &[PathBuf], out: &Path) -> Result<()> {
        let mut compiler = Command::new("bash");
        compiler.arg(self.home.join("package/bin/kotlinc"));
        compiler.args(["-nowarn", "-jvm-target", "17", "-cp", &self.path(more), "-d"]).arg(out);
        for source in sources {
            if source.is_file() {
                compiler.arg(source);
            } else {
                compiler.args(all(source, "kt")?);
            }
        }
        run(&mut compiler)
    }

    fn path(&self, more: &[PathBuf]) -> String {
        let libraries = LIBRARIES.map(|jar| self.home.join("package/lib").join(jar));
        let jars = JARS.map(|jar| self.home.join("system/usr/share/java").join(jar));
        let every = more.iter().chain(&libraries).chain(&jars);
        every.map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
    }
}

/// Debian's JNA looks for its own native half only where Debian installs it, or on the class path.
fn native(home: &Path) -> Result<()> {
    let name = "libjnidispatch.system.so";
    let found = all(&home.join("system/usr/lib"), "so")?;
    let found =
        found.into_iter().find(|path| path.ends_with(name)).context("JNA has no native half")?;
    let machine = if cfg!(target_arch = "aarch64") { "linux-aarch64" } else { "linux-x86-64" };
    let to = home.join("res/com/sun/jna").join(machine);
    fs::create_dir_all(&to)?;
    fs::copy(found, to.join("libjnidispatch.so"))?;
    Ok(())
}

/// Returns every file below a folder with this extension, in order.
fn all(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(all(&path, extension)?);
        } else if path.extension().is_some_and(|known| known == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
