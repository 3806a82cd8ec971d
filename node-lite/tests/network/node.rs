//! Starts nodes and test networks, asks how they are, and waits for what is to come.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Until something that must come has come. Long, for machines with much to do; what fails is rare.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Returns when `look` finds something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        thread::sleep(LOOK);
    }
}

/// A running `antiphon`, killed with SIGKILL when dropped.
pub(crate) struct Node {
    child: Child,
    pub(crate) ready: Value,
}

impl Node {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {line:?}"));
        Self { child, ready }
    }

    /// Starts one whose log is piped, and returns what it said until it was ready.
    pub(crate) fn start_and_hear(command: &mut Command) -> (Self, Vec<String>) {
        let mut node = Self::start(command);
        let heard = hear(node.child.stderr.take().unwrap());
        let said = std::iter::from_fn(|| heard.recv_timeout(LOOK * 10).ok()).take(200).collect();
        (node, said)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    pub(crate) fn status(&self) -> Option<Value> {
        status(&self.text("status"))
    }

    /// Asks it to stop and returns how it ended.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        signal("TERM", &self.ready);
        until("the process ends", || self.child.try_wait().unwrap())
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        until("the process ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns what a process says, line by line. It is read to the end, or the process would wait for room.
pub(crate) fn hear(log: ChildStderr) -> mpsc::Receiver<String> {
    let (tell, heard) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    heard
}

/// Returns where a node listens over QUIC.
pub(crate) fn listens(ready: &Value) -> String {
    let all = ready["listen"].as_array().unwrap().iter().map(|address| address.as_str().unwrap());
    all.into_iter().find(|address| address.contains("/quic-v1/")).unwrap().to_owned()
}

/// Sends a signal to the process that said this.
pub(crate) fn signal(name: &str, ready: &Value) {
    let pid = ready["pid"].as_u64().unwrap().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

pub(crate) fn antiphon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    command.env("RUST_LOG", "warn");
    command
}

/// `antiphon run` with free ports on loopback.
pub(crate) fn run(data: &Path, chain: &Path, dial: &[&str]) -> Command {
    let mut command = antiphon();
    command.arg("run").arg("--data").arg(data).arg("--chain").arg(chain);
    command.args(["--listen", "/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0"]);
    command.args(["--rpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
    if !dial.is_empty() {
        command.arg("--dial").arg(dial.join(","));
    }
    command
}

/// Makes a node's keys, and returns what may be shown of them.
pub(crate) fn init(data: &Path, roles: &[&str]) -> PathBuf {
    let status =
        antiphon().arg("init").args(roles).arg("--data").arg(data).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
    data.join("public.toml")
}

/// Makes a chain of nodes whose blocks come fast, and returns its file.
pub(crate) fn genesis(out: PathBuf, parts: &[PathBuf]) -> PathBuf {
    let mut command = antiphon();
    command
        .args(["genesis", "--block-time", "200ms", "--checkpoint-interval", "8", "--out"])
        .arg(&out);
    for part in parts {
        command.arg("--node").arg(part);
    }
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
    out
}

/// A network of processes.
pub(crate) struct Testnet {
    pub(crate) node: Node,
    pub(crate) data: tempfile::TempDir,
}

impl Testnet {
    pub(crate) fn start(validators: usize, guardians: usize) -> Self {
        Self::with(validators, guardians, &[])
    }

    pub(crate) fn with(validators: usize, guardians: usize, more: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (validators, guardians) = (validators.to_string(), guardians.to_string());
        let mut command = antiphon();
        command.args([
            "testnet",
            "--validators",
            &validators,
            "--guardians",
            &guardians,
            "--faucet",
        ]);
        command.args(["--base-port", "0", "--block-time", "200ms", "--checkpoint-interval", "8"]);
        let node = Node::start(command.args(more).arg("--data").arg(data.path()));
        Self { node, data }
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.data.path().join("chain.toml")
    }

    pub(crate) fn folder(&self, index: usize) -> PathBuf {
        self.data.path().join(format!("node-{index}"))
    }

    pub(crate) fn ready(&self, index: usize) -> &Value {
        &self.node.ready["nodes"][index]
    }

    pub(crate) fn status(&self, index: usize) -> Option<Value> {
        status(self.ready(index)["status"].as_str().unwrap())
    }

    /// Waits until these nodes have come to a height at this level.
    pub(crate) fn until(&self, nodes: &[usize], level: &str, height: u64) {
        for index in nodes {
            until(&format!("node {index} is {level} at {height}"), || {
                self.status(*index).filter(|status| status[level].as_u64() >= Some(height))
            });
        }
    }
}

/// Asks how a node is.
pub(crate) fn status(url: &str) -> Option<Value> {
    serde_json::from_str(&get(url)?).ok()
}

/// Returns a counter of a node.
pub(crate) fn counter(ready: &Value, name: &str) -> Option<u64> {
    let text = get(ready["metrics"].as_str().unwrap())?;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

pub(crate) fn get(url: &str) -> Option<String> {
    String::from_utf8(bytes(url)?).ok()
}

pub(crate) fn bytes(url: &str) -> Option<Vec<u8>> {
    let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let head = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(answer.split_off(end + 4))
}
