//! Two trackers that share their swarms through a real Valkey or Redis server.

use crate::{
    host::{Process, get, refusal},
    tracker::{Listener, STREAM, key, signal},
};
use antiphon_core::{
    id::PeerId,
    peer::tracker_wire::{Relay, ToListener, ToTracker},
};
use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

#[test]
fn listeners_of_two_trackers_meet_and_who_was_at_a_killed_one_is_forgotten() {
    let Some(server) = Server::start() else { return };
    let [a, b] = [(); 2].map(|()| server.tracker());
    until("both know each other", || {
        [&a, &b].iter().all(|tracker| status(tracker, "trackers") == 1)
    });
    let (mut one, _) = Listener::enter(&a, 1);
    let (mut two, others) = enter_and_meet(&b, 2);
    assert_eq!(others, [peer(1)]);
    let offer = signal(2, 1);
    two.say(&ToTracker::Signal(offer.clone()));
    let ToListener::Signal(heard) = one.hear() else { panic!() };
    assert_eq!(heard.signal, offer);
    let parcel = vec![7; 16_384].try_into().unwrap();
    one.say(&ToTracker::Relay(Relay { stream: STREAM, to: peer(2), parcel }));
    let ToListener::Relayed(heard) = two.hear() else { panic!() };
    assert_eq!((heard.from, heard.parcel.len()), (peer(1), 16_384));
    // Its listener is at the other one at once, with the rank that it had.
    let (_, before) = (two.say(&ToTracker::Heartbeat), candidates(&mut two));
    let killed = Instant::now();
    a.kill();
    let (mut again, _) = Listener::enter(&b, 1);
    again.say(&ToTracker::Heartbeat);
    assert_eq!(names(&candidates(&mut again)), [peer(2)]);
    two.say(&ToTracker::Heartbeat);
    assert_eq!(candidates(&mut two), before, "the same peer with the same rank");
    until("the killed one is forgotten", || status(&b, "trackers") == 0);
    assert!(killed.elapsed() > Duration::from_secs(10), "it was given time");
}

#[test]
fn without_the_server_each_goes_on_alone_and_says_so_and_they_find_together_again() {
    let Some(mut server) = Server::start() else { return };
    let [a, b] = [(); 2].map(|()| server.tracker());
    until("both know each other", || {
        [&a, &b].iter().all(|tracker| status(tracker, "trackers") == 1)
    });
    server.stop();
    until("they say that it is away", || {
        [&a, &b].iter().all(|tracker| status(tracker, "cluster") == false)
    });
    let (_one, _) = Listener::enter(&a, 1);
    let (_three, others) = enter_and_meet(&a, 3);
    assert_eq!(others, [peer(1)], "each goes on alone");
    let (mut two, others) = enter_and_meet(&b, 2);
    assert_eq!(others, []);
    server.run();
    until("it is back", || [&a, &b].iter().all(|tracker| status(tracker, "cluster") == true));
    until("they meet", || {
        sleep(Duration::from_secs(1));
        two.say(&ToTracker::Heartbeat);
        // A refusal says that it was asked too often.
        matches!(two.hear(), ToListener::Candidates(list) if list.peers.len() == 2)
    });
    assert!(refusal(&["tracker", "--cluster", "http://x"]).contains("--cluster"));
}

/// A server on a port of its own, which stores nothing.
struct Server {
    program: &'static str,
    port: u16,
    child: Child,
}

impl Server {
    /// Starts whichever is installed, or says that none is: `cargo xtask test` installs one where it can.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for program in ["valkey-server", "redis-server"] {
            if let Ok(child) = command(program, port).spawn() {
                let server = Self { program, port, child };
                server.wait();
                return Some(server);
            }
        }
        skip();
        None
    }

    fn tracker(&self) -> Process {
        Process::start(&["tracker", "--cluster", &format!("redis://127.0.0.1:{}", self.port)])
    }

    fn wait(&self) {
        until("the server answers", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn run(&mut self) {
        self.child = command(self.program, self.port).spawn().unwrap();
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[allow(clippy::print_stdout, reason = "who runs the tests is told what they did not show")]
fn skip() {
    println!("neither valkey-server nor redis-server is installed: nothing was tested");
}

fn command(program: &str, port: u16) -> Command {
    let mut command = Command::new(program);
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ]);
    command.current_dir(std::env::temp_dir()).stdout(Stdio::null());
    command
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(40);
    while !is_so() {
        assert!(Instant::now() < end, "not in time: {what}");
        sleep(Duration::from_millis(100));
    }
}

fn status(tracker: &Process, name: &str) -> serde_json::Value {
    let answer = get(tracker.address(), "/status", "");
    serde_json::from_str::<serde_json::Value>(answer.text()).unwrap()[name].clone()
}

fn enter_and_meet(tracker: &Process, n: u8) -> (Listener, Vec<PeerId>) {
    let (mut listener, _) = Listener::enter(tracker, n);
    listener.say(&ToTracker::Heartbeat);
    let others = names(&candidates(&mut listener));
    (listener, others)
}

fn candidates(listener: &mut Listener) -> Vec<(PeerId, u64)> {
    let ToListener::Candidates(list) = listener.hear() else { panic!() };
    list.peers.iter().map(|candidate| (candidate.peer, candidate.rank)).collect()
}

fn names(candidates: &[(PeerId, u64)]) -> Vec<PeerId> {
    candidates.iter().map(|(peer, _)| *peer).collect()
}

fn peer(n: u8) -> PeerId {
    PeerId(key(n).public())
}
