//! What neighbours are told of what came.

use super::*;

#[test]
fn what_neighbours_send_of_one_segment_is_told_in_one_message_once_nothing_more_is_on_its_way() {
    let mut fetch = with_peers(1..=1, 2);
    let asked = asks(&feed(&mut fetch, 0, want(1, 6000)));
    assert_eq!(asked.len(), 4);
    let told: Vec<usize> = (20..)
        .zip(asked)
        .map(|(at, (from, id))| announced(&feed(&mut fetch, at, good(from, id))))
        .collect();
    assert_eq!(told, [0, 0, 0, 4]);
}

#[test]
fn what_came_does_not_wait_for_long_for_what_does_not() {
    let mut fetch = with_peers(1..=1, 2);
    let asked = asks(&feed(&mut fetch, 0, want(1, 60_000)));
    let (from, id) = asked[0];
    assert_eq!(announced(&feed(&mut fetch, 20, good(from, id))), 0);
    let until = Moment::from_millis(20).after(GATHER);
    assert_eq!(fetch.deadline(), Some(until));
    // Another chunk in between does not put it off.
    let (from, id) = asked[1];
    assert_eq!(announced(&feed(&mut fetch, 50, good(from, id))), 0);
    assert_eq!(announced(&feed(&mut fetch, 60, Input::Tick)), 2);
    assert!(fetch.deadline().is_none_or(|due| due > until), "what was told is not waited for");
}

#[test]
fn who_begins_to_fetch_says_so_at_once_and_with_it_what_came() {
    let mut fetch = with_peers(1..=1, 2);
    let asked = asks(&feed(&mut fetch, 0, want(1, 60_000)));
    let (from, id) = asked[0];
    assert_eq!(announced(&feed(&mut fetch, 20, good(from, id))), 0);
    // Both that have it go: the rest has to come from the origin.
    let mut out = feed(&mut fetch, 21, Input::Left(peer(1)));
    out.extend(feed(&mut fetch, 22, Input::Left(peer(2))));
    out.extend(feed(&mut fetch, 23, Input::Tick));
    assert!(!orders(&out).is_empty());
    assert!(out.iter().any(|o| matches!(o, Output::Announce(d) if d.fetching[..] == [1])));
    assert_eq!(announced(&out), 1);
}
