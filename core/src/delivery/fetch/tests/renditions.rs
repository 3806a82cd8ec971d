//! Two renditions in one swarm.

use super::*;
use crate::delivery::rendition;

#[test]
fn who_plays_another_rendition_keeps_nobody_from_fetching_and_is_not_blamed_for_it() {
    let low = rendition::sequence(1, 1).unwrap();
    let winner = drawn(low..=low + 2, true);
    let mut fetch = knowing(low..=low);
    meet(&mut fetch, winner);
    assert_eq!(orders(&feed(&mut fetch, 10, want(low, 60_000))).len(), 1, "it plays the other");
    for n in 1..=2 {
        feed(&mut fetch, n * 10_000, Input::Known(record(low + n)));
        // Once it has switched it takes part, as if it had never missed a draw.
        feed(&mut fetch, n * 10_000, Input::HasNow(winner, have_all(low)));
        let out = feed(&mut fetch, n * 10_000, want(low + n, 90_000));
        assert!(orders(&out).is_empty(), "the winner fetches");
    }
}

#[test]
fn a_chunk_of_one_rendition_is_never_one_of_another() {
    let (high, low) = (2, rendition::sequence(1, 1).unwrap());
    let mut fetch = knowing(high..=high);
    feed(&mut fetch, 0, Input::Known(record(low)));
    feed(&mut fetch, 0, Input::Joined(peer(1)));
    feed(&mut fetch, 0, Input::Has(peer(1), all_of(low)));
    let out = feed(&mut fetch, 0, want(high, 60_000));
    assert!(asks(&out).is_empty(), "a peer of the other rendition has none of this one");
    let id = ChunkId { sequence: low, index: 0 };
    let asked = feed(&mut fetch, 10, want(low, 60_000));
    assert!(asks(&asked).contains(&(peer(1), id)));
    let stray = PeerChunk { id, bytes: bytes_of(ChunkId { sequence: high, index: 0 }) };
    let out = feed(&mut fetch, 20, Input::Chunk(peer(1), stray));
    assert_eq!(out[0], Output::Blame(peer(1), Fault::BadChunk(id, ChunkError::WrongBytes)));
}
