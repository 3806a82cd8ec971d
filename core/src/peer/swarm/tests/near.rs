//! What the tracker is told of how near neighbours are.

use super::*;
use crate::peer::tracker_wire::{MAX_NEARBY, Near, Nearby};

#[test]
fn the_nearest_neighbours_are_told_before_a_heartbeat_and_again_only_if_they_have_changed() {
    let mut swarm = linked();
    assert_eq!(feed(&mut swarm, 20_000, Input::Tick), [heartbeat()], "nothing was measured");
    assert_eq!(measure(&mut swarm, 20_100, 1, 40), []);
    assert_eq!(feed(&mut swarm, 40_000, Input::Tick), [near(&[(1, 6)]), heartbeat()]);
    for ms in [60_000, 80_000] {
        assert_eq!(feed(&mut swarm, ms, Input::Tick), [heartbeat()]);
    }
    measure(&mut swarm, 80_000, 1, 900);
    assert_eq!(feed(&mut swarm, 100_000, Input::Tick), [heartbeat()], "the shortest counts");
    measure(&mut swarm, 100_000, 1, 3);
    assert_eq!(feed(&mut swarm, 120_000, Input::Tick), [near(&[(1, 2)]), heartbeat()]);
    measure(&mut swarm, 120_000, 1, 1);
    for ms in [140_000, 160_000] {
        assert_eq!(feed(&mut swarm, ms, Input::Tick), [heartbeat()], "a minute has not passed");
    }
    assert_eq!(feed(&mut swarm, 180_000, Input::Tick), [near(&[(1, 0)]), heartbeat()]);
    feed(&mut swarm, 180_000, Input::LinkClosed(LinkId(0)));
    feed(&mut swarm, 200_000, Input::Tick);
    feed(&mut swarm, 220_000, Input::Tick);
    let out = feed(&mut swarm, 240_000, Input::Tick);
    assert!(out.contains(&near(&[])), "nobody is near any more: {out:?}");
}

#[test]
fn a_tracker_that_welcomes_us_anew_is_told_anew() {
    let mut swarm = linked();
    measure(&mut swarm, 0, 1, 10);
    assert_eq!(feed(&mut swarm, 20_000, Input::Tick), [near(&[(1, 4)]), heartbeat()]);
    feed(&mut swarm, 20_001, Input::TrackerClosed);
    feed(&mut swarm, 40_000, Input::Tick);
    feed(&mut swarm, 40_000, Input::TrackerOpened);
    feed(&mut swarm, 40_000, told(&ToListener::Welcome(stream(), 1)));
    assert_eq!(feed(&mut swarm, 60_000, Input::Tick), [near(&[(1, 4)]), heartbeat()]);
}

#[test]
fn of_many_the_nearest_are_told_and_of_strangers_nothing() {
    let mut swarm = Swarm::new(Config { max_links: 40, ..swarm(60).config });
    feed(&mut swarm, 0, Input::Start);
    feed(&mut swarm, 0, Input::TrackerOpened);
    feed(&mut swarm, 0, told(&ToListener::Welcome(stream(), 100)));
    for n in 1..=12 {
        feed(&mut swarm, 0, told(&met(n, n.into())));
        feed(&mut swarm, 0, Input::LinkOpened(LinkId(u64::from(n) - 1)));
        measure(&mut swarm, 0, n, 1 << (13 - n));
    }
    measure(&mut swarm, 0, 50, 1);
    assert_eq!(swarm.neighbours().count(), 12);
    let nearest: Vec<(u8, u8)> = (5..=12).rev().map(|n| (n, 13 - n)).collect();
    assert_eq!(nearest.len(), MAX_NEARBY);
    let out = feed(&mut swarm, 20_000, Input::Tick);
    assert!(out.contains(&near(&nearest)), "{out:?}");
}

fn measure(swarm: &mut Swarm, ms: u64, n: u8, took: u64) -> Vec<Output> {
    feed(swarm, ms, Input::Measured(id(n), Duration::from_millis(took)))
}

fn heartbeat() -> Output {
    Output::TrackerSend(ToTracker::Heartbeat.to_bytes())
}

fn near(peers: &[(u8, u8)]) -> Output {
    let nearby = peers.iter().map(|(n, doublings)| Nearby { doublings: *doublings, peer: id(*n) });
    let peers = Bounded::try_from(nearby.collect::<Vec<_>>()).unwrap();
    Output::TrackerSend(ToTracker::Near(Near { stream: stream(), peers }).to_bytes())
}
