//! Finds what is missing and installs it, saying what and why.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow, bail};

use crate::process::{command, found, output, root, run};
use crate::step::step;

/// Where Firefox lies if no package of the system has it.
const FIREFOX: &str = "tests/e2e/.firefox";

/// Something that must be on the machine, beyond rustup, Node and gcc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A C compiler for wasm32 and bare ARM, and its archiver.
    Clang,
    /// A real browser with AAC.
    Browser,
    /// A second one, of another make.
    Firefox,
    /// `ip`, which sets up the private network of the browser tests.
    Network,
    /// A TURN server, by which listeners hide their addresses.
    Turn,
    /// A Valkey or Redis server, by which trackers share their swarms. The demo does not need it.
    Redis,
    /// A Java compiler and machine, for Kotlin. The demo and the tests do not need it.
    Jdk,
    /// What makes a Debian inside of this system, for Swift. The demo and the tests do not need it.
    Debootstrap,
    /// `ffmpeg`, which encodes the sample stream anew. The demo does not need it.
    Ffmpeg,
}

impl Need {
    /// What `demo` and `test` need together.
    pub(crate) const ALL: [Self; 5] =
        [Self::Clang, Self::Browser, Self::Firefox, Self::Network, Self::Turn];

    const fn why(self) -> &'static str {
        match self {
            Self::Clang => "blst, the BLS12-381 library, is C; gcc cannot compile it to wasm",
            Self::Browser => "the end-to-end tests run in a real Chromium",
            Self::Firefox => "two browsers carry a stream for each other in the end-to-end tests",
            Self::Network => "the end-to-end tests run in a network of their own",
            Self::Turn => "listeners reach each other through it alone in the end-to-end tests",
            Self::Redis => "two trackers share their swarms in the tests through a real server",
            Self::Jdk => "the Kotlin of `cargo xtask mobile kotlin` runs on it",
            Self::Debootstrap => "`cargo xtask mobile swift` takes Swift from a Debian that has it",
            Self::Ffmpeg => "`cargo xtask sample` encodes the sample stream with it",
        }
    }

    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Clang => &["clang", "llvm"],
            Self::Browser => &["chromium"],
            // The library, whatever its version is called, decodes AAC for it.
            Self::Firefox => &["firefox-esr", "libavcodec-extra"],
            Self::Network => &["iproute2"],
            Self::Turn => &["coturn"],
            Self::Redis => &["redis-server"],
            Self::Jdk => &["default-jdk-headless"],
            Self::Debootstrap => &["debootstrap"],
            Self::Ffmpeg => &["ffmpeg"],
        }
    }

    fn is_met(self) -> bool {
        match self {
            Self::Clang => {
                found("llvm-ar")
                    && output("clang", &["--print-targets"])
                        .is_some_and(|targets| targets.contains("wasm32"))
            }
            Self::Browser => browser().is_some(),
            Self::Firefox => firefox().is_some() && has_library("libavcodec.so"),
            Self::Network => found("ip"),
            Self::Turn => found("turnserver"),
            Self::Redis => found("valkey-server") || found("redis-server"),
            Self::Jdk => found("javac"),
            Self::Debootstrap => found("debootstrap"),
            Self::Ffmpeg => found("ffmpeg"),
        }
    }
}

/// Returns the browser that the tests drive: `$CHROMIUM`, or the first that is installed.
pub(crate) fn browser() -> Option<String> {
    if let Ok(path) = std::env::var("CHROMIUM") {
        return Some(path);
    }
    // Ubuntu's /usr/bin/chromium-browser is a script that asks for a snap: not in the list.
    let known = ["/usr/bin/chromium", "/usr/bin/google-chrome", "/opt/google/chrome/chrome"];
    known.into_iter().find(|path| found(path)).map(String::from)
}

/// Returns the Firefox that the tests drive: `$FIREFOX`, or the first that is installed.
pub(crate) fn firefox() -> Option<String> {
    if let Ok(path) = std::env::var("FIREFOX") {
        return Some(path);
    }
    // Ubuntu's /usr/bin/firefox is a script that asks for a snap: not in the list.
    let known = ["/usr/bin/firefox-esr", "/opt/firefox/firefox"].map(PathBuf::from);
    let ours = fs::read_dir(root().join(FIREFOX).join("firefox")).into_iter().flatten().flatten();
    let ours = ours.map(|build| build.path().join("firefox/firefox"));
    let known = known.into_iter().chain(ours).filter_map(|path| path.to_str().map(String::from));
    known.into_iter().find(|path| found(path))
}

/// Returns whether the system's loader knows a shared library whose name begins so.
fn has_library(name: &str) -> bool {
    output("/sbin/ldconfig", &["-p"]).is_some_and(|known| known.contains(name))
}

/// Installs what is missing of `needs`, and the Rust targets.
///
/// # Errors
///
/// The system is not Debian or Ubuntu, we may not install, or an installation fails.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    node()?;
    rust_targets()?;
    let missing: Vec<Need> = needs.iter().copied().filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        println!("missing: {} ({})", need.packages().join(" "), need.why());
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let ubuntu = release.lines().any(|line| line == "ID=ubuntu");
    let debian = release.lines().any(|line| line == "ID=debian" || line.starts_with("ID_LIKE"))
        && (ubuntu || release.contains("debian"));
    let mut packages: Vec<&str> =
        missing.iter().flat_map(|need| need.packages()).copied().collect();
    if !debian || !found("apt-get") {
        let browser = missing.contains(&Need::Browser) || missing.contains(&Need::Firefox);
        bail!(
            "this system is not Debian or Ubuntu; please install what these Debian packages hold, \
             then run the command again: {}{}",
            packages.join(" "),
            if browser {
                " (any Chromium and Firefox with AAC; CHROMIUM and FIREFOX name their programs)"
            } else {
                ""
            }
        );
    }
    if ubuntu {
        // There, both are empty packages that ask for a snap, or missing.
        packages.retain(|package| !["chromium", "firefox-esr"].contains(package));
    }
    if !packages.is_empty() {
        step(&format!("installing {}", packages.join(" ")), || apt(&packages))?;
    }
    if missing.contains(&Need::Turn) {
        stop_service("coturn")?;
    }
    if ubuntu {
        instead_of_snaps(&missing)?;
    }
    match missing.iter().find(|need| !need.is_met()) {
        Some(need) => bail!(
            "{} is installed and still does not work ({}); for a browser elsewhere set CHROMIUM or FIREFOX",
            need.packages().join(" "),
            need.why()
        ),
        None => Ok(()),
    }
}

/// Ubuntu has browsers only as snaps: takes those that their makers build.
fn instead_of_snaps(missing: &[Need]) -> Result<()> {
    let tool = |name: &str, words: &[&str]| {
        npm_ci("tests/e2e")?;
        let folder = root().join("tests/e2e");
        run(command(format!("node_modules/.bin/{name}")).args(words).current_dir(folder))
    };
    if missing.contains(&Need::Browser) {
        step("installing Google Chrome (Ubuntu has Chromium only as a snap)", || {
            tool("playwright-core", &["install", "--with-deps", "chrome"])
        })?;
    }
    if missing.contains(&Need::Firefox) {
        step("downloading Firefox (Ubuntu has it only as a snap)", || {
            tool("browsers", &["install", "firefox@stable", "--path", ".firefox"])
        })?;
    }
    Ok(())
}

/// Ends what a package has started by itself: a TURN server relays for anybody, and the tests start one of their own.
fn stop_service(name: &str) -> Result<()> {
    // Where systemd does not run, nothing was started.
    if !Path::new("/run/systemd/system").exists() {
        return Ok(());
    }
    let mut line = command(if is_root() { "systemctl" } else { "sudo" });
    if !is_root() {
        line.arg("systemctl");
    }
    step(&format!("stopping the service {name}, which nobody asked for"), || {
        run(line.args(["disable", "--now", name]))
    })
}

fn is_root() -> bool {
    output("id", &["-u"]).is_some_and(|id| id.trim() == "0")
}

fn apt(packages: &[&str]) -> Result<()> {
    let is_root = is_root();
    let install = ["install", "-y", "--no-install-recommends"];
    let by_hand = format!(
        "to do it by hand, have root run this, then run the command again:\n\
         \x20   apt-get update && apt-get {} {}",
        install.join(" "),
        packages.join(" ")
    );
    if !is_root && !found("sudo") {
        bail!("neither root nor sudo here; {by_hand}");
    }
    let apt_get = || {
        // `env` behind sudo, which drops our own environment.
        let mut line = if is_root { command("env") } else { command("sudo") };
        if !is_root {
            line.arg("env");
        }
        line.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        line
    };
    let result = run(apt_get().arg("update")).or_else(|error| {
        // Was it sudo that refused? Then it would only ask for the password again.
        if !is_root && output("sudo", &["--non-interactive", "true"]).is_none() {
            return Err(error);
        }
        // One source that does not answer need not be the one that has the packages.
        println!("    {error:#}; trying with the lists that are here");
        Ok(())
    });
    result
        .and_then(|()| run(apt_get().args(install).args(packages)))
        .map_err(|error| anyhow!("{error:#}; {by_hand}"))
}

/// The oldest Node that the scripts run on: the oldest that had support when this was written.
const NODE: u32 = 20;

fn node() -> Result<()> {
    let version = output("node", &["--version"]).unwrap_or_default();
    let major = version.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(major) if major >= NODE && found("npm") => Ok(()),
        Ok(major) if major >= NODE => bail!("Node {} is here, its npm is not", version.trim()),
        found => bail!(
            "Node {NODE} or newer with npm is needed and {}; the `nodejs` of Debian 12 and Ubuntu 24.04 \
             is too old: take it from https://nodejs.org/en/download",
            if found.is_ok() {
                format!("{} is here", version.trim())
            } else {
                "none is here".into()
            }
        ),
    }
}

/// `rust-toolchain.toml` lists the targets, but a toolchain that was there before may lack them.
fn rust_targets() -> Result<()> {
    let Some(installed) = output("rustup", &["target", "list", "--installed"]) else {
        return Ok(()); // A toolchain of the system: cargo will say it if a target is missing.
    };
    for target in ["wasm32-unknown-unknown", "wasm32-wasip1", "thumbv7em-none-eabihf"] {
        if !installed.lines().any(|line| line == target) {
            step(&format!("installing the Rust target {target}"), || {
                run(command("rustup").args(["target", "add", target]))
            })?;
        }
    }
    Ok(())
}

/// Installs the npm packages of a folder, unless those of its lock file are there already.
///
/// # Errors
///
/// `npm ci` fails.
pub(crate) fn npm_ci(folder: &str) -> Result<()> {
    let path = root().join(folder);
    let lock = fs::read_to_string(path.join("package-lock.json"))?;
    let stamp = path.join("node_modules/.installed-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    step(&format!("installing the npm packages of {folder}"), || {
        run(command("npm").args(["ci", "--no-fund", "--no-audit"]).current_dir(&path))?;
        fs::create_dir_all(path.join("node_modules"))?;
        fs::write(&stamp, &lock)?;
        Ok(())
    })
}
