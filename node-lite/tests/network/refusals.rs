//! What keeps a node from starting: each with its exit code and what to do.

use crate::node::{Node, antiphon, genesis, init, run, until};
use redb::{Database, ReadableTable as _, TableDefinition};
use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// A chain of one node that has run.
struct Alone {
    data: tempfile::TempDir,
    chain: PathBuf,
}

impl Alone {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let part = init(data.path(), &["--validator", "--guardian"]);
        let chain = genesis(data.path().join("chain.toml"), &[part]);
        Self { data, chain }
    }

    fn run(&self) -> Command {
        run(self.data.path(), &self.chain, &[])
    }

    fn database(&self) -> PathBuf {
        self.data.path().join("chain.redb")
    }
}

/// Runs what must fail, and returns the exit code and what it says.
fn refusal(command: &mut Command) -> (i32, String) {
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut started = Started(pipes.spawn().unwrap());
    let status = until("it is refused", || started.0.try_wait().unwrap());
    let mut said = String::new();
    started.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code().unwrap(), said)
}

/// A process that may have started against all expectation.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn refused(command: &mut Command, code: i32, what: &str) {
    let (found, said) = refusal(command);
    assert_eq!(found, code, "{said}");
    assert!(said.contains(what), "{said:?} lacks {what:?}");
}

#[test]
fn a_node_that_cannot_start_says_why_and_what_to_do() {
    let node = Alone::new();
    let running = Node::start(&mut node.run());
    refused(&mut node.run(), 6, "in use by another process");
    // The same key from another folder.
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join("keys")).unwrap();
    for key in ["network.key", "validator.key"] {
        let from = node.data.path().join("keys").join(key);
        fs::hard_link(from, other.path().join("keys").join(key)).unwrap();
    }
    refused(&mut run(other.path(), &node.chain, &[]), 6, "must never sign in two places");
    assert_eq!(running.terminate().code(), Some(0));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    refused(
        node.run().arg("--rpc").arg(format!("127.0.0.1:{port}")),
        7,
        "choose another with --rpc",
    );
    refused(
        node.run().arg("--metrics").arg(format!("127.0.0.1:{port}")),
        7,
        "Port 0 takes a free one",
    );
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    refused(node.run().args(["--listen", &address]), 7, "Port 0 takes a free one");

    let key = node.data.path().join("keys/validator.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&mut node.run(), 3, "chmod 600");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    refused(node.run().args(["--config", "/nowhere/node.toml"]), 2, "/nowhere/node.toml");
    refused(node.run().args(["--dial", "/ip4/127.0.0.1/tcp/1"]), 2, "/p2p/");
    refused(&mut run(&other.path().join("none"), &node.chain, &[]), 3, "antiphon init");
}

#[test]
fn a_data_folder_that_does_not_fit_is_refused() {
    let node = Alone::new();
    assert_eq!(Node::start(&mut node.run()).terminate().code(), Some(0));
    let text = fs::read_to_string(&node.chain).unwrap();
    let other = node.data.path().join("other.toml");
    fs::write(&other, text.replace("drift-ms = 10000", "drift-ms = 9999")).unwrap();
    refused(&mut run(node.data.path(), &other, &[]), 4, "belongs to another chain");
    fs::write(&other, text.replace("drift-ms", "drift")).unwrap();
    refused(&mut run(node.data.path(), &other, &[]), 2, "unknown field `drift`");
    let late = text.lines().map(|line| {
        let begins = line.starts_with("genesis-time");
        if begins {
            String::from("genesis-time = \"2999-01-01T00:00:00Z\"")
        } else {
            line.to_owned()
        }
    });
    let late: Vec<_> = late.collect();
    fs::write(&other, late.join("\n")).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    init(fresh.path(), &[]);
    refused(&mut run(fresh.path(), &other, &[]), 9, "the clock is");

    let whole = fs::read(node.database()).unwrap();
    fs::write(node.database(), &whole[..whole.len() / 2]).unwrap();
    refused(&mut node.run(), 5, "damaged");
    fs::write(node.database(), b"no database at all").unwrap();
    refused(&mut node.run(), 5, "damaged");
    fs::write(node.database(), &whole).unwrap();
    let database = Database::open(node.database()).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut meta = write.open_table(META).unwrap();
        let mut identity = meta.get("identity").unwrap().unwrap().value().to_vec();
        identity[0] = 0;
        meta.insert("identity", identity.as_slice()).unwrap();
    }
    write.commit().unwrap();
    drop(database);
    refused(&mut node.run(), 4, "format 0");
}

#[test]
fn a_node_whose_disk_is_full_stops() {
    let node = Alone::new();
    let small = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
        .arg(small.path())
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        // Mounting needs rights that not everybody has.
        return;
    }
    let _mounted = Mounted(small.path().to_owned());
    let keys = node.data.path().join("keys");
    let copied = Command::new("cp").arg("-a").arg(keys).arg(small.path()).status();
    assert!(copied.unwrap().success());
    let running = Node::start(&mut run(small.path(), &node.chain, &[]));
    let rest = small.path().join("rest");
    // Whatever is left is taken away, and with it the room for the next growth of the database.
    let filled = Command::new("dd")
        .arg("if=/dev/zero")
        .arg(format!("of={}", rest.display()))
        .arg("bs=4k")
        .stderr(Stdio::null())
        .status();
    assert!(!filled.unwrap().success(), "the disk is full");
    assert_eq!(running.wait().code(), Some(10));
}

struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn settings_are_shown_with_their_origin() {
    let output = antiphon()
        .args(["run", "--print-config", "--rpc", "127.0.0.1:9"])
        .env("ANTIPHON_METRICS", "127.0.0.1:8")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("rpc = \"127.0.0.1:9\"  # flag\n"), "{text}");
    assert!(text.contains("metrics = \"127.0.0.1:8\"  # environment\n"), "{text}");
    assert!(text.contains("delta = \"500ms\"  # default\n"), "{text}");
}
