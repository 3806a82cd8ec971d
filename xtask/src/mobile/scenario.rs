//! One scenario for every language: two wallets are told lines, and must answer what the scenario says.
//!
//! Wallets read one command a line and print one answer a line. In the scenario `$A` and `$B` are their addresses, known from
//! the first answer that names them, `$STREAM` is a live stream, and `*` stands for anything. A line is said again as long as
//! it hears what it is to be said `unless`; one that is answered `later` is heard in a step of its own.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::folder;
use crate::process::{root, target_dir};
use crate::service::{Service, text};
use crate::step::step;

/// How long an answer may take. Chosen here: many times what any takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Before a line is said again.
const PAUSE: Duration = Duration::from_millis(250);

/// Runs the scenario with wallets that `wallet` starts, given folder, node, chain and tracker.
///
/// # Errors
///
/// A wallet does not answer, or answers something else.
pub(super) fn run(language: &str, wallet: impl Fn(&[&str]) -> Command) -> Result<()> {
    let node = target_dir().join("debug/antiphon");
    let work = target_dir().join("xtask/scenario").join(language);
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    let steps: Vec<Value> = serde_json::from_str(&fs::read_to_string(folder("scenario.json"))?)?;
    step(&format!("running the scenario in {language}"), || {
        let network = Network::start(&node, &work)?;
        let (node, chain) = (text(&network.dev, "base")?, text(&network.dev, "chain")?);
        let tracker = text(&network.tracker, "url")?;
        let mut wallets = BTreeMap::new();
        for name in ["a", "b"] {
            let folder = work.join(name).display().to_string();
            let line = wallet(&[&folder, node, chain, tracker]);
            wallets.insert(name.to_owned(), Wallet::start(line, &work.join(name))?);
        }
        let mut known = BTreeMap::new();
        known.insert(String::from("$STREAM"), text(&network.stream, "url")?.to_owned());
        for one in &steps {
            play(one, &mut wallets, &mut known).with_context(|| one.to_string())?;
        }
        wallets.into_values().try_for_each(Wallet::end)
    })
}

fn play(
    one: &Value,
    wallets: &mut BTreeMap<String, Wallet>,
    known: &mut BTreeMap<String, String>,
) -> Result<()> {
    let word = |name: &str| one.get(name).and_then(Value::as_str);
    if let Some(note) = word("note") {
        println!("    {note}");
        return Ok(());
    }
    let wallet =
        wallets.get_mut(word("who").context("no `who`")?).context("nobody of that name")?;
    let mut line = word("say").unwrap_or_default().to_owned();
    for (name, value) in &*known {
        line = line.replace(name, value);
    }
    if !line.is_empty() {
        wallet.say(&line)?;
    }
    if one.get("later").is_some() {
        return Ok(());
    }
    let mut heard = wallet.hear()?;
    let end = Instant::now() + PATIENCE;
    while word("unless").is_some_and(|answer| answer == heard) && Instant::now() < end {
        thread::sleep(PAUSE);
        wallet.say(&line)?;
        heard = wallet.hear()?;
    }
    let mut expected = word("hear").context("no `hear`")?.to_owned();
    let unknown = ["$A", "$B"].into_iter().find(|name| expected.ends_with(name));
    if let Some(name) = unknown.filter(|name| !known.contains_key(*name)) {
        let value = heard.split(' ').next_back().unwrap_or_default();
        known.insert(name.to_owned(), value.to_owned());
    }
    for (name, value) in &*known {
        expected = expected.replace(name, value);
    }
    let is_it = match expected.strip_suffix('*') {
        Some(start) => heard.starts_with(start),
        None => heard == expected,
    };
    ensure!(is_it, "expected `{expected}`, heard `{heard}`");
    Ok(())
}

/// A chain, a tracker and a live stream that costs something.
struct Network {
    dev: Value,
    tracker: Value,
    stream: Value,
    _services: [Service; 3],
}

impl Network {
    fn start(node: &Path, work: &Path) -> Result<Self> {
        let logs = work.join("logs");
        let start =
            |name, words: &[&str]| Service::start(name, Command::new(node).args(words), &logs);
        let path = |name: &str| work.join(name).display().to_string();
        let (chain, publish) = (path("chain"), path("publish"));
        let (first, dev) = start("dev", &["dev", "--block-time", "250ms", "--data", &chain])?;
        let (second, tracker) = start("tracker", &["tracker", "--listen", "127.0.0.1:0"])?;
        let sample = root().join("www/sample").display().to_string();
        let words = [
            "publish",
            "--source",
            &sample,
            "--loop",
            "--price",
            "0.0001",
            "--chain",
            text(&dev, "chain")?,
            "--data",
            &publish,
            "--tracker",
            text(&tracker, "url")?,
        ];
        let (third, stream) = start("publish", &words)?;
        Ok(Self { dev, tracker, stream, _services: [first, second, third] })
    }
}

/// A wallet that runs.
struct Wallet {
    child: Child,
    /// None once nothing follows.
    input: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Wallet {
    fn start(mut line: Command, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        line.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = line.spawn().with_context(|| crate::process::display(&line))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("it says nothing")?;
        let (tell, answers) = channel();
        thread::spawn(move || {
            // Ends with the wallet, or with whoever listens.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, input, answers })
    }

    fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("it takes nothing")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    fn hear(&self) -> Result<String> {
        self.answers.recv_timeout(PATIENCE).context("no answer")
    }

    /// Says that nothing follows: a wallet pays what it owes, and ends.
    fn end(mut self) -> Result<()> {
        self.input = None;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("a wallet ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        // It has ended if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
