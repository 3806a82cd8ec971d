//! The origin, and what is remembered.

use super::*;

#[test]
fn an_origin_that_fails_is_tried_again_and_then_the_player_is_told() {
    let mut fetch = knowing(1..=1);
    let mut out = feed(&mut fetch, 0, want(1, 5000));
    let mut now = 0;
    for _ in 0..MAX_ATTEMPTS {
        let (order, _) = orders(&out)[0];
        out = feed(&mut fetch, now, Input::FetchFailed(order));
        if let Some(next) = fetch.deadline() {
            now = next.as_millis();
            assert!(orders(&feed(&mut fetch, now - 1, Input::Tick)).is_empty());
            out = feed(&mut fetch, now, Input::Tick);
        }
    }
    assert_eq!(out, [Output::Fail(1, FetchError::OriginFailed)]);
    let out = feed(&mut fetch, now + 5000, want(1, now + 9000));
    assert_eq!(orders(&out).len(), 1);
}

#[test]
fn an_http_request_without_end_is_aborted_at_its_patience() {
    let mut fetch = knowing(1..=1);
    feed(&mut fetch, 0, want(1, 5000));
    assert!(feed(&mut fetch, 7999, Input::Tick).is_empty());
    let out = feed(&mut fetch, 8000, Input::Tick);
    assert_eq!(out[0], Output::CancelHttp(OrderId(0)));
}

#[test]
fn altered_bytes_from_the_origin_are_not_played() {
    let mut fetch = knowing(1..=1);
    feed(&mut fetch, 0, want(1, 5000));
    let mut bytes = media(1);
    bytes[CHUNK] ^= 1;
    let out = feed(&mut fetch, 10, Input::Fetched(OrderId(0), Body { start: 0, bytes }));
    let id = ChunkId { sequence: 1, index: 1 };
    assert!(out.contains(&Output::BlameOrigin(id, ChunkError::WrongBytes)));
    assert!(!out.iter().any(|o| matches!(o, Output::Deliver(..))));
    let out = feed(&mut fetch, 260, Input::Tick);
    assert_eq!(orders(&out)[0].1.range, Some((CHUNK, 2 * CHUNK)), "only the bad chunk again");
}

#[test]
fn what_cannot_be_had_is_refused_by_kind() {
    let mut fetch = knowing(1..=40);
    assert_eq!(feed(&mut fetch, 0, want(99, 1)), [Output::Fail(99, FetchError::Unknown)]);
    for n in 1..=32 {
        feed(&mut fetch, 0, want(n, 5000));
    }
    assert_eq!(feed(&mut fetch, 0, want(33, 1)), [Output::Fail(33, FetchError::TooMany)]);
    let mut small = Fetch::new(Config { cache_limit: CHUNK, ..config() });
    feed(&mut small, 0, Input::Known(record(1)));
    assert_eq!(feed(&mut small, 0, want(1, 5000)), [Output::Fail(1, FetchError::TooLarge)]);
}

#[test]
fn no_more_http_requests_than_the_limit_are_in_flight() {
    let mut fetch = knowing(1..=20);
    let mut open = 0;
    for n in 1..=20 {
        open += orders(&feed(&mut fetch, 0, want(n, 5000))).len();
    }
    assert_eq!(open, MAX_ORDERS);
    let out = feed(&mut fetch, 9, Input::Fetched(OrderId(0), Body { start: 0, bytes: media(1) }));
    assert_eq!(orders(&out).len(), 1);
}

#[test]
fn a_publisher_that_starts_anew_replaces_what_was_cached() {
    let mut fetch = knowing(1..=1);
    feed(&mut fetch, 0, want(1, 5000));
    feed(&mut fetch, 0, Input::Fetched(OrderId(0), Body { start: 0, bytes: media(1) }));
    let anew = Record::of(StreamId::default(), 1, &media(77)).unwrap();
    let out = feed(&mut fetch, 10, Input::Known(anew));
    assert!(out.iter().any(|o| matches!(o, Output::Announce(d) if d.removed[..] == [1])));
    let out = feed(&mut fetch, 20, want(1, 5000));
    assert_eq!(orders(&out).len(), 1);
}

#[test]
fn who_has_not_read_that_a_publisher_starts_anew_is_not_asked_nor_blamed_for_what_it_had() {
    let mut fetch = with_peers(1..=1, 1);
    let out = feed(&mut fetch, 0, want(1, 60_000));
    let (behind, asked) = asks(&out)[0];
    let anew = Record::of(StreamId::default(), 1, &media(77)).unwrap();
    let out = feed(&mut fetch, 10, Input::Known(anew));
    assert!(out.contains(&Output::Cancel(behind, asked)));
    assert_eq!(asks(&out), []);
    let out = feed(&mut fetch, 20, good(behind, asked));
    assert!(!out.iter().any(|output| matches!(output, Output::Blame(..))), "{out:?}");
    let out = feed(&mut fetch, 30, Input::Has(behind, all_of(1)));
    assert!(!asks(&out).is_empty(), "now it has read of it");
}

#[test]
fn what_is_past_the_end_of_a_list_is_of_before_and_is_not_fetched_ahead_of_the_player() {
    let mut fetch = with_peers(1..=4, 1);
    feed(&mut fetch, 0, listed(4));
    feed(&mut fetch, 0, want(1, 60_000));
    let ahead = |fetch: &Fetch| fetch.active.keys().copied().collect::<Vec<_>>();
    assert_eq!(ahead(&fetch), [1, 2, 3, 4]);
    feed(&mut fetch, 10, listed(2));
    assert_eq!(ahead(&fetch), [1, 2]);
    feed(&mut fetch, 20, listed(3));
    assert_eq!(ahead(&fetch), [1, 2, 3]);
    let other = rendition::sequence(1, 0).unwrap();
    feed(&mut fetch, 30, listed(other));
    assert_eq!(ahead(&fetch), [1, 2, 3, 4], "a list of another rendition says nothing of this one");
}

#[test]
fn where_a_publisher_counts_anew_nobody_is_asked_for_what_was_announced_before() {
    let anew = || Input::Known(Record::of(StreamId::default(), 1, &media(77)).unwrap());
    let recount = Input::Listed { end: 3, is_anew: true };
    let cases = [
        (vec![listed(9)], true, "a list that goes on"),
        (vec![listed(1)], true, "an old list"),
        (vec![recount], false, "a list that counts anew"),
        (vec![listed(1), anew()], false, "another segment under a known number"),
    ];
    for (said, is_asked, why) in cases {
        let mut fetch = knowing(1..=1);
        feed(&mut fetch, 0, Input::Joined(peer(1)));
        feed(&mut fetch, 0, Input::Has(peer(1), all_of(2)));
        feed(&mut fetch, 0, listed(8));
        for input in said {
            feed(&mut fetch, 10, input);
        }
        feed(&mut fetch, 10, Input::Known(record(2)));
        let out = feed(&mut fetch, 10, want(2, 60_000));
        assert_eq!(!asks(&out).is_empty(), is_asked, "{why}");
        let out = feed(&mut fetch, 20, Input::Has(peer(1), all_of(2)));
        assert_eq!(!asks(&out).is_empty(), !is_asked, "{why}, and it is said after that was read");
    }
}

#[test]
fn what_a_publisher_that_counts_anew_has_yet_to_reach_is_given_up_and_what_is_announced_of_it_stays()
 {
    let mut fetch = knowing(1..=3);
    feed(&mut fetch, 0, want(3, 5000));
    feed(&mut fetch, 0, Input::Fetched(OrderId(0), Body { start: 0, bytes: media(3) }));
    feed(&mut fetch, 0, Input::Joined(peer(1)));
    let out = feed(&mut fetch, 10, Input::Listed { end: 2, is_anew: true });
    assert!(out.iter().any(|o| matches!(o, Output::Announce(d) if d.removed[..] == [3])));
    assert!(!fetch.knows(3) && fetch.knows(2));
    assert_eq!(fetch.cache().used(), 0, "no neighbour is sent what was signed before");
    feed(&mut fetch, 20, Input::Has(peer(1), all_of(3)));
    feed(&mut fetch, 30, listed(3));
    feed(&mut fetch, 30, Input::Known(Record::of(StreamId::default(), 3, &media(77)).unwrap()));
    let out = feed(&mut fetch, 30, want(3, 60_000));
    assert_eq!(asks(&out).len(), 4, "who read of it first is asked");
}

#[test]
fn chunks_that_are_on_their_way_when_another_segment_takes_their_place_are_no_flood() {
    let mut fetch = with_peers(1..=1, 1);
    let mut asked = asks(&feed(&mut fetch, 0, want(1, 60_000)));
    let records = (77..).map(|anew| Record::of(StreamId::default(), 1, &media(anew)).unwrap());
    // It is drawn before us, so that nobody asks the origin.
    let lot = |record: &Record, of| Salt::of(record).lot(of);
    let drawn = records.filter(|record| lot(record, peer(1)) < lot(record, ME));
    for record in drawn.take(4) {
        assert_eq!(asked.len(), 4);
        feed(&mut fetch, 10, Input::Known(record));
        for (from, id) in asked {
            assert_eq!(feed(&mut fetch, 20, good(from, id)), []);
        }
        asked = asks(&feed(&mut fetch, 30, Input::Has(peer(1), all_of(1))));
    }
}

#[test]
fn the_newest_claims_are_remembered_though_numbers_begin_anew() {
    let mut fetch = with_peers(1..=1, 1);
    let fetching = |sequence| HaveDelta {
        fetching: vec![sequence].try_into().unwrap(),
        ..HaveDelta::default()
    };
    for sequence in 985..=1000 {
        feed(&mut fetch, sequence, Input::HasNow(peer(1), fetching(sequence)));
    }
    feed(&mut fetch, 2000, Input::HasNow(peer(1), fetching(5)));
    let claims = &fetch.peers.get(&peer(1)).unwrap().claims;
    assert_eq!(
        (claims.len(), claims.contains_key(&5), claims.contains_key(&985)),
        (16, true, false)
    );
}

/// A playlist that ends so, and goes on with what was listed before.
const fn listed(end: u64) -> Input {
    Input::Listed { end, is_anew: false }
}

#[test]
fn records_are_bounded_and_numbers_may_begin_anew() {
    let mut fetch = Fetch::new(config());
    let template = record(1);
    for sequence in 10_000..15_000 {
        feed(&mut fetch, 0, Input::Known(Record { sequence, ..template.clone() }));
    }
    assert_eq!(fetch.known.len(), MAX_KNOWN);
    assert!(fetch.knows(14_999) && !fetch.knows(10_000));
    feed(&mut fetch, 0, Input::Known(record(0)));
    feed(&mut fetch, 0, Input::Known(record(1)));
    assert!(fetch.knows(0) && fetch.knows(1) && !fetch.knows(14_999));
    assert_eq!(orders(&feed(&mut fetch, 0, want(1, 5000))).len(), 1);
}

#[test]
fn what_no_record_vouches_for_any_more_is_not_kept() {
    let mut fetch = knowing(1..=1);
    let (order, _) = orders(&feed(&mut fetch, 0, want(1, 5000)))[0];
    feed(&mut fetch, 0, Input::Fetched(order, Body { start: 0, bytes: media(1) }));
    let first = ChunkId { sequence: 1, index: 0 };
    assert!(fetch.cache().has(first));
    for sequence in 10_000..10_000 + MAX_KNOWN as u64 {
        feed(&mut fetch, 0, Input::Known(Record { sequence, ..record(1) }));
    }
    assert!(!fetch.knows(1) && !fetch.cache().has(first));
    // The publisher counts anew: the segment that stands there now is fetched, not what was kept under its number.
    feed(&mut fetch, 0, Input::Known(record(1)));
    assert_eq!(orders(&feed(&mut fetch, 0, want(1, 5000))).len(), 1);
}

#[test]
fn a_neighbour_that_is_asked_again_while_its_answer_is_on_the_way_is_no_flood() {
    let mut fetch = with_peers(1..=1, 1);
    let asked = asks(&feed(&mut fetch, 0, want(1, 800)));
    let mut answers: Vec<ChunkId> = asked.iter().map(|(_, id)| *id).collect();
    // The origin is asked in the end, fails at once, and the neighbour is asked again: time after time.
    let (mut now, mut again) = (0, 0);
    while again < 12 && now < 1900 {
        now += 10;
        let out = feed(&mut fetch, now, Input::Tick);
        for (order, _) in orders(&out) {
            let out = feed(&mut fetch, now, Input::FetchFailed(order));
            answers.extend(asks(&out).iter().map(|(_, id)| *id));
            again += asks(&out).len();
        }
    }
    assert!(again >= 8, "{again}");
    let mut said = Vec::new();
    for id in answers {
        said.extend(feed(&mut fetch, now, good(peer(1), id)));
    }
    assert!(!said.iter().any(|output| matches!(output, Output::Blame(..))), "{said:?}");
    assert!(said.iter().any(|output| matches!(output, Output::Deliver(1, _))), "{said:?}");
}

#[test]
fn a_new_neighbour_is_told_what_is_near_the_player() {
    let mut fetch = Fetch::new(Config { cache_limit: 200 * LENGTH, ..config() });
    for n in (1000..1070).chain(0..5) {
        feed(&mut fetch, 0, Input::Known(record(n)));
        let (order, _) = orders(&feed(&mut fetch, 0, want(n, 5000)))[0];
        feed(&mut fetch, 0, Input::Fetched(order, Body { start: 0, bytes: media(n) }));
    }
    let told: Vec<u64> = fetch.holdings().iter().map(|segment| segment.sequence).collect();
    assert_eq!(told.len(), have::MAX_NAMED_SEGMENTS);
    assert!(told.starts_with(&[0, 1, 2, 3, 4, 1000]));
}
