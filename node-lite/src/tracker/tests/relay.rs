//! What is relayed, for whom, and how much.

use super::*;
use crate::tracker::relay::REFUSALS;

#[test]
fn what_is_relayed_reaches_members_of_the_same_swarm_only_under_its_senders_name() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    world.enter(2, 2, STREAM);
    world.enter(3, 3, OTHER);
    let relayed = Relayed { stream: STREAM, from: id(2), parcel: vec![7; 3].try_into().unwrap() };
    assert_eq!(world.say(2, &relay(1, STREAM, 3)), [(1, ToListener::Relayed(relayed))]);
    // To another swarm, from another swarm, to oneself, to nobody.
    for (from, to, stream) in [(2, 3, STREAM), (3, 1, STREAM), (2, 2, STREAM), (2, 9, STREAM)] {
        let refused = ToListener::Refused(TrackerRefusal::NoSuchPeer);
        assert_eq!(world.say(from, &relay(to, stream, 3)), [(from, refused)]);
    }
}

#[test]
fn a_listener_relays_no_more_bytes_than_the_operator_allows() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    world.enter(2, 2, STREAM);
    // This tracker relays 2048 bytes a second, 32768 at once.
    let handed = |world: &mut World, length| {
        let parcel = relay(1, STREAM, length);
        (0..20).filter(|_| world.say(2, &parcel).iter().any(|(to, _)| *to == 1)).count()
    };
    assert_eq!(handed(&mut world, 2_048), 0, "a new connection has one second's worth");
    assert_eq!(handed(&mut world, 1), 4, "a relay is never counted as less than 512");
    beat_both(&mut world, 20_000);
    assert_eq!(handed(&mut world, 10_000), 3);
    assert_eq!(world.tracker.load().0, 2);
}

#[test]
fn relays_that_are_refused_are_no_fault_of_an_honest_sender_but_of_who_goes_on() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    world.enter(2, 2, STREAM);
    let mut refused = 0;
    // Three times what is allowed, for minutes, to who is there and to who is gone.
    for second in 1..=120 {
        if second % 20 == 0 {
            beat_both(&mut world, second * 1000);
        }
        world.feed(second * 1000, Input::Tick);
        for to in [1, 9, 1, 9, 1, 9, 1, 9, 1, 9, 1, 9] {
            let said = world.say(2, &relay(to, STREAM, 500));
            refused += said.iter().filter(|(to, _)| *to == 2).count();
        }
    }
    assert!(refused > 120 * 8, "{refused}");
    assert_eq!(world.tracker.load().0, 2, "it is refused, and stays");
    let mut flood = 0;
    while world.tracker.load().0 == 2 {
        world.say(2, &relay(9, STREAM, 500));
        flood += 1;
    }
    assert!(flood > 100 && flood <= REFUSALS.burst + MAX_FAULTS, "{flood}");
}

/// Both connections show at this time that they are there.
fn beat_both(world: &mut World, at: u64) {
    for conn in [1, 2] {
        world.feed(at, Input::Message(Connection(conn), ToTracker::Heartbeat.to_bytes()));
    }
}
