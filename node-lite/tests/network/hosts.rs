//! Nodes on hosts of their own: network namespaces joined by a bridge, which is cut in two and healed.

use crate::node::{Node, antiphon, genesis, init, status, until};
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

const HOSTS: u8 = 4;

#[test]
fn a_network_cut_in_two_halves_settles_nothing_and_goes_on_when_it_is_healed() {
    let Some(wires) = Wires::lay() else {
        // Namespaces need rights that not everybody has.
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let folder = |host: u8| data.path().join(format!("node-{host}"));
    let hosts = 1..=HOSTS;
    let parts: Vec<PathBuf> =
        hosts.clone().map(|host| init(&folder(host), &["--validator", "--guardian"])).collect();
    let chain = genesis(data.path().join("chain.toml"), &parts);
    let peers: Vec<String> = parts.iter().map(peer).collect();
    let mut nodes = Vec::new();
    for host in hosts {
        let others = (1..=HOSTS).filter(|other| *other != host);
        let dial = others.map(|other| {
            let peer = &peers[usize::from(other) - 1];
            format!("/ip4/10.77.0.{other}/udp/4600/quic-v1/p2p/{peer}")
        });
        let mut command = wires.on(host);
        command.arg(antiphon().get_program()).arg("run").env("RUST_LOG", "warn");
        command.arg("--data").arg(folder(host)).arg("--chain").arg(&chain);
        command.arg("--listen").arg(format!("/ip4/10.77.0.{host}/udp/4600/quic-v1"));
        command.arg("--metrics").arg(format!("10.78.{host}.2:4602"));
        command.arg("--dial").arg(dial.collect::<Vec<_>>().join(","));
        nodes.push(Node::start(&mut command));
    }
    let state = |host: u8, name: &str| {
        status(&format!("http://10.78.{host}.2:4602/status"))?[name].as_u64()
    };
    let all = |what: &str, name: &str, fits: &dyn Fn(u64) -> bool| {
        for host in 1..=HOSTS {
            until(&format!("host {host}: {what}"), || state(host, name).filter(|n| fits(*n)));
        }
    };
    all("knows the three others", "peers", &|peers| peers == 3);
    all("finalises", "final", &|height| height >= 8);
    wires.cut();
    all("has lost the other half", "peers", &|peers| peers == 1);
    let before: Vec<_> = (1..=HOSTS).map(|host| state(host, "settled").unwrap()).collect();
    let most = *before.iter().max().unwrap();
    assert!(most - before.iter().min().unwrap() <= 2, "no half went on: {before:?}");
    wires.heal();
    all("has found the other half", "peers", &|peers| peers == 3);
    all("settles again", "settled", &|height| height > most + 4);
    all("finalises again", "final", &|height| height > most);
    for node in nodes {
        assert_eq!(node.terminate().code(), Some(0));
    }
}

fn peer(part: &PathBuf) -> String {
    let text = std::fs::read_to_string(part).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("peer = ")).unwrap();
    line.trim_matches('"').to_owned()
}

/// Four namespaces on one bridge, and a line to each that is never cut, by which the test asks.
struct Wires {
    tag: String,
}

impl Wires {
    /// Returns nothing where namespaces may not be made.
    fn lay() -> Option<Self> {
        let wires = Self { tag: format!("ap{}", std::process::id() % 100_000) };
        let name = |what: &str| format!("{}{what}", wires.tag);
        if !ip(&["link", "add", &name("a"), "type", "bridge"]) {
            return None;
        }
        let mut fine = ip(&["link", "add", &name("b"), "type", "bridge"]);
        fine &= ip(&["link", "set", &name("a"), "up"]) && ip(&["link", "set", &name("b"), "up"]);
        for host in 1..=HOSTS {
            fine &= wires.add_host(host);
        }
        fine.then_some(wires)
    }

    fn add_host(&self, host: u8) -> bool {
        let (space, near, line) =
            (self.space(host), self.port(host), format!("{}c{host}", self.tag));
        let up = |name: &str| ip(&["-n", &space, "link", "set", name, "up"]);
        ip(&["netns", "add", &space])
            && ip(&["link", "add", &near, "type", "veth", "peer", "name", "net", "netns", &space])
            && ip(&["link", "add", &line, "type", "veth", "peer", "name", "line", "netns", &space])
            && ip(&["link", "set", &near, "master", &format!("{}a", self.tag), "up"])
            && ip(&["addr", "add", &format!("10.78.{host}.1/30"), "dev", &line])
            && ip(&["link", "set", &line, "up"])
            && ip(&["-n", &space, "addr", "add", &format!("10.77.0.{host}/24"), "dev", "net"])
            && ip(&["-n", &space, "addr", "add", &format!("10.78.{host}.2/30"), "dev", "line"])
            && up("net")
            && up("line")
            && up("lo")
    }

    fn space(&self, host: u8) -> String {
        format!("{}-{host}", self.tag)
    }

    fn port(&self, host: u8) -> String {
        format!("{}v{host}", self.tag)
    }

    /// A command that runs on a host.
    fn on(&self, host: u8) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(host)]);
        command
    }

    /// Puts the second half of the hosts on a bridge of their own.
    fn cut(&self) {
        self.join("b");
    }

    fn heal(&self) {
        self.join("a");
    }

    fn join(&self, bridge: &str) {
        for host in HOSTS / 2 + 1..=HOSTS {
            assert!(ip(&[
                "link",
                "set",
                &self.port(host),
                "master",
                &format!("{}{bridge}", self.tag)
            ]));
        }
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        for host in 1..=HOSTS {
            ip(&["netns", "del", &self.space(host)]);
        }
        for bridge in ["a", "b"] {
            ip(&["link", "del", &format!("{}{bridge}", self.tag)]);
        }
    }
}

fn ip(arguments: &[&str]) -> bool {
    let status = Command::new("ip").args(arguments).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
