//! Decoders: every byte string is either a value with this one encoding, or a typed error.

use super::{
    choice::Choices,
    world::{VOUCHERS, world},
};
use antiphon_core::{
    chain::{
        certificate::FinalityVote,
        header::{Header, MAX_HEADER},
        light::{
            Body, Change, Checkpoint, ForkProof, Kept, MAX_BODY_FILE, MAX_CHANGE, MAX_CHECKPOINT,
            MAX_FORK_PROOF, MAX_KEPT, MAX_NEWS, MAX_SET, MAX_SPAN, MAX_TIP, News, Span, Tip,
        },
        proof::{MAX_PROOFS, Path, StateProof, StateProofs, verify_all},
        set::{GuardianSet, ValidatorSet},
        spec::{ChainSpec, MAX_SPEC},
        state::{Account, MAX_VALUE, StateKey},
        transaction::{MAX_TRANSACTION, Message, SignedTransaction, decode_transaction},
    },
    codec::{self, DecodeError},
    crypto::{Hash, Signed},
    delivery::record::{MAX_INFO_BYTES, MAX_RECORD_BYTES, Record, StreamInfo},
    id::Height,
    payment::{
        reservation::{PaidState, PoolState},
        voucher::{CompactVoucher, MAX_COMPACT_BYTES, MAX_PROMISE_BYTES, Promise},
    },
    peer::tracker_wire::{ToListener, ToTracker},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Decodes, and holds the codec to its promise that a value has one encoding and no more bytes than its bound.
pub(super) fn round_trip<T>(bytes: &[u8], max: usize) -> Result<T, DecodeError>
where
    T: BorshDeserialize + BorshSerialize,
{
    let value = codec::decode::<T>(bytes, max)?;
    assert!(bytes.len() <= max, "longer than its bound");
    assert!(codec::encode(&value) == bytes, "a second encoding");
    for cut in [bytes.len().saturating_sub(1), bytes.len() / 2] {
        let head = bytes.get(..cut).filter(|head| head.len() < bytes.len());
        assert!(
            head.is_none_or(|head| codec::decode::<T>(head, max).is_err()),
            "its own prefix decodes, too"
        );
    }
    Ok(value)
}

pub(super) fn verdict<T>(result: Result<T, DecodeError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "ok")
}

/// The first byte says which file the rest is: spec, tip, header, checkpoint, guardians, validators, change, kept trust,
/// proof of a fork, span, body, news.
pub fn light_files(data: &[u8]) -> &'static str {
    let mut choices = Choices::new(data);
    let (kind, bytes, world) = (choices.below(12), choices.rest(), world());
    match kind {
        0 => verdict(round_trip::<ChainSpec>(bytes, MAX_SPEC).map(|spec| {
            assert!(
                spec == world.spec || spec.chain_id() != world.chain,
                "two specs with one chain id"
            );
            (spec.validators.total(), spec.guardians.total(), spec.is_checkpoint(Height(8)))
        })),
        1 => verdict(round_trip::<Tip>(bytes, MAX_TIP).map(|tip| {
            let verified = tip.certificate.verify(world.chain, &world.spec.validators);
            let is_honest = world.headers.iter().any(|h| h.id() == tip.certificate.block);
            assert!(verified.is_err() || is_honest, "a certificate that nobody signed");
        })),
        2 => verdict(round_trip::<Header>(bytes, MAX_HEADER).map(|header| {
            let same = world.headers.iter().find(|honest| honest.id() == header.id());
            assert!(same.is_none_or(|honest| *honest == header), "two headers with one id");
        })),
        3 => verdict(round_trip::<Checkpoint>(bytes, MAX_CHECKPOINT).map(|held| {
            let verified = held.certificate.verify(world.chain, &world.spec.guardians);
            let (height, block) = (held.certificate.height, held.certificate.block);
            let guardians_hash = world.spec.guardians.hash(world.chain);
            let vote = FinalityVote { guardians_hash, height, block };
            let mut honest = world.checkpoints.iter().map(|held| &held.certificate);
            let is_honest = honest.any(|c| (c.height, c.block) == (vote.height, vote.block));
            assert!(verified.is_err() || is_honest, "a checkpoint that nobody signed");
        })),
        4 => verdict(round_trip::<GuardianSet>(bytes, MAX_SET).map(|set| set.total())),
        5 => verdict(round_trip::<ValidatorSet>(bytes, MAX_SET).map(|set| {
            let own = set.members.first().map(|member| member.key);
            (set.total(), own.and_then(|key| set.index_of(&key)))
        })),
        6 => verdict(
            round_trip::<Change>(bytes, MAX_CHANGE)
                .map(|change| (change.elected.total(), change.checkpoint.header.id())),
        ),
        7 => verdict(round_trip::<Kept>(bytes, MAX_KEPT).map(|kept| kept.guardians.total())),
        9 => verdict(round_trip::<Span>(bytes, MAX_SPAN).map(|span| span.len())),
        10 => verdict(round_trip::<Body>(bytes, MAX_BODY_FILE).map(|body| body.len())),
        11 => verdict(round_trip::<News>(bytes, MAX_NEWS).map(|news| news.headers.len())),
        _ => verdict(round_trip::<ForkProof>(bytes, MAX_FORK_PROOF).map(|proof| {
            let set = world.spec.guardians.hash(world.chain);
            assert!(proof.verify(world.chain, set).is_err(), "a fork that nobody made");
        })),
    }
}

/// An answer to `antiphon_prove`. What verifies under the world's root is what the world holds there.
pub fn state_proofs(data: &[u8]) -> &'static str {
    let mut choices = Choices::new(data);
    let (kind, bytes, world) = (choices.below(6), choices.rest(), world());
    let me = StateKey::account(world.chain, &world.address());
    let keys = [me, StateKey::pool(world.chain, &world.pool(0)), StateKey(Hash([7; 32]))];
    let root = world.tree.root();
    let truthful = |key: &StateKey, proof: &StateProof| {
        if let Ok(value) = proof.verify(&root, key) {
            assert!(value == world.tree.value(key), "a proof of what is not so");
        }
    };
    match kind {
        0 => verdict(round_trip::<StateProof>(bytes, MAX_PROOFS).map(|proof| {
            keys.iter().for_each(|key| truthful(key, &proof));
        })),
        1 => verdict(round_trip::<StateProofs>(bytes, MAX_PROOFS).map(|proofs| {
            keys.iter().zip(proofs.iter()).for_each(|(key, proof)| truthful(key, proof));
            verify_all(&proofs, &root, &keys).map(|values| values.len())
        })),
        2 => verdict(Path::from_jmt(bytes)),
        3 => verdict(round_trip::<Account>(bytes, MAX_VALUE)),
        4 => verdict(round_trip::<PoolState>(bytes, MAX_VALUE).map(|state| {
            let rules = &world.spec.pool;
            (state.held(), state.remaining(), state.release(rules, state.end_height.plus(42)))
        })),
        _ => verdict(round_trip::<PaidState>(bytes, MAX_VALUE)),
    }
}

/// A signed transaction.
pub fn transaction(data: &[u8]) -> &'static str {
    assert!(
        decode_transaction(data) == round_trip::<SignedTransaction>(data, MAX_TRANSACTION),
        "two ways to decode disagree"
    );
    verdict(decode_transaction(data).map(|tx| {
        let chain = world().chain;
        for message in tx.body.messages.iter() {
            if let Message::CreatePool(terms) = message {
                let opened = terms.open(&world().spec.pool, Height(20));
                assert!(opened.is_err() || terms.locked().is_some(), "a pool of endless money");
            }
        }
        let is_signed = tx.verify(chain).is_ok();
        (tx.body.id(chain), tx.body.lives_at(Height(20)), is_signed)
    }))
}

/// A voucher, whole and as it travels.
pub fn vouchers(data: &[u8]) -> &'static str {
    let world = world();
    let compact = round_trip::<CompactVoucher>(data, MAX_COMPACT_BYTES).map(|compact| {
        let whole = compact.expand(world.pool(0), world.stream, world.address());
        assert!(whole.to_compact() == compact, "the compact form says something else");
        let is_signed = whole.verify(world.chain, &world.peers[0].public()).is_ok();
        // One of the seeds has ticks.
        let has_ticks = compact.ticks.is_some() && (compact.seq, compact.cum.units()) == (4, 44);
        let honest = has_ticks || VOUCHERS.contains(&(compact.seq, compact.cum.units()));
        assert!(!is_signed || honest, "a voucher that nobody signed");
    });
    let whole = round_trip::<Promise>(data, MAX_PROMISE_BYTES).map(|promise| {
        let is_made = promise.verify(&[world.chain], &world.peers[0].public()).is_ok();
        let body = promise.voucher.body;
        let to_us = (body.pool, body.target) == (world.pool(0), world.address());
        assert!(!is_made || to_us, "a voucher that nobody signed");
        let ticks = promise.tick.map_or(0, |tick| u128::from(tick.count));
        let most = body.cum.units().checked_add(ticks * u128::from(u64::MAX));
        assert!(!is_made || promise.worth().is_ok_and(|worth| Some(worth.units()) <= most));
    });
    verdict(compact.or(whole))
}

/// What a publisher signs, without its playlist: stream or record.
pub fn records(data: &[u8]) -> &'static str {
    let world = world();
    let publisher = world.publisher.public();
    let info = round_trip::<Signed<StreamInfo>>(data, MAX_INFO_BYTES).map(|info| {
        let is_signed = info.verify(world.chain, &publisher).is_ok();
        assert!(!is_signed || info.body == world.info, "a stream that nobody signed");
    });
    let record = round_trip::<Signed<Record>>(data, MAX_RECORD_BYTES).map(|record| {
        let is_signed = record.verify(world.chain, &publisher).is_ok();
        let honest = world.segment(record.body.sequence).map(|(_, honest)| &honest.body);
        assert!(!is_signed || honest == Some(&record.body), "a record that nobody signed");
        assert!(!is_signed || record.body.is_consistent(), "signed, and its digests do not fit");
    });
    verdict(info.or(record))
}

/// A message to the tracker, or from it.
pub fn tracker_messages(data: &[u8]) -> &'static str {
    let to_tracker = ToTracker::from_bytes(data).map(|message| {
        assert!(message.to_bytes() == data, "a second encoding");
        match message {
            ToTracker::SignIn(sign_in) => sign_in.verify([1; 32]).is_ok(),
            ToTracker::Signal(signal) => signal.verify_sender().is_ok(),
            ToTracker::Join(_)
            | ToTracker::Leave(_)
            | ToTracker::Heartbeat
            | ToTracker::Near(_)
            | ToTracker::Relay(_) => true,
        }
    });
    let to_listener = ToListener::from_bytes(data).map(|message| {
        assert!(message.to_bytes() == data, "a second encoding");
        assert!(to_tracker.is_err(), "one message of both directions");
        match message {
            ToListener::Signal(forwarded) => forwarded.signal.verify_sender().is_ok(),
            ToListener::Challenge(_)
            | ToListener::Welcome(..)
            | ToListener::Candidates(_)
            | ToListener::Relayed(_)
            | ToListener::Refused(_) => true,
        }
    });
    to_tracker.or(to_listener).map_or_else(|error| error.code(), |_| "ok")
}
