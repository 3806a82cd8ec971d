//! What wallets meet: a chain, a tracker, and a live stream that costs something.

use anyhow::Result;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{root, target_dir};
use crate::service::{Service, text};

/// Blocks of the chain.
const BLOCK_TIME: &str = "250ms";

/// A network of its own.
pub(super) struct Network {
    node: PathBuf,
    work: PathBuf,
    /// None while it is down.
    chain: Option<Service>,
    base: String,
    id: String,
    tracker: Value,
    stream: Value,
    _services: [Service; 2],
}

impl Network {
    /// Starts it below a folder.
    pub(super) fn start(work: &Path) -> Result<Self> {
        let node = target_dir().join("debug/antiphon");
        let logs = work.join("logs");
        let (chain, dev) = dev(&node, work, "127.0.0.1:0")?;
        let (base, id) = (text(&dev, "base")?.to_owned(), text(&dev, "chain")?.to_owned());
        let start =
            |name, words: &[&str]| Service::start(name, Command::new(&node).args(words), &logs);
        let (first, tracker) = start("tracker", &["tracker", "--listen", "127.0.0.1:0"])?;
        let sample = root().join("www/sample").display().to_string();
        let data = work.join("publish").display().to_string();
        #[rustfmt::skip]
        let words = [
            "publish", "--source", &sample, "--loop", "--name", "antiphon", "--price", "0.0001",
            "--chain", &id, "--data", &data, "--tracker", text(&tracker, "url")?,
        ];
        let (second, stream) = start("publish", &words)?;
        let (node, work) = (node.clone(), work.to_path_buf());
        let _services = [first, second];
        Ok(Self { node, work, chain: Some(chain), base, id, tracker, stream, _services })
    }

    /// What a wallet is started with, after its folder: node, chain, tracker.
    pub(super) fn words(&self) -> Result<[&str; 3]> {
        Ok([&self.base, &self.id, text(&self.tracker, "url")?])
    }

    /// Returns the stream's address.
    pub(super) fn stream(&self) -> Result<&str> {
        text(&self.stream, "url")
    }

    /// Ends the chain, and with it the node that wallets ask.
    pub(super) fn cut(&mut self) {
        self.chain = None;
    }

    /// Starts the same chain at the same address once more.
    pub(super) fn mend(&mut self) -> Result<()> {
        let address = self.base.trim_start_matches("http://").to_owned();
        self.chain = Some(dev(&self.node, &self.work, &address)?.0);
        Ok(())
    }
}

fn dev(node: &Path, work: &Path, rpc: &str) -> Result<(Service, Value)> {
    let data = work.join("chain").display().to_string();
    let words = ["dev", "--block-time", BLOCK_TIME, "--data", &data, "--rpc", rpc];
    Service::start("dev", Command::new(node).args(words), &work.join("logs"))
}
