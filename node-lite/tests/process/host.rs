//! Starts a subcommand, reads its ready line, and speaks HTTP/1.1 with it.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A running subcommand, killed with SIGKILL when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) ready: Value,
}

impl Process {
    /// Starts the subcommand and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {line:?}"));
        Self { child, ready }
    }

    /// Returns host and port.
    pub(crate) fn address(&self) -> &str {
        self.ready["url"].as_str().unwrap().split('/').nth(2).unwrap()
    }

    /// Asks to stop, and returns whether it ended well.
    #[cfg(feature = "peer")]
    pub(crate) fn stop(mut self) -> bool {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        asked.unwrap().success() && self.child.wait().unwrap().success()
    }

    /// Kills without warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the subcommand, which must fail, and returns what it says.
pub(crate) fn refusal(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// Runs the subcommand, which must succeed, and returns what it prints.
pub(crate) fn output(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    command.args(arguments).env("RUST_LOG", "warn");
    command
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub(crate) fn get(address: &str, path: &str, headers: &str) -> Answer {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}"), b"")
}

pub(crate) fn put(address: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{headers}");
    exchange(address, &head, body)
}

/// Sends a request as it is and reads the answer to its end.
pub(crate) fn exchange(address: &str, head: &str, body: &[u8]) -> Answer {
    answer(send(address, head, body))
}

/// Sends a request and closes our side, as an encoder does that dies.
pub(crate) fn send_and_hang_up(address: &str, head: &str, body: &[u8]) -> Answer {
    let stream = send(address, head, body);
    stream.shutdown(Shutdown::Write).unwrap();
    answer(stream)
}

fn send(address: &str, head: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return Answer { status: 0, headers: BTreeMap::new(), body: bytes };
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}
