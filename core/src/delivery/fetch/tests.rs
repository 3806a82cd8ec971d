use super::*;
use crate::{
    crypto::PublicKey,
    delivery::{
        chunk::{CHUNK, ChunkError},
        schedule::Salt,
        serve::Refusal,
    },
    id::StreamId,
};
use alloc::{vec, vec::Vec};

mod choice;
mod news;
mod origin;
mod renditions;
mod worth;

const LENGTH: usize = 3 * CHUNK + 100;
/// We; peers 1 and 2 are drawn before us for segment 1.
const ME: PeerId = PeerId(PublicKey([247; 32]));

#[test]
fn without_peers_the_whole_segment_comes_from_the_origin_at_once() {
    let mut fetch = knowing(1..=1);
    let out = feed(&mut fetch, 0, want(1, 5000));
    let http = HttpRange { sequence: 1, range: None, length: LENGTH };
    assert_eq!(orders(&out), [(OrderId(0), http)]);
    let body = Body { start: 0, bytes: media(1) };
    let out = feed(&mut fetch, 50, Input::Fetched(OrderId(0), body));
    assert!(out.contains(&Output::Deliver(1, media(1))));
    assert_eq!(announced(&out), 4);
    assert_eq!(fetch.stats().from_origin, LENGTH as u64);
    assert_eq!(fetch.deadline(), None);
    let again = feed(&mut fetch, 60, want(1, 5000));
    assert_eq!(again, [Output::Deliver(1, media(1))]);
}

#[test]
fn a_segment_that_peers_have_comes_from_them_and_each_is_paid_once() {
    let mut fetch = knowing(1..=1);
    for n in [1, 2] {
        feed(&mut fetch, 0, Input::Joined(peer(n)));
        feed(&mut fetch, 0, Input::Has(peer(n), all_of(1)));
    }
    let out = feed(&mut fetch, 0, want(1, 6000));
    let asks = asks(&out);
    assert_eq!(asks.iter().filter(|(to, _)| *to == peer(1)).count(), 2, "both are asked");
    assert_eq!(asks.len(), 4);
    assert!(orders(&out).is_empty());
    let mut seen = Vec::new();
    for (from, id) in asks {
        seen.extend(feed(&mut fetch, 20, good(from, id)));
    }
    assert!(seen.contains(&Output::Deliver(1, media(1))));
    assert_eq!(seen.iter().filter(|o| matches!(o, Output::Earned(..))).count(), 4);
    assert_eq!(fetch.stats().from_peers, LENGTH as u64);
}

#[test]
fn a_peer_that_brought_enough_is_known_by_its_time_from_ask_to_chunk() {
    let mut fetch = with_peers(1..=8, 1);
    for sequence in 1..=8 {
        let received = fetch.peers.get(&peer(1)).unwrap().received;
        assert_eq!(fetch.latency(&peer(1)).is_some(), received >= MEASURED, "{received}");
        // What is near the player may be asked for before it is wanted.
        let mut asked = asks(&feed(&mut fetch, 0, Input::Has(peer(1), all_of(sequence))));
        asked.extend(asks(&feed(&mut fetch, 0, want(sequence, 6000))));
        while let Some((from, id)) = asked.pop() {
            asked.extend(asks(&feed(&mut fetch, 20, good(from, id))));
        }
    }
    let told = fetch.latency(&peer(1)).unwrap();
    assert!((Duration::from_millis(20)..PEER_PATIENCE / 4).contains(&told), "{told:?}");
}

#[test]
fn a_peer_that_sends_one_bad_chunk_is_gone_and_the_chunk_comes_from_another() {
    let mut fetch = with_peers(1..=1, 2);
    let out = feed(&mut fetch, 0, want(1, 6000));
    let (liar, id) = asks(&out)[0];
    let mut bytes = bytes_of(id);
    bytes[5] ^= 1;
    let out = feed(&mut fetch, 10, Input::Chunk(liar, PeerChunk { id, bytes }));
    assert_eq!(out[0], Output::Blame(liar, Fault::BadChunk(id, ChunkError::WrongBytes)));
    assert!(asks(&out).iter().all(|(to, _)| *to != liar));
    assert!(asks(&out).iter().any(|(_, asked)| *asked == id));
    assert!(!fetch.cache().has(id));
    assert!(!out.iter().any(|o| matches!(o, Output::Earned(..) | Output::Announce(_))));
    assert!(feed(&mut fetch, 20, good(liar, id)).is_empty(), "it is not listened to again");
    assert!(!fetch.cache().has(id));
}

#[test]
fn a_late_bad_chunk_is_blamed_too() {
    let mut fetch = with_peers(1..=1, 2);
    let out = feed(&mut fetch, 0, want(1, 60_000));
    let (slow, id) = asks(&out)[0];
    feed(&mut fetch, 500, Input::Tick);
    let bytes = vec![0; CHUNK];
    let out = feed(&mut fetch, 510, Input::Chunk(slow, PeerChunk { id, bytes }));
    assert_eq!(out[0], Output::Blame(slow, Fault::BadChunk(id, ChunkError::WrongBytes)));
}

#[test]
fn a_stalled_chunk_is_asked_of_another_at_its_patience_and_not_before() {
    let mut fetch = with_peers(1..=1, 2);
    let out = feed(&mut fetch, 0, want(1, 60_000));
    let (stalled, id) = asks(&out)[0];
    assert_eq!(fetch.deadline(), Some(at(500)));
    assert!(feed(&mut fetch, 499, Input::Tick).is_empty());
    let out = feed(&mut fetch, 500, Input::Tick);
    assert!(out.contains(&Output::Cancel(stalled, id)));
    assert!(asks(&out).iter().any(|(to, asked)| *to != stalled && *asked == id));
    assert!(fetch.deadline() > Some(at(500)));
}

#[test]
fn a_chunk_that_comes_after_its_cancel_counts_if_it_is_the_first_and_is_late_if_not() {
    let mut fetch = with_peers(1..=1, 2);
    let out = feed(&mut fetch, 0, want(1, 60_000));
    let (slow, id) = asks(&out)[0];
    let out = feed(&mut fetch, 500, Input::Tick);
    let (other, _) = *asks(&out).iter().find(|(_, asked)| *asked == id).unwrap();
    let out = feed(&mut fetch, 510, good(slow, id));
    assert!(out.contains(&Output::Earned(slow, id)));
    assert!(out.contains(&Output::Cancel(other, id)));
    let out = feed(&mut fetch, 520, good(other, id));
    assert!(!out.contains(&Output::Earned(other, id)));
    assert_eq!(fetch.stats().late, 1);
}

#[test]
fn the_hedge_orders_exactly_what_is_missing_at_the_last_safe_moment() {
    let mut fetch = with_peers(1..=1, 1);
    let out = feed(&mut fetch, 0, want(1, 3000));
    let (from, first) = asks(&out)[0];
    feed(&mut fetch, 10, good(from, first));
    // Nothing was measured yet, so HTTP counts as 1000 ms, and 500 ms are the player's: the last safe moment is 1500.
    let before = feed(&mut fetch, 1499, Input::Tick);
    assert!(orders(&before).is_empty());
    let out = feed(&mut fetch, 1500, Input::Tick);
    let range = Some((CHUNK, LENGTH));
    let http = HttpRange { sequence: 1, range, length: LENGTH - CHUNK };
    assert_eq!(orders(&out), [(OrderId(0), http)]);
    assert_eq!(fetch.stats().hedged, 3);
    let body = Body { start: CHUNK, bytes: media(1)[CHUNK..].to_vec() };
    let out = feed(&mut fetch, 2050, Input::Fetched(OrderId(0), body));
    assert!(out.contains(&Output::Deliver(1, media(1))));
}

#[test]
fn an_origin_that_ignores_ranges_is_understood() {
    let mut fetch = with_peers(1..=1, 1);
    let out = feed(&mut fetch, 0, want(1, 3000));
    let (from, first) = asks(&out)[0];
    feed(&mut fetch, 10, good(from, first));
    feed(&mut fetch, 2000, Input::Tick);
    let whole = Body { start: 0, bytes: media(1) };
    let out = feed(&mut fetch, 2050, Input::Fetched(OrderId(0), whole));
    assert!(out.contains(&Output::Deliver(1, media(1))));
}

#[test]
fn a_late_joiner_gives_peers_that_have_everything_a_chance() {
    let mut fetch = with_peers(1..=1, 1);
    let out = feed(&mut fetch, 0, want(1, 0));
    assert_eq!((asks(&out).len(), orders(&out).len()), (4, 0));
    assert!(orders(&feed(&mut fetch, 499, Input::Tick)).is_empty());
    assert_eq!(orders(&feed(&mut fetch, 500, Input::Tick)).len(), 1);
}

#[test]
fn the_winner_of_the_draw_fetches_ahead_at_once_and_the_second_after_a_look_and_its_wait() {
    for (is_before, turn) in [(false, 0), (true, 2700)] {
        let mut fetch = knowing(1..=1);
        feed(&mut fetch, 0, want(1, 9000));
        feed(&mut fetch, 0, Input::Fetched(OrderId(0), Body { start: 0, bytes: media(1) }));
        meet(&mut fetch, drawn(2..=2, is_before));
        let out = feed(&mut fetch, 100, Input::Known(record(2)));
        if turn > 0 {
            assert!(orders(&out).is_empty());
            assert!(orders(&feed(&mut fetch, 99 + turn, Input::Tick)).is_empty());
        }
        let out = if turn > 0 { feed(&mut fetch, 100 + turn, Input::Tick) } else { out };
        assert_eq!(orders(&out).len(), 1);
        assert!(out.iter().any(|o| matches!(o, Output::Announce(d) if d.fetching[..] == [2])));
    }
}

#[test]
fn a_claim_to_fetch_buys_one_target_duration_and_cannot_be_chained() {
    let mut fetch = knowing(1..=2);
    let (first, last) = (drawn(1..=1, true), drawn(1..=1, false));
    meet(&mut fetch, first);
    meet(&mut fetch, last);
    feed(&mut fetch, 0, want(1, 60_000));
    feed(&mut fetch, 1000, Input::HasNow(first, claim(1)));
    feed(&mut fetch, 2000, Input::HasNow(last, claim(1)));
    assert!(orders(&feed(&mut fetch, 2999, Input::Tick)).is_empty());
    assert!(!orders(&feed(&mut fetch, 3000, Input::Tick)).is_empty());
}

#[test]
fn a_tracker_that_lies_about_the_crowd_makes_nobody_miss_a_deadline() {
    let mut fetch = knowing(1..=1);
    meet(&mut fetch, drawn(1..=1, false));
    feed(&mut fetch, 0, Input::Crowd(u64::MAX));
    assert!(orders(&feed(&mut fetch, 0, want(1, 5000))).is_empty());
    assert!(orders(&feed(&mut fetch, 3499, Input::Tick)).is_empty());
    assert_eq!(orders(&feed(&mut fetch, 3500, Input::Tick)).len(), 1, "the last safe moment");
}

#[test]
fn who_never_announced_anything_keeps_nobody_from_fetching_by_winning_or_by_claiming() {
    let mut fetch = knowing(1..=1);
    meet(&mut fetch, drawn(1..=1, false));
    let silent = drawn(1..=1, true);
    feed(&mut fetch, 0, Input::Joined(silent));
    feed(&mut fetch, 0, Input::HasNow(silent, claim(1)));
    assert_eq!(orders(&feed(&mut fetch, 10, want(1, 60_000))).len(), 1);
}

#[test]
fn a_winner_that_never_announces_is_passed_over_and_comes_back_when_it_does() {
    let mut fetch = knowing(1..=1);
    let winner = drawn(1..=4, true);
    meet(&mut fetch, winner);
    for n in 1..=2 {
        let start = n * 10_000;
        feed(&mut fetch, start, Input::Known(record(n)));
        feed(&mut fetch, start, want(n, start + 60_000));
        let out = feed(&mut fetch, start + 2700, Input::Tick);
        let (order, _) = orders(&out)[0];
        let body = Body { start: 0, bytes: media(n) };
        feed(&mut fetch, start + 2800, Input::Fetched(order, body));
    }
    let out = feed(&mut fetch, 30_000, Input::Known(record(3)));
    let out = [out, feed(&mut fetch, 30_000, want(3, 90_000))].concat();
    let (order, _) = orders(&out)[0];
    feed(&mut fetch, 30_100, Input::Fetched(order, Body { start: 0, bytes: media(3) }));
    feed(&mut fetch, 30_200, Input::HasNow(winner, have_all(3)));
    let out = feed(&mut fetch, 40_000, Input::Known(record(4)));
    assert!(orders(&out).is_empty());
}

#[test]
fn a_refusal_is_asked_elsewhere_and_the_peer_rests() {
    let mut fetch = with_peers(1..=1, 1);
    let out = feed(&mut fetch, 0, want(1, 60_000));
    let (from, id) = asks(&out)[0];
    let refused = Input::Refused(from, Refused { id, reason: Refusal::NoCredit });
    feed(&mut fetch, 10, refused);
    let late = feed(&mut fetch, 20, Input::Joined(peer(2)));
    assert!(asks(&late).is_empty());
    let out = feed(&mut fetch, 30, Input::Has(peer(2), all_of(1)));
    assert_eq!(asks(&out), [(peer(2), id)]);
}

#[test]
fn a_silent_peer_is_given_up_at_its_lost_patience() {
    let mut fetch = with_peers(1..=1, 1);
    feed(&mut fetch, 0, want(1, 60_000));
    let out = feed(&mut fetch, 1999, Input::Tick);
    assert!(!out.iter().any(|o| matches!(o, Output::Blame(..))));
    let out = feed(&mut fetch, 2000, Input::Tick);
    let slow = |o: &&Output| matches!(o, Output::Blame(_, Fault::TooSlow(_)));
    assert_eq!(out.iter().filter(slow).count(), 4);
}

#[test]
fn a_peer_that_leaves_leaves_its_chunks_to_others() {
    let mut fetch = with_peers(1..=1, 2);
    feed(&mut fetch, 0, want(1, 60_000));
    let out = feed(&mut fetch, 10, Input::Left(peer(1)));
    assert_eq!(asks(&out).len(), 2);
    let out = feed(&mut fetch, 20, Input::Left(peer(2)));
    assert_eq!(orders(&out).len(), 1);
}

#[test]
fn chunks_that_nobody_asked_for_are_dropped_and_a_flood_of_them_ends_it() {
    let mut fetch = with_peers(1..=1, 1);
    let id = ChunkId { sequence: 1, index: 0 };
    for _ in 0..8 {
        assert!(feed(&mut fetch, 0, good(peer(1), id)).is_empty());
    }
    let out = feed(&mut fetch, 0, good(peer(1), id));
    assert_eq!(out, [Output::Blame(peer(1), Fault::Flood)]);
    assert!(!fetch.cache().has(id));
}

pub(super) fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

pub(super) fn peer(n: u8) -> PeerId {
    PeerId(PublicKey([n; 32]))
}

pub(super) fn config() -> Config {
    Config { me: ME, target: Duration::from_millis(2000), cache_limit: 64 * LENGTH }
}

/// A peer that is drawn before us for each of these segments, or after us.
fn drawn(sequences: core::ops::RangeInclusive<u64>, is_before: bool) -> PeerId {
    let is_so = |salt: Salt, peer| (salt.lot(peer) < salt.lot(ME)) == is_before;
    let holds = |peer| sequences.clone().all(|sequence| is_so(Salt::of(&record(sequence)), peer));
    (3..=u8::MAX).map(peer).find(|peer| holds(*peer)).unwrap()
}

pub(super) fn media(sequence: u64) -> Vec<u8> {
    (0..LENGTH)
        .map(|i| (i as u64).wrapping_mul(31).wrapping_add(sequence).to_le_bytes()[0])
        .collect()
}

pub(super) fn record(sequence: u64) -> Record {
    Record::of(StreamId::default(), sequence, &media(sequence)).unwrap()
}

pub(super) fn bytes_of(id: ChunkId) -> Vec<u8> {
    let start = usize::from(id.index) * CHUNK;
    media(id.sequence)[start..LENGTH.min(start + CHUNK)].to_vec()
}

pub(super) fn feed(fetch: &mut Fetch, ms: u64, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    fetch.handle(at(ms), input, &mut out);
    out
}

pub(super) fn want(sequence: u64, deadline: u64) -> Input {
    Input::Want(Want { sequence, deadline: at(deadline) })
}

fn knowing(sequences: core::ops::RangeInclusive<u64>) -> Fetch {
    let mut fetch = Fetch::new(config());
    for sequence in sequences {
        assert!(feed(&mut fetch, 0, Input::Known(record(sequence))).is_empty());
    }
    fetch
}

fn with_peers(sequences: core::ops::RangeInclusive<u64>, count: u8) -> Fetch {
    let mut fetch = knowing(sequences);
    for n in 1..=count {
        feed(&mut fetch, 0, Input::Joined(peer(n)));
        feed(&mut fetch, 0, Input::Has(peer(n), all_of(1)));
    }
    fetch
}

fn all_of(sequence: u64) -> Segments {
    have::segments((0..4).map(|index| ChunkId { sequence, index }))
}

/// Lets a peer join that carries: it has said before that it has something.
fn meet(fetch: &mut Fetch, peer: PeerId) {
    feed(fetch, 0, Input::Joined(peer));
    feed(fetch, 0, Input::Has(peer, all_of(99)));
}

fn have_all(sequence: u64) -> HaveDelta {
    HaveDelta { added: all_of(sequence), ..HaveDelta::default() }
}

fn claim(sequence: u64) -> HaveDelta {
    let fetching = Bounded::try_from(vec![sequence]).unwrap();
    HaveDelta { fetching, ..HaveDelta::default() }
}

fn good(from: PeerId, id: ChunkId) -> Input {
    Input::Chunk(from, PeerChunk { id, bytes: bytes_of(id) })
}

fn asks(out: &[Output]) -> Vec<(PeerId, ChunkId)> {
    let ask = |o: &Output| if let Output::Ask(to, id) = o { Some((*to, *id)) } else { None };
    out.iter().filter_map(ask).collect()
}

fn orders(out: &[Output]) -> Vec<(OrderId, HttpRange)> {
    let order =
        |o: &Output| if let Output::Http(id, range) = o { Some((*id, *range)) } else { None };
    out.iter().filter_map(order).collect()
}

fn announced(out: &[Output]) -> usize {
    let count = |o: &Output| {
        if let Output::Announce(delta) = o {
            delta.added.iter().map(|s| (0..1024).filter(|i| s.chunks.contains(*i)).count()).sum()
        } else {
            0
        }
    };
    out.iter().map(count).sum()
}
