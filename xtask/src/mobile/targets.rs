//! The library, checked for phones. Nothing is linked: that takes Apple's and Google's kits.

use anyhow::Result;
use std::fs;

use crate::process::{cargo, command, output, run, target_dir};
use crate::step::step;

const TARGETS: [&str; 2] = ["aarch64-apple-ios", "aarch64-linux-android"];

/// Checks the library for every target.
///
/// # Errors
///
/// It does not compile for one.
pub(super) fn check() -> Result<()> {
    let installed = output("rustup", &["target", "list", "--installed"]).unwrap_or_default();
    for target in TARGETS {
        if !installed.lines().any(|line| line == target) {
            run(command("rustup").args(["target", "add", target]))?;
        }
        step(&format!("checking for {target}"), || check_one(target))?;
    }
    Ok(())
}

/// Build scripts ask for a C compiler of the target although a check needs none of what they make: `true` says that all went
/// well. So the folder is its own: what is in it must never be linked.
fn check_one(target: &str) -> Result<()> {
    let folder = target_dir().join("xtask/targets");
    let kit = folder.join("iPhoneOS.sdk");
    fs::create_dir_all(&kit)?;
    let name = target.replace('-', "_");
    let mut check = cargo();
    check.args(["check", "--package", "antiphon-mobile", "--target", target]);
    check.env("CARGO_TARGET_DIR", folder).env("SDKROOT", kit);
    run(check.env(format!("CC_{name}"), "true").env(format!("AR_{name}"), "true"))
}
