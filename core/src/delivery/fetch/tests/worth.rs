//! What neighbours are good for.

use super::*;

#[test]
fn useless_is_who_offers_and_brought_nothing_or_fails_again_and_again_whatever_others_do() {
    let mut fetch = knowing(1..=1);
    assert!(!fetch.is_useless(&peer(1)), "who is no neighbour is nothing");
    feed(&mut fetch, 0, Input::Joined(peer(1)));
    let claim = HaveDelta { fetching: vec![1].try_into().unwrap(), ..HaveDelta::default() };
    feed(&mut fetch, 0, Input::HasNow(peer(1), claim));
    assert!(fetch.is_useless(&peer(1)), "it only claims");
    feed(&mut fetch, 0, Input::Has(peer(1), all_of(1)));
    assert!(!fetch.is_useless(&peer(1)) && !fetch.is_asking(&peer(1)));
    let mut now = 0;
    for round in 0..MAX_MISSED {
        assert!(!fetch.is_useless(&peer(1)), "{round}");
        // Wanted anew, it is asked for again.
        feed(&mut fetch, now, Input::Unwant(1));
        now += 2000;
        let out = feed(&mut fetch, now, want(1, now + 60_000));
        let (_, id) = asks(&out)[0];
        assert!(fetch.is_asking(&peer(1)));
        let refused = Refused { id, reason: Refusal::Busy };
        feed(&mut fetch, now, Input::Refused(peer(1), refused));
        for (_, id) in asks(&out).into_iter().skip(1) {
            let refused = Refused { id, reason: Refusal::NotHere };
            feed(&mut fetch, now, Input::Refused(peer(1), refused));
        }
        feed(&mut fetch, now, Input::Has(peer(1), all_of(1)));
    }
    assert!(fetch.is_useless(&peer(1)));
}
