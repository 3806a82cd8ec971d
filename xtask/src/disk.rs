//! Room on the disk: a linker that has none left dies of a bus error, which tells nobody anything.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use nix::sys::statvfs::statvfs;

use crate::process::target_dir;

/// What every check together leaves on the disk, beginning with nothing: measured 16 GB, of which six are what cargo keeps to compile
/// again sooner, and 2 GB that setup and npm bring.
const ALL: u64 = 18 << 30;
/// Below this nothing more is begun: the largest program to link, and what a browser writes.
const LEAST: u64 = 2 << 30;

/// Says so where the disk may not suffice for every check.
///
/// # Errors
///
/// Almost nothing is left.
pub(crate) fn check() -> Result<()> {
    let target = target_dir();
    // It may still have to be made.
    let place = target.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/"));
    let disk = statvfs(place).with_context(|| format!("no disk at {}", place.display()))?;
    let free = disk.blocks_available().saturating_mul(disk.fragment_size());
    let gigabytes = |bytes: u64| bytes >> 30;
    let how = format!(
        "`cargo clean` makes room, and CARGO_TARGET_DIR names another place than {}",
        target.display()
    );
    if free < LEAST {
        bail!("the disk is full but for {} MB; {how}", free >> 20);
    }
    if free < ALL && !target.join("debug/deps").exists() {
        println!(
            "    {} GB are free and the checks take up to {}; {how}",
            gigabytes(free),
            gigabytes(ALL)
        );
    }
    Ok(())
}
