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
    feed(&mut fetch, 0, Input::Listed(4));
    feed(&mut fetch, 0, want(1, 60_000));
    let ahead = |fetch: &Fetch| fetch.active.keys().copied().collect::<Vec<_>>();
    assert_eq!(ahead(&fetch), [1, 2, 3, 4]);
    feed(&mut fetch, 10, Input::Listed(2));
    assert_eq!(ahead(&fetch), [1, 2]);
    feed(&mut fetch, 20, Input::Listed(3));
    assert_eq!(ahead(&fetch), [1, 2, 3]);
}

#[test]
fn where_a_publisher_counts_anew_nobody_is_asked_for_what_was_announced_before() {
    let anew = || Input::Known(Record::of(StreamId::default(), 1, &media(77)).unwrap());
    let cases = [
        (vec![Input::Listed(9)], true, "a list that goes on"),
        (vec![Input::Listed(1)], true, "an old list"),
        (vec![Input::Listed(3)], false, "a list that ends early with a number that is new"),
        (vec![Input::Listed(1), anew()], false, "another segment under a known number"),
    ];
    for (said, is_asked, why) in cases {
        let mut fetch = knowing(1..=1);
        feed(&mut fetch, 0, Input::Joined(peer(1)));
        feed(&mut fetch, 0, Input::Has(peer(1), all_of(2)));
        feed(&mut fetch, 0, Input::Listed(8));
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
