//! What the nodes are at: a table that is drawn over itself on a terminal, a line now and then elsewhere.

use super::Child;
use serde_json::Value;
use std::{
    fmt::Write as _,
    io::{IsTerminal as _, Write as _, stderr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long a node may take to say how it is.
const PATIENCE: Duration = Duration::from_millis(800);
/// Longest answer that is read.
const MAX_ANSWER: u64 = 64 * 1024;
/// Looks between two lines where there is no terminal.
const LINE_EVERY: u64 = 10;

/// One node as it is shown.
#[derive(Debug)]
pub(super) struct Row {
    name: String,
    state: Option<State>,
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct State {
    included: u64,
    settled: u64,
    finalised: u64,
    epoch: u64,
    peers: u64,
    waiting: u64,
    bans: u64,
}

/// Asks a node how it is.
pub(super) async fn row(child: &Child) -> Row {
    let ended = child.ended.is_some();
    let url = child.said("status");
    let asked = timeout(PATIENCE, ask(url.as_str().unwrap_or_default())).await;
    let state = asked.ok().flatten().filter(|_| !ended);
    Row { name: child.name.clone(), state, ended }
}

async fn ask(url: &str) -> Option<State> {
    let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(address).await.ok()?;
    let head = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer).await.ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body: Value = serde_json::from_str(body).ok()?;
    let number = |name: &str| body.get(name)?.as_u64();
    Some(State {
        included: number("included")?,
        settled: number("settled")?,
        finalised: number("final")?,
        epoch: number("epoch")?,
        peers: number("peers")?,
        waiting: number("waiting")?,
        bans: number("bans")?,
    })
}

/// The table on standard error.
#[derive(Debug, Default)]
pub(super) struct Table {
    drawn: usize,
    looks: u64,
}

impl Table {
    /// Says something above the table.
    pub(super) fn say(&mut self, text: &str) {
        self.drawn = 0;
        // Who closed standard error does not want to know.
        let _ = writeln!(stderr(), "{text}");
    }

    /// Draws the table anew.
    pub(super) fn draw(&mut self, rows: &[Row]) {
        let looks = self.looks;
        self.looks = looks.saturating_add(1);
        if !stderr().is_terminal() {
            if looks.is_multiple_of(LINE_EVERY) {
                let _ = writeln!(stderr(), "{}", line(rows));
            }
            return;
        }
        let mut text = String::new();
        if self.drawn > 0 {
            let _ = write!(text, "\x1b[{}A", self.drawn);
        }
        let lines = lines(rows);
        for line in &lines {
            let _ = writeln!(text, "\x1b[2K{line}");
        }
        self.drawn = lines.len();
        let _ = stderr().write_all(text.as_bytes());
    }
}

fn lines(rows: &[Row]) -> Vec<String> {
    let head = ["node", "included", "settled", "final", "epoch", "peers", "waiting", "bans"];
    let head = head.map(|name| format!("{name:>9}")).concat();
    let body = rows.iter().map(|row| {
        let name = &row.name;
        match row.state {
            Some(state) => {
                let State { included, settled, finalised, epoch, peers, waiting, bans } = state;
                format!("{name:>9}{included:>9}{settled:>9}{finalised:>9}{epoch:>9}{peers:>9}{waiting:>9}{bans:>9}")
            }
            None => format!("{name:>9}  {}", if row.ended { "ended" } else { "does not answer" }),
        }
    });
    std::iter::once(head).chain(body).collect()
}

fn line(rows: &[Row]) -> String {
    let states = || rows.iter().filter_map(|row| row.state);
    let range = |of: fn(&State) -> u64| {
        let (least, most) = (states().map(|s| of(&s)).min(), states().map(|s| of(&s)).max());
        format!("{}..{}", least.unwrap_or(0), most.unwrap_or(0))
    };
    let (answer, all) = (states().count(), rows.len());
    let (settled, finalised) = (range(|s| s.settled), range(|s| s.finalised));
    format!(
        "{answer} of {all} nodes answer, settled {settled}, final {finalised}, peers {}",
        range(|s| s.peers)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, settled: Option<u64>, ended: bool) -> Row {
        let state = settled.map(|settled| State {
            included: settled + 2,
            settled,
            finalised: 10,
            epoch: 9,
            peers: 3,
            waiting: 0,
            bans: 0,
        });
        Row { name: name.to_owned(), state, ended }
    }

    #[test]
    fn a_line_gives_the_range_and_a_table_every_node() {
        let rows = [
            row("node-0", Some(14), false),
            row("node-1", Some(12), false),
            row("node-2", None, true),
        ];
        assert_eq!(line(&rows), "2 of 3 nodes answer, settled 12..14, final 10..10, peers 3..3");
        let lines = lines(&rows);
        assert_eq!(lines.len(), 4);
        assert!(lines[3].ends_with("node-2  ended"), "{lines:?}");
        assert_eq!(lines[1].len(), lines[0].len());
    }
}
