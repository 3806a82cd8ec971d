//! Examples are short, for they are read whole: no file of one has 150 lines.

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

use crate::process::root;

/// Lines that a file of an example stays below.
const LIMIT: usize = 150;

/// Where examples are.
const FOLDERS: [&str; 8] = [
    "examples",
    "mobile/examples",
    "mobile/kotlin/example",
    "mobile/kotlin/screen",
    "mobile/python/example",
    "mobile/swift/Screen",
    "mobile/swift/Sources/balance",
    "mobile/swift/Sources/wallet",
];

/// What a reader copies.
const SOURCES: [&str; 8] = ["html", "js", "jsx", "kt", "mjs", "py", "rs", "swift"];

/// What tools put beside it.
const MADE: [&str; 4] = ["__pycache__", "dist", "node_modules", "target"];

/// Demands that each file of each example is short.
///
/// # Errors
///
/// One is not, or a folder has none.
pub(super) fn check() -> Result<()> {
    let (mut count, mut long) = (0, Vec::new());
    for folder in FOLDERS {
        let files = sources(&root().join(folder))?;
        if files.is_empty() {
            bail!("{folder} has no example");
        }
        for file in files {
            let lines = fs::read_to_string(&file)?.lines().count();
            if lines >= LIMIT {
                long.push(format!("{} has {lines} lines", file.display()));
            }
            count += 1;
        }
    }
    if !long.is_empty() {
        bail!("examples stay below {LIMIT} lines a file: {}", long.join(", "));
    }
    println!("    {count} files of examples have less than {LIMIT} lines each");
    Ok(())
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let is_one_of = |names: &[&str], name: Option<&std::ffi::OsStr>| {
            name.is_some_and(|name| names.iter().any(|one| name == *one))
        };
        if path.is_dir() {
            if !is_one_of(&MADE, path.file_name()) {
                found.extend(sources(&path)?);
            }
        } else if is_one_of(&SOURCES, path.extension()) {
            found.push(path);
        }
    }
    Ok(found)
}
