//! A whole network on loopback: chain, tracker, publisher, site.
//!
//! ```text
//! antiphon dev ──chain id, URL──► publish ──stream, key──► config.json ──► site ──► your browser
//!                    tracker ──URL──┘
//! ```

use std::fs::{self, File, TryLockError};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;

use crate::artifact;
use crate::process::{command, root, target_dir};
use crate::service::{Service, text};
use crate::step::step;

/// Options of `cargo xtask demo`.
#[derive(Args)]
pub(crate) struct Options {
    /// Port of the site; without it 8080, or a free one if that is taken.
    #[arg(long)]
    port: Option<u16>,
    /// Forget the chain and the stream's key of the last demo.
    #[arg(long)]
    reset: bool,
    /// Folder of the chain, the keys and the logs; `.demo` in the workspace if not given.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// The port of the site if none is named: the same each time, so that the page finds its wallet again.
const PORT: u16 = 8080;
/// Price of a chunk: an hour of the sample stream costs about 0.7 Tansen of the 100 that the faucet gives.
const PRICE: &str = "0.0001";
/// How often the services are looked at.
const WATCH: Duration = Duration::from_millis(200);

/// Builds what has changed, starts everything, and runs until Ctrl-C.
///
/// # Errors
///
/// A build fails, a port is taken, or a service ends.
pub(crate) fn run_demo(options: &Options) -> Result<()> {
    let start = Instant::now();
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        // A second Ctrl-C finds the channel closed, and everything already stopping.
        let _ = stop.send(());
    })?;
    // The services start elsewhere than we did.
    let data = std::path::absolute(options.data.clone().unwrap_or_else(|| root().join(".demo")))?;
    let _held = hold(&data)?;
    let port = site_port(options.port)?;
    artifact::build_all_and_node()?;
    if options.reset {
        forget(&data)?;
    }
    let mut network = step("starting the network", || start_network(&data, port))?;
    println!();
    println!("    Antiphon plays at {}", network.url);
    println!(
        "    ready after {:.1} s; logs in {}",
        start.elapsed().as_secs_f64(),
        data.join("logs").display()
    );
    println!(
        "    open it twice, and each page carries the stream for the other; Ctrl-C stops everything"
    );
    println!();
    while stopped.recv_timeout(WATCH).is_err() {
        for service in &mut network.services {
            if let Some(status) = service.ended()? {
                bail!("{} ended with {status}; it said:\n{}", service.name, service.tail());
            }
        }
    }
    println!("stopping");
    // The site goes first and the chain last, so that nobody misses what it stands on.
    while network.services.pop().is_some() {}
    Ok(())
}

/// Takes the folder for this demo alone, until the returned file is dropped.
fn hold(data: &Path) -> Result<File> {
    fs::create_dir_all(data).with_context(|| format!("making the folder {}", data.display()))?;
    let path = data.join("lock");
    let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another demo runs from {}; stop it, or give another --data", data.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Removes what a demo made, and only that: the folder may be anyone's.
fn forget(data: &Path) -> Result<()> {
    if !data.join("chain/spec.borsh").exists() {
        return Ok(());
    }
    for name in ["chain", "publish"] {
        let folder = data.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("removing {}", folder.display()))?;
        }
    }
    Ok(())
}

/// Everything that runs.
struct Network {
    services: Vec<Service>,
    url: String,
}

fn start_network(data: &Path, port: u16) -> Result<Network> {
    let logs = data.join("logs");
    let mut services = Vec::new();
    let mut start = |name, command: &mut Command| {
        let (service, ready) = Service::start(name, command, &logs)?;
        services.push(service);
        anyhow::Ok(ready)
    };
    let chain = start("dev", antiphon("dev").arg("--stake").arg("--data").arg(data.join("chain")))?;
    let tracker = start("tracker", antiphon("tracker").args(["--listen", "127.0.0.1:0"]))?;
    let (node, tracker) = (text(&chain, "base")?, text(&tracker, "url")?);
    let mut publish = antiphon("publish");
    publish.arg("--source").arg(root().join("www/sample")).args(["--loop", "--name", "antiphon"]);
    publish.arg("--data").arg(data.join("publish")).args(["--price", PRICE]);
    publish.args(["--node", node, "--tracker", tracker]);
    let stream = start("publish", &mut publish)?;
    let config = data.join("config.json");
    let page = json!({
        "stream": text(&stream, "url")?,
        "publisher": text(&stream, "publisher")?,
        "node": node,
        "chain": text(&chain, "chain")?,
        "tracker": tracker,
        // The first node of the development network watches over everybody's fields.
        "tower": node,
    });
    fs::write(&config, page.to_string())?;
    let mut site = antiphon("site");
    site.arg("--root").arg(root().join("www/dist")).arg("--config").arg(&config);
    let site = start("site", site.args(["--listen", &format!("127.0.0.1:{port}")]))?;
    let url = text(&site, "url")?.to_owned();
    Ok(Network { services, url })
}

fn antiphon(subcommand: &str) -> Command {
    let mut antiphon = command(target_dir().join("debug/antiphon"));
    antiphon.arg(subcommand);
    antiphon
}

/// Returns a port that is free now. Looked at first, before minutes of building.
fn site_port(wanted: Option<u16>) -> Result<u16> {
    let free = |port| TcpListener::bind(("127.0.0.1", port)).and_then(|socket| socket.local_addr());
    match wanted {
        Some(port) => {
            let address = free(port)
                .with_context(|| format!("cannot listen on port {port}; give another --port"))?;
            Ok(address.port())
        }
        None => Ok(free(PORT).or_else(|_| free(0))?.port()),
    }
}
