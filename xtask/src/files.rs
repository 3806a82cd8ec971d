//! Content stamps: is an output still that of these inputs?

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::process::{root, target_dir};

/// Folders that hold outputs, not sources.
const SKIPPED: [&str; 5] = ["node_modules", "dist", "generated", "target", ".git"];

/// Runs `build` unless the inputs are those of its last success and every output is there.
/// Returns whether it ran.
///
/// # Errors
///
/// A file cannot be read, or those of `build`.
pub(crate) fn unless_fresh(
    name: &str,
    inputs: &[&str],
    outputs: &[PathBuf],
    build: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    let stamp = stamp(name);
    let digest = digest(inputs)?;
    if is_fresh(&stamp, &digest, outputs) {
        return Ok(false);
    }
    build()?;
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&stamp, digest)?;
    Ok(true)
}

/// Returns whether [`unless_fresh`] would build.
///
/// # Errors
///
/// A file cannot be read.
pub(crate) fn is_stale(name: &str, inputs: &[&str], outputs: &[PathBuf]) -> Result<bool> {
    Ok(!is_fresh(&stamp(name), &digest(inputs)?, outputs))
}

fn stamp(name: &str) -> PathBuf {
    target_dir().join("xtask").join(format!("{name}.stamp"))
}

fn is_fresh(stamp: &Path, digest: &str, outputs: &[PathBuf]) -> bool {
    let last = fs::read_to_string(stamp).unwrap_or_default();
    last == digest && outputs.iter().all(|path| path.exists())
}

/// Returns a digest of the names and contents below these paths of the workspace.
fn digest(inputs: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for input in inputs {
        collect(&root().join(input), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(root()).unwrap_or(&file).to_string_lossy().into_owned();
        let bytes = fs::read(&file).with_context(|| format!("could not read {name}"))?;
        hash.update(format!("{}:{name}:{}:", name.len(), bytes.len()));
        hash.update(bytes);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    if !path.is_dir() {
        return Ok(()); // An input may not be there yet; its coming changes the digest.
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !SKIPPED.iter().any(|name| entry.file_name() == *name) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// Returns the size of a file after `gzip -9`, in bytes.
///
/// # Errors
///
/// The file cannot be read.
pub(crate) fn gzip_size(path: &Path) -> Result<usize> {
    use std::io::Write as _;
    let bytes = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&bytes)?;
    Ok(encoder.finish()?.len())
}
