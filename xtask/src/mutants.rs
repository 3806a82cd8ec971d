//! Takes one safety rule out at a time, in a copy of the workspace, and demands that the test named for it fails.
//!
//! A mutant is a file of `tests/mutants`: a rule, a source file, the text that is there and what it becomes, and the tests
//! that must notice. Nothing of this is in the sources, so no build can have a rule taken out. A text that is not found
//! exactly once fails the gate: a mutant must move with its code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::process::{cargo, output, root, target_dir};

/// Options of `cargo xtask mutants`.
#[derive(Args)]
pub(crate) struct Options {
    /// Only these, by the names of their files; all if none is named.
    names: Vec<String>,
    /// Print the mutants and stop.
    #[arg(long)]
    list: bool,
}

/// How many a bounded run takes, by rotation of the day.
const SOME: usize = 4;

/// One rule taken out.
struct Mutant {
    name: String,
    rule: String,
    file: String,
    package: String,
    tests: Vec<String>,
    is: String,
    becomes: String,
}

/// Runs the mutants that are asked for.
///
/// # Errors
///
/// A mutant does not apply or compile, survives, or a test that is named for it fails without it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut mutants = read_all()?;
    if options.list {
        for mutant in &mutants {
            println!("{:<16} {}", mutant.name, mutant.rule);
        }
        return Ok(());
    }
    for name in &options.names {
        ensure!(mutants.iter().any(|m| m.name == *name), "no mutant is called `{name}`");
    }
    mutants.retain(|m| options.names.is_empty() || options.names.contains(&m.name));
    kill(&mutants)
}

/// Runs the next few of all mutants: which, the day says.
///
/// # Errors
///
/// Those of [`run`]. All are checked to apply.
pub(crate) fn run_some() -> Result<()> {
    let mutants = read_all()?;
    let days = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 86_400;
    let first = usize::try_from(days)?.wrapping_mul(SOME);
    let count = mutants.len();
    let mut rest: Vec<_> = mutants.into_iter().map(Some).collect();
    let mut today = Vec::new();
    for step in 0..SOME.min(count) {
        today.extend(rest.get_mut((first + step) % count).and_then(Option::take));
    }
    println!("    {} of {count} today; `cargo xtask mutants` runs all", today.len());
    kill(&today)
}

fn kill(mutants: &[Mutant]) -> Result<()> {
    let tree = target_dir().join("mutants/tree");
    copy_workspace(&tree)?;
    baseline(&tree, mutants)?;
    let mut rows = Vec::new();
    for mutant in mutants {
        let start = Instant::now();
        let result = kill_one(&tree, mutant);
        let verdict = match &result {
            Ok(tests) => format!("killed by {}", tests.join(", ")),
            Err(error) => format!("SURVIVED: {error:#}"),
        };
        let row =
            format!("{:<16} {:>4.0} s  {verdict}", mutant.name, start.elapsed().as_secs_f64());
        println!("    {row}");
        rows.push((row, result.is_ok()));
    }
    let alive = rows.iter().filter(|(_, killed)| !killed).count();
    println!("    {} killed, {alive} not", rows.len() - alive);
    ensure!(alive == 0, "{alive} of {} mutants were not killed", rows.len());
    Ok(())
}

/// The tests that are named must pass as long as nothing is taken out.
fn baseline(tree: &Path, mutants: &[Mutant]) -> Result<()> {
    let packages: BTreeSet<&str> = mutants.iter().map(|m| m.package.as_str()).collect();
    for package in packages {
        let named: BTreeSet<&String> = (mutants.iter().filter(|m| m.package == package))
            .flat_map(|mutant| &mutant.tests)
            .collect();
        let run = test(tree, package, named.iter().map(|name| name.as_str()))?;
        ensure!(run.built, "{package} does not build:\n{}", run.text);
        for name in named {
            ensure!(run.passed.contains(name), "{name} is no test of {package} that passes");
        }
    }
    Ok(())
}

fn kill_one(tree: &Path, mutant: &Mutant) -> Result<Vec<String>> {
    let path = tree.join(&mutant.file);
    let whole = fs::read_to_string(&path)?;
    fs::write(&path, whole.replacen(&mutant.is, &mutant.becomes, 1))?;
    touch(&path)?;
    let run = test(tree, &mutant.package, mutant.tests.iter().map(String::as_str));
    fs::write(&path, whole)?;
    touch(&path)?;
    let run = run?;
    ensure!(run.built, "it does not build:\n{}", run.text);
    let alive: Vec<_> = mutant.tests.iter().filter(|name| !run.failed.contains(name)).collect();
    ensure!(alive.is_empty(), "{alive:?} did not fail");
    Ok(run.failed)
}

/// What a run of some tests showed.
struct Run {
    built: bool,
    passed: Vec<String>,
    failed: Vec<String>,
    text: String,
}

fn test<'a>(tree: &Path, package: &str, names: impl Iterator<Item = &'a str>) -> Result<Run> {
    let mut test = cargo();
    // What others made is built already; what is ours has another version there, and so another name.
    test.current_dir(tree).env("CARGO_TARGET_DIR", target_dir());
    // Whoever looks at a killed mutant knows why it panicked.
    test.env("RUST_BACKTRACE", "0");
    test.args(["test", "--package", package]);
    let names: Vec<&str> = names.collect();
    // The shell costs minutes of building; only its own tests need it.
    if package == "antiphon-host" {
        test.arg("--all-features");
    } else if !names.iter().any(|name| name.starts_with("shell::")) {
        test.arg("--no-default-features");
    }
    // The tests of a library, or the stories over all of them.
    test.args(if package == "antiphon-tests" { &["--test", "scenarios"][..] } else { &["--lib"] });
    let build = test.arg("--no-run").stderr(Stdio::piped()).stdout(Stdio::piped()).output()?;
    let text = String::from_utf8_lossy(&build.stderr).into_owned();
    if !build.status.success() {
        return Ok(Run { built: false, passed: Vec::new(), failed: Vec::new(), text });
    }
    let binary = executable(&text).with_context(|| format!("no test program in:\n{text}"))?;
    let mut run = Command::new(tree.join(binary));
    run.current_dir(tree).arg("--exact").args(names).env("RUST_BACKTRACE", "0");
    let run = run.stderr(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let with = |end: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(end));
        lines.map(String::from).collect()
    };
    Ok(Run {
        built: true,
        passed: with(" ... ok"),
        failed: with(" ... FAILED"),
        text: text.clone(),
    })
}

/// Returns the program that `cargo test --no-run` says it has built.
fn executable(text: &str) -> Option<PathBuf> {
    let line = text.lines().find(|line| line.trim_start().starts_with("Executable"))?;
    let (_, path) = line.rsplit_once('(')?;
    Some(PathBuf::from(path.trim_end_matches(')')))
}

/// Writes the tracked and new files of the workspace to `tree`, and only those that differ, so that little is built again.
fn copy_workspace(tree: &Path) -> Result<()> {
    let list = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    let list = list.context("`git ls-files` fails: the copy is made of what git knows")?;
    let heavy = |name: &str| name.starts_with("tests/fuzz/corpus") || name.starts_with("www/");
    for name in list.lines().filter(|name| !heavy(name)) {
        let (from, to) = (root().join(name), tree.join(name));
        let Ok(mut bytes) = fs::read(&from) else { continue };
        if name == "Cargo.toml" {
            bytes = under_another_version(bytes)?;
        }
        if fs::read(&to).is_ok_and(|held| held == bytes) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(tree))?;
        fs::write(&to, bytes)?;
        touch(&to)?;
    }
    Ok(())
}

/// Cargo names what it builds after versions and places within a workspace, not after the workspace's own place. Under the
/// same version, a mutant would pass for what it is a copy of, in the same target directory.
fn under_another_version(manifest: Vec<u8>) -> Result<Vec<u8>> {
    let text = String::from_utf8(manifest)?;
    let ours = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    ensure!(text.matches(&ours).count() == 1, "{ours} is not once in Cargo.toml");
    let other = format!("version = \"{}-mutant\"", env!("CARGO_PKG_VERSION"));
    Ok(text.replacen(&ours, &other, 1).into_bytes())
}

/// Cargo compares times of files, and two writes within one tick of the disk's clock are one to it.
fn touch(path: &Path) -> Result<()> {
    let soon = SystemTime::now() + Duration::from_millis(20);
    fs::File::options().append(true).open(path)?.set_modified(soon)?;
    Ok(())
}

/// Reads every mutant, sorted by name, and checks that each applies.
fn read_all() -> Result<Vec<Mutant>> {
    let folder = root().join("tests/mutants");
    let mut mutants = Vec::new();
    for file in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        // Beside them lies what was learned from mutants that a tool made.
        if path.extension().is_none_or(|end| end != "mutant") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path)?;
        let mutant = parse(&name, &text).with_context(|| format!("{name} is malformed"))?;
        let source = fs::read_to_string(root().join(&mutant.file))?;
        let found = source.matches(&mutant.is).count();
        if found != 1 {
            bail!("mutant {name} no longer applies: its text is {found} times in {}", mutant.file);
        }
        mutants.push(mutant);
    }
    mutants.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(mutants)
}

fn parse(name: &str, text: &str) -> Option<Mutant> {
    let (head, rest) = text.split_once("--- is\n")?;
    let (is, rest) = rest.split_once("--- becomes\n")?;
    let (becomes, _) = rest.split_once("--- end\n")?;
    let field = |key: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
        Some(line.to_owned())
    };
    let tests = field("test")?.split(' ').map(String::from).collect();
    Some(Mutant {
        name: name.to_owned(),
        rule: field("rule")?,
        file: field("file")?,
        package: field("package")?,
        tests,
        is: is.trim_end_matches('\n').to_owned(),
        becomes: becomes.trim_end_matches('\n').to_owned(),
    })
}
