//! Who is asked first, when, and for how long.

use super::*;

#[test]
fn a_key_that_comes_first_in_the_order_of_keys_is_asked_no_more_often_than_any_other() {
    let (lowest, mut asked) = (PeerId(PublicKey([0; 32])), 0_u32);
    for sequence in 1..=400 {
        let mut fetch = knowing(sequence..=sequence);
        for other in [lowest, peer(1), peer(2), peer(3)] {
            feed(&mut fetch, 0, Input::Joined(other));
            feed(&mut fetch, 0, Input::Has(other, all_of(sequence)));
        }
        let out = feed(&mut fetch, 0, want(sequence, 60_000));
        asked += u32::from(asks(&out)[0].0 == lowest);
    }
    // A hundred of four hundred, standard deviation nine.
    assert!((70..=130).contains(&asked), "{asked}");
}

#[test]
fn where_many_pollute_who_brought_nothing_yet_is_asked_later_and_tried_less() {
    let (good_one, strange) = (peer(1), peer(2));
    let offered = |distrust, sequence| {
        let mut fetch = knowing(sequence..=sequence);
        for other in [good_one, strange] {
            feed(&mut fetch, 0, Input::Joined(other));
        }
        fetch.peers.get_mut(&good_one).unwrap().received = 1;
        fetch.distrust = distrust;
        feed(&mut fetch, 0, Input::HasNow(strange, have_all(sequence)));
        (feed(&mut fetch, 0, want(sequence, 60_000)), fetch)
    };
    assert_eq!(asks(&offered(0, 1).0)[0].0, strange);
    let (out, mut fetch) = offered(2, 1);
    assert_eq!(asks(&out), []);
    assert_eq!(asks(&feed(&mut fetch, 699, Input::Tick)), []);
    assert_eq!(asks(&feed(&mut fetch, 700, Input::Tick))[0].0, strange);
    // The trial of every eighth segment goes on, of every sixteenth from here.
    assert_eq!(asks(&offered(1, 8).0)[0].0, strange);
    assert_eq!(asks(&offered(2, 8).0), []);
    assert_eq!(asks(&offered(2, 16).0)[0].0, strange);
}

#[test]
fn a_bad_chunk_makes_distrust_and_the_first_good_one_of_a_peer_unmakes_it() {
    let mut fetch = with_peers(1..=1, 4);
    let out = feed(&mut fetch, 0, want(1, 60_000));
    let (liar, id) = asks(&out)[0];
    let (honest, other) = asks(&out)[1];
    feed(&mut fetch, 10, Input::Chunk(liar, PeerChunk { id, bytes: vec![0; CHUNK] }));
    assert_eq!(fetch.distrust, 1);
    feed(&mut fetch, 20, good(honest, other));
    assert_eq!(fetch.distrust, 0);
    fetch.distrust = plan::MAX_DISTRUST;
    let (liar, id) = asks(&out)[2];
    feed(&mut fetch, 30, Input::Chunk(liar, PeerChunk { id, bytes: vec![0; CHUNK] }));
    assert_eq!(fetch.distrust, plan::MAX_DISTRUST);
}

#[test]
fn whoever_is_slow_as_usual_is_given_twice_its_usual_time() {
    let mut fetch = with_peers(1..=1, 2);
    let one = peer(1);
    for other in [one, peer(2)] {
        let neighbour = fetch.peers.get_mut(&other).unwrap();
        (neighbour.received, neighbour.latency) = (1, Duration::from_millis(600));
    }
    feed(&mut fetch, 0, want(1, 60_000));
    assert_eq!(asks(&feed(&mut fetch, 1199, Input::Tick)), []);
    assert!(!asks(&feed(&mut fetch, 1200, Input::Tick)).is_empty());
    let neighbour = fetch.peers.get_mut(&one).unwrap();
    neighbour.latency = Duration::from_millis(9000);
    assert_eq!(neighbour.patience(), LOST_PATIENCE);
}

#[test]
fn who_is_too_slow_is_known_to_be_though_its_chunks_were_taken_back() {
    let mut fetch = with_peers(1..=1, 2);
    let out = feed(&mut fetch, 0, want(1, 60_000));
    let (slow, id) = asks(&out)[0];
    let out = feed(&mut fetch, 500, Input::Tick);
    assert!(out.contains(&Output::Cancel(slow, id)), "{out:?}");
    let before = fetch.peers.get(&slow).unwrap().latency;
    feed(&mut fetch, 1900, good(slow, id));
    let neighbour = fetch.peers.get(&slow).unwrap();
    assert_eq!(neighbour.latency, (before * 7 + Duration::from_millis(1900)) / 8);
    assert_eq!((neighbour.received, neighbour.unasked), (1, 0));
}

#[test]
fn who_brought_something_is_asked_first_and_least_of_it_first_but_for_one_trial_in_eight_segments()
{
    let mut fetch = knowing(1..=8);
    let peers = [1, 2, 3].map(peer);
    for other in peers {
        feed(&mut fetch, 0, Input::Joined(other));
        for sequence in 1..=8 {
            feed(&mut fetch, 0, Input::HasNow(other, have_all(sequence)));
        }
    }
    // The third has brought nothing, the second less than the first.
    for (other, received) in peers.into_iter().zip([5, 2, 0]) {
        fetch.peers.get_mut(&other).unwrap().received = received;
    }
    for (sequence, expected) in [(1, peer(2)), (8, peer(3))] {
        let out = feed(&mut fetch.clone(), 10, want(sequence, 60_000));
        let first = ChunkId { sequence, index: 0 };
        assert!(asks(&out).contains(&(expected, first)), "{out:?}");
    }
}
