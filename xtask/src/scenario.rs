//! One scenario for every language: wallets are told lines, and must answer what it says, to the byte.
//!
//! ```text
//! tests/languages/scenario.json ──lines──► wallets a to e of one language ──► a network of their own
//!                               ◄─answers──                                   the same transcript, whoever wrote it
//! ```
//!
//! Wallets read one command a line and print one answer a line. In the scenario `$A` and `$B` are their addresses, known from
//! the first answer that names them, as `$FILE` and `$NEXT` are, which are backups, and `$STREAM` is a live stream. A wallet is
//! started when it is first told something; where wallets are pages, `c` is a phone's client in Rust, so that files go from one to the
//! other and back. A line is said again as long as it hears what it is to be
//! said `unless`, or `again` until it hears what it must; one that is answered `later` is heard in a step of its own. A step with
//! `network` cuts it or mends it, one with `disk` fills somebody's.

mod languages;
mod network;
mod wallet;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{root, target_dir};
use crate::step::step;
pub(crate) use languages::{Options, check, run_some};
use network::Network;
use wallet::{PATIENCE, Wallet};

/// Before a line is said again.
const PAUSE: Duration = Duration::from_millis(250);

/// One line of the scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    Note {
        note: String,
        /// What a wallet must have for what follows, up to the next note.
        needs: Option<String>,
    },
    Network {
        network: Way,
    },
    Disk {
        disk: Room,
        who: String,
    },
    Line {
        who: String,
        say: Option<String>,
        hear: Option<String>,
        unless: Option<String>,
        #[serde(default)]
        later: bool,
        /// Said again until it is heard: a client that waits for nothing looks at every eighth block.
        #[serde(default)]
        again: bool,
    },
}

/// How the network is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Down,
    Up,
}

/// How much room a wallet's disk has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Room {
    Full,
    Free,
}

/// Runs the scenario with wallets that `wallet` starts, given folder, node, chain and tracker. Returns the transcript, which lies
/// in the target folder, too.
///
/// # Errors
///
/// A wallet does not answer, or answers something else.
pub(crate) fn run(language: &str, wallet: impl Fn(&[&str]) -> Command) -> Result<String> {
    play(language, &[], &wallet, None)
}

/// Makes the line that starts a wallet.
type Make<'a> = &'a dyn Fn(&[&str]) -> Command;

/// The same but for what needs something that it lacks; with pages, where there is a `phone` beside them.
///
/// # Errors
///
/// Those of [`run`].
fn play(
    language: &str,
    lacks: &[&str],
    wallet: Make<'_>,
    phone: Option<Make<'_>>,
) -> Result<String> {
    let work = target_dir().join("xtask/scenario").join(language);
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    let steps = without(lacks, steps()?);
    step(&format!("running the scenario in {language}"), || {
        let network = Network::start(&work)?;
        let known = BTreeMap::from([("$STREAM", network.stream()?.to_owned())]);
        let (wallets, transcript) = (BTreeMap::new(), String::new());
        let mut play = Play { work: &work, wallet, phone, network, wallets, known, transcript };
        for one in &steps {
            play.step(one).with_context(|| format!("{one:?}"))?;
        }
        play.wallets.into_values().try_for_each(Wallet::end)?;
        fs::write(work.join("transcript.txt"), &play.transcript)?;
        Ok(play.transcript)
    })
}

fn steps() -> Result<Vec<Step>> {
    let text = fs::read_to_string(root().join("tests/languages/scenario.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// Returns what a whole transcript is without the notes that need something that is not there, and what follows them.
fn part(whole: &str, lacks: &[&str]) -> Result<String> {
    let steps = steps()?;
    let kept = without(lacks, steps.clone());
    let is_note = |steps: &[Step], line: &str| {
        let is_it =
            |step: &Step| matches!(step, Step::Note { note, .. } if line == format!("# {note}"));
        steps.iter().any(is_it)
    };
    let mut is_here = true;
    let lines = whole.lines().filter(|line| {
        if is_note(&steps, line) {
            is_here = is_note(&kept, line);
        }
        is_here
    });
    Ok(lines.flat_map(|line| [line, "\n"]).collect())
}

/// Leaves out what needs something that is not there.
fn without(lacks: &[&str], steps: Vec<Step>) -> Vec<Step> {
    let mut is_here = true;
    let is_played = |step: &Step| {
        if let Step::Note { needs, .. } = step {
            is_here = needs.as_ref().is_none_or(|needs| !lacks.contains(&needs.as_str()));
        }
        is_here
    };
    steps.into_iter().filter(is_played).collect()
}

/// The scenario as it goes.
struct Play<'a> {
    work: &'a Path,
    wallet: Make<'a>,
    phone: Option<Make<'a>>,
    network: Network,
    wallets: BTreeMap<String, Wallet>,
    /// What names stand for.
    known: BTreeMap<&'static str, String>,
    transcript: String,
}

impl Play<'_> {
    fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Note { note, .. } => {
                println!("    {note}");
                self.write(&format!("# {note}"));
                Ok(())
            }
            Step::Network { network: Way::Down } => {
                self.write("# the network is down");
                self.network.cut();
                Ok(())
            }
            Step::Network { network: Way::Up } => {
                self.write("# the network is up");
                self.network.mend()
            }
            Step::Disk { disk, who } => {
                self.write(&format!("# the disk of {who} is {disk:?}"));
                self.wallet(who)?.fill(*disk == Room::Full)
            }
            Step::Line { who, say, hear, unless, later, again } => {
                let line = say.as_deref().unwrap_or_default();
                if !line.is_empty() {
                    self.write(&format!("{who} <- {line}"));
                    self.say(who, line)?;
                }
                if *later {
                    return Ok(());
                }
                let mut heard = self.hear(who)?;
                let end = Instant::now() + PATIENCE;
                let is_early = |heard: &String| {
                    unless.as_ref() == Some(heard) || (*again && hear.as_ref() != Some(heard))
                };
                while is_early(&heard) && Instant::now() < end {
                    thread::sleep(PAUSE);
                    self.say(who, line)?;
                    heard = self.hear(who)?;
                }
                self.judge(who, heard, hear.as_deref().context("no `hear`")?)
            }
        }
    }

    fn say(&mut self, who: &str, line: &str) -> Result<()> {
        let mut line = line.to_owned();
        for (name, value) in &self.known {
            line = line.replace(name, value);
        }
        self.wallet(who)?.say(&line)
    }

    /// Returns a wallet, started if it is not yet.
    fn wallet(&mut self, who: &str) -> Result<&mut Wallet> {
        if !self.wallets.contains_key(who) {
            let folder = self.work.join(who);
            let path = folder.display().to_string();
            let [node, chain, tracker] = self.network.words()?;
            let phone = self.phone.filter(|_| who == "c");
            let line = phone.unwrap_or(self.wallet)(&[&path, node, chain, tracker]);
            let is_page = self.phone.is_some() && phone.is_none();
            self.wallets.insert(who.to_owned(), Wallet::start(&line, &folder, is_page)?);
        }
        self.wallets.get_mut(who).context("nobody of that name")
    }

    fn hear(&self, who: &str) -> Result<String> {
        self.wallets.get(who).context("nobody of that name")?.hear()
    }

    /// Writes down what was heard, by the names of the scenario, and demands that it is what it says.
    fn judge(&mut self, who: &str, heard: String, expected: &str) -> Result<()> {
        let names = ["$A", "$B", "$FILE", "$NEXT"];
        let unknown = names.into_iter().find(|name| expected.ends_with(name));
        if let Some(name) = unknown.filter(|name| !self.known.contains_key(name)) {
            let value = heard.rsplit(' ').next().unwrap_or_default();
            self.known.insert(name, value.to_owned());
        }
        let (mut meant, mut named) = (expected.to_owned(), heard.clone());
        for (name, value) in &self.known {
            meant = meant.replace(name, value);
            named = named.replace(value, name);
        }
        if heard == meant {
            // Two names may be of one value: a backup of a backup.
            named = expected.to_owned();
        }
        self.write(&format!("{who} -> {named}"));
        ensure!(named == expected, "expected `{expected}`, heard `{named}`");
        Ok(())
    }

    fn write(&mut self, line: &str) {
        self.transcript.push_str(line);
        self.transcript.push('\n');
    }
}
