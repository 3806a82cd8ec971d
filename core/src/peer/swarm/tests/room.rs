//! For whom there is room, and for whom there is none.

use super::*;

#[test]
fn who_is_banned_again_is_kept_away_twice_as_long_until_that_is_forgotten() {
    const MINUTES: u64 = 60_000;
    let (mut swarm, mut now) = (linked(), 0);
    let is_dialled =
        |swarm: &mut Swarm, ms| !feed(swarm, ms, told(&met(1, 0))).iter().all(is_no_link);
    for minutes in [10, 20, 40, 80, 160, 320, 640, 640] {
        feed(&mut swarm, now, Input::Ban(id(1), FOUL));
        now += minutes * MINUTES;
        // It is asked of a copy: whoever is dialled is known from then on.
        assert!(!is_dialled(&mut swarm.clone(), now - 1), "{minutes}");
        assert!(is_dialled(&mut swarm.clone(), now), "{minutes}");
    }
    now += 640 * MINUTES;
    feed(&mut swarm, now - 1, Input::Tick);
    assert_eq!(swarm.banned.len(), 1);
    feed(&mut swarm, now, Input::Tick);
    feed(&mut swarm, now, Input::Ban(id(1), FOUL));
    assert!(is_dialled(&mut swarm, now + 10 * MINUTES), "it is the first ban again");
}

#[test]
fn who_has_no_room_says_so_and_the_dial_ends_at_once() {
    let mut full = joined(1, 0);
    let mut made = 0;
    for n in 3..9 {
        let out = feed(&mut full, 0, offer_of(n, 1));
        made += out.iter().filter(|output| !is_no_link(output)).count();
    }
    // One of its four links is for those whom it dials.
    assert_eq!(made, 3);
    let mut younger = joined(2, 1);
    feed(&mut younger, 0, told(&met(1, 0)));
    let offer = sent(&feed(&mut younger, 1, described(0, "offer")), 1);
    let answer = sent(&feed(&mut full, 2, offer), 0);
    assert_eq!(feed(&mut younger, 3, answer), [Output::CloseLink(LinkId(0))]);
    assert_eq!(feed(&mut younger, 19_999, Input::Tick), [], "it is not dialled again by itself");
    assert!(!feed(&mut younger, 20_000, told(&met(1, 0))).iter().all(is_no_link));
}

#[test]
fn many_keys_that_dial_one_listener_leave_it_links_to_those_whom_it_chooses() {
    let mut swarm = joined(1, 5);
    for n in 10..30 {
        feed(&mut swarm, 0, offer_of(n, 1));
    }
    let out = feed(&mut swarm, 1, told(&met(2, 3)));
    assert!(!out.iter().all(is_no_link), "{out:?}");
}

#[test]
fn a_banned_peer_is_cut_off_and_kept_away_for_ten_minutes() {
    let mut swarm = linked();
    let out = feed(&mut swarm, 0, Input::Ban(id(1), FOUL));
    assert_eq!(out, [Output::CloseLink(LinkId(0)), Output::Left(LinkId(0), id(1))]);
    assert!(feed(&mut swarm, 1, told(&met(1, 0))).is_empty());
    assert!(feed(&mut swarm, 2, offer_of(1, 2)).is_empty());
    assert!(feed(&mut swarm, 599_999, told(&met(1, 0))).iter().all(is_no_link));
    let left = Duration::from_millis(1);
    let shown = Banned { peer: id(1), code: FOUL, times: 1, left };
    assert_eq!(swarm.bans(at(599_999)).collect::<Vec<_>>(), [shown]);
    assert_eq!(swarm.bans(at(600_000)).count(), 0);
    let out = feed(&mut swarm, 600_000, Input::Tick);
    assert!(out.iter().all(is_no_link));
    let out = feed(&mut swarm, 600_001, told(&met(1, 0)));
    assert!(!out.iter().all(is_no_link));
}

#[test]
fn links_and_memory_are_bounded() {
    let mut swarm = joined(1, 1_000_000);
    let mut made = 0;
    for n in 0..400_u64 {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        let peer = PeerId(crate::crypto::PublicKey(bytes));
        let peers = Bounded::try_from(vec![Candidate { peer, rank: n }]).unwrap();
        let list = ToListener::Candidates(Candidates { stream: stream(), crowd: 2, peers });
        made += feed(&mut swarm, 0, told(&list)).len();
    }
    assert_eq!((made, swarm.links.len()), (1, 1));
    for n in 10..20 {
        feed(&mut swarm, 0, offer_of(n, 1));
    }
    assert_eq!(swarm.links.len(), 4);
    assert!(swarm.known.len() <= MAX_KNOWN);
    for n in 0..2000_u64 {
        let mut bytes = [1; 32];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        feed(&mut swarm, 0, Input::Ban(PeerId(crate::crypto::PublicKey(bytes)), FOUL));
    }
    assert_eq!(swarm.banned.len(), MAX_BANS);
}
