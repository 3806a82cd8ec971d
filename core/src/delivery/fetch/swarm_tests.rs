//! Three listeners in virtual time: links of 20 ms, an origin of 80 ms, playlists polled out of phase.

use super::{
    tests::{at, bytes_of, config, media, peer, record, want},
    *,
};
use crate::table::Table;
use alloc::collections::BTreeSet;

const LINK_MS: u64 = 20;
const ORIGIN_MS: u64 = 80;
const SEGMENT_MS: u64 = 2000;
const SEGMENTS: u64 = 15;

#[test]
fn three_listeners_fetch_each_segment_from_the_origin_about_once() {
    let mut net = Net::new();
    let segments = 6 * SEGMENTS;
    net.run(segments);
    for n in 0..3 {
        assert_eq!(net.delivered[n], (1..=segments).collect(), "listener {n}");
    }
    let fetched: u64 = net.machines.iter().map(|m| m.stats().from_origin).sum();
    let once = segments * media(1).len() as u64;
    // The first segment is wanted before anyone could announce it, so the last safe moment has all three fetch it.
    assert!(fetched <= once + once / 20, "{fetched} of {once}");
    for machine in &net.machines {
        let stats = machine.stats();
        assert!(stats.from_peers * 2 >= stats.from_peers + stats.from_origin, "{stats:?}");
    }
    assert_eq!(net.paid, net.sent);
}

#[test]
fn who_always_looks_first_fetches_no_more_than_its_draws() {
    let mut net = Net::new();
    // Looks stay where they began: the others learn of each segment most of a segment later.
    net.looks = Looks::Always([0, 1300, 1900]);
    net.run(10 * SEGMENTS);
    assert_eq!(net.stalls, 0);
    let all = 10 * SEGMENTS * media(1).len() as u64;
    for (n, machine) in net.machines.iter().enumerate() {
        let fetched = machine.stats().from_origin;
        assert!((all / 5..=all / 2).contains(&fetched), "listener {n}: {fetched} of {all}");
    }
}

#[test]
fn who_hardly_has_time_does_not_wait_for_a_look_of_others() {
    let mut net = Net::new();
    (net.looks, net.behind) = (Looks::Always([0, 1300, 1900]), 2500);
    net.run(10 * SEGMENTS);
    assert_eq!(net.stalls, 0);
    let all = 10 * SEGMENTS * media(1).len() as u64;
    let fetched: u64 = net.machines.iter().map(|machine| machine.stats().from_origin).sum();
    assert!(fetched <= all + all / 10, "{fetched} of {all}");
}

#[test]
fn a_polluter_is_cut_off_after_one_bad_chunk_per_neighbour() {
    let mut net = Net::new();
    net.polluter = Some(0);
    net.run(SEGMENTS);
    for n in 1..3 {
        assert_eq!(net.delivered[n], (1..=SEGMENTS).collect(), "listener {n}");
        assert_eq!(net.machines[n].stats().bad, 1, "listener {n}");
    }
    assert!(net.paid_to.iter().all(|payee| *payee != peer(0)), "bad bytes are not paid");
}

#[test]
fn playback_goes_on_when_a_peer_never_answers() {
    let mut net = Net::new();
    net.mute = Some(0);
    net.run(SEGMENTS);
    for n in 0..3 {
        assert_eq!(net.delivered[n], (1..=SEGMENTS).collect(), "listener {n}");
    }
    assert_eq!(net.stalls, 0);
}

#[test]
fn the_same_run_twice_is_the_same() {
    let (mut a, mut b) = (Net::new(), Net::new());
    a.run(SEGMENTS);
    b.run(SEGMENTS);
    assert_eq!(a.log, b.log);
}

/// An event for a listener.
type Event = (usize, Input);

/// Milliseconds after a segment is there at which each listener learns of it.
#[derive(Clone, Copy)]
enum Looks {
    /// In turns, one further with each segment: looks at a playlist drift over it.
    Drifting([u64; 3]),
    /// The same for every segment.
    Always([u64; 3]),
}

struct Net {
    looks: Looks,
    /// Milliseconds from what a listener learns to when it runs dry.
    behind: u64,
    machines: Vec<Fetch>,
    queue: Table<(u64, u64), Event>,
    serial: u64,
    deadlines: Table<(usize, u64), u64>,
    delivered: Vec<BTreeSet<u64>>,
    polluter: Option<usize>,
    mute: Option<usize>,
    stalls: u32,
    sent: u64,
    paid: u64,
    paid_to: Vec<PeerId>,
    log: Vec<(u64, usize, Output)>,
}

impl Net {
    fn new() -> Self {
        Self {
            looks: Looks::Drifting([1700, 300, 900]),
            behind: 3 * SEGMENT_MS,
            machines: (0..3).map(|n| Fetch::new(Config { me: id(n), ..config() })).collect(),
            queue: Table::new(),
            serial: 0,
            deadlines: Table::new(),
            delivered: vec_of_sets(),
            polluter: None,
            mute: None,
            stalls: 0,
            sent: 0,
            paid: 0,
            paid_to: Vec::new(),
            log: Vec::new(),
        }
    }

    fn push(&mut self, ms: u64, event: Event) {
        self.serial += 1;
        self.queue.insert((ms, self.serial), event);
    }

    fn run(&mut self, segments: u64) {
        for n in 0..3 {
            for other in (0..3).filter(|other| *other != n) {
                self.push(0, (n, Input::Joined(id(other))));
            }
            for (sequence, turn) in (1..=segments).zip(0..) {
                let look = match self.looks {
                    Looks::Drifting(looks) => looks[(n + turn) % 3],
                    Looks::Always(looks) => looks[n],
                };
                let known = sequence * SEGMENT_MS + look;
                let deadline = known + self.behind;
                self.deadlines.insert((n, sequence), deadline);
                self.push(known, (n, Input::Known(record(sequence))));
                self.push(known + 1, (n, want(sequence, deadline)));
            }
        }
        let end = (segments + 6) * SEGMENT_MS;
        let mut now = 0;
        while now <= end {
            let wake = |(n, m): (usize, &Fetch)| m.deadline().map(|at| (at.as_millis(), n));
            let tick = self.machines.iter().enumerate().filter_map(wake).min();
            let next = self.queue.keys().next().map(|(ms, _)| *ms);
            let (n, input) = match (tick, next) {
                (Some((ms, n)), next) if next.is_none_or(|next| ms < next) => {
                    now = ms;
                    (n, Input::Tick)
                }
                (_, Some(_)) => {
                    let ((ms, _), event) = self.queue.pop_first().unwrap();
                    now = ms;
                    event
                }
                (Some(_), None) | (None, None) => break,
            };
            self.step(now, n, input);
        }
    }

    fn step(&mut self, now: u64, n: usize, input: Input) {
        let is_tick = input == Input::Tick;
        let mut out = Vec::new();
        self.machines[n].handle(at(now), input, &mut out);
        if is_tick {
            let next = self.machines[n].deadline();
            assert!(next.is_none_or(|next| next > at(now)), "the deadline moves on");
        }
        for output in out {
            self.log.push((now, n, output.clone()));
            self.act(now, n, output);
        }
    }

    fn act(&mut self, now: u64, n: usize, output: Output) {
        match output {
            Output::Ask(to, chunk) => {
                let other = (0..3).find(|other| id(*other) == to).unwrap();
                assert!(self.machines[other].cache().has(chunk), "asked of one that has it");
                if self.mute != Some(other) {
                    let mut bytes = bytes_of(chunk);
                    if self.polluter == Some(other) {
                        bytes[0] ^= 1;
                    } else {
                        self.sent += 1;
                    }
                    let sent = PeerChunk { id: chunk, bytes };
                    self.push(now + 2 * LINK_MS, (n, Input::Chunk(to, sent)));
                }
            }
            Output::Http(order, range) => {
                let media = media(range.sequence);
                let (start, end) = range.range.unwrap_or((0, media.len()));
                let bytes = media[start..end].to_vec();
                self.push(now + ORIGIN_MS, (n, Input::Fetched(order, Body { start, bytes })));
            }
            Output::Announce(delta) => {
                for other in (0..3).filter(|other| *other != n) {
                    self.push(now + LINK_MS, (other, Input::HasNow(id(n), delta.clone())));
                }
            }
            Output::Deliver(sequence, bytes) => {
                assert_eq!(bytes, media(sequence));
                assert!(self.delivered[n].insert(sequence));
                self.stalls +=
                    u32::from(self.deadlines.get(&(n, sequence)).is_some_and(|by| now > *by));
            }
            Output::Earned(payee, _) => {
                self.paid += 1;
                self.paid_to.push(payee);
            }
            Output::Blame(..) | Output::Cancel(..) | Output::CancelHttp(_) => {}
            Output::Fail(..) | Output::BlameOrigin(..) => panic!("{output:?}"),
        }
    }
}

fn id(n: usize) -> PeerId {
    peer(u8::try_from(n).unwrap())
}

fn vec_of_sets() -> Vec<BTreeSet<u64>> {
    (0..3).map(|_| BTreeSet::new()).collect()
}
