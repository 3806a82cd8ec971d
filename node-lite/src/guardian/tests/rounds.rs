//! Rounds between neighbours: what is merged, what is refused, and who is cut off. PROTOCOL A2.14–A2.16; ADVERSARIAL 11,
//! 12, 13, 15.

use super::*;
use antiphon_core::chain::certificate::{
    CertificateError, Counts, MAX_MERGES, MAX_ROUND, max_count,
};

/// Neighbours of a node: one number for each guardian, its place.
const NEIGHBOURS: u16 = 12;

/// A node of a set of twelve that gathers in rounds, with everybody as its neighbour, in its first round.
fn gathering(world: &World, index: usize) -> GuardianMachine {
    let mut node = world.node(Some(index));
    node.handle(NOW, Input::Neighbours((0..NEIGHBOURS).collect()), &mut Vec::new());
    settle_in(&mut node, &world.header(10, 1));
    node
}

fn twelve() -> World {
    World { flooded: 0, ..World::new(12) }
}

/// Settles a checkpoint, stores what is asked, and returns what is said then.
fn settle_in(node: &mut GuardianMachine, header: &Header) -> Vec<Output> {
    let mut out = Vec::new();
    node.handle(NOW, Input::Settled(Box::new(header.clone()), None), &mut out);
    let tokens: Vec<Token> = out.iter().filter_map(token).collect();
    for token in tokens {
        node.handle(NOW, Input::Stored(token), &mut out);
    }
    out
}

fn token(output: &Output) -> Option<Token> {
    match output {
        Output::Store(token, _) => Some(*token),
        Output::Broadcast(_) | Output::Send(..) | Output::Final(_) | Output::Fault(_) => None,
    }
}

fn tally(world: &World, round: u8, counts: &[(usize, u32)], header: &Header) -> Tally {
    let mut list = vec![0; world.keys.len()];
    let mut shares = Vec::new();
    for (index, count) in counts {
        list[*index] = *count;
        let share = world.share(*index, header).signature;
        shares.push(times(&share, *count));
    }
    let signature = BlsSignature::aggregate(&shares).unwrap();
    let vote = world.share(0, header).vote;
    Tally { round, vote, counts: Counts::new(list).unwrap(), signature }
}

/// A signature added to itself, by doubling.
fn times(signature: &BlsSignature, count: u32) -> BlsSignature {
    let mut sum: Option<BlsSignature> = None;
    for bit in (0..u32::BITS - count.leading_zeros()).rev() {
        sum = sum.map(|sum| BlsSignature::aggregate([&sum, &sum]).unwrap());
        if count >> bit & 1 == 1 {
            let with = |sum: BlsSignature| BlsSignature::aggregate([&sum, signature]).unwrap();
            sum = Some(sum.map_or(*signature, with));
        }
    }
    sum.unwrap()
}

fn hear(node: &mut GuardianMachine, at: Moment, from: u16, tally: &Tally) -> Vec<Output> {
    let mut out = Vec::new();
    let message = Message::Tally(Box::new(tally.clone()));
    node.handle(at, Input::Message(from, message), &mut out);
    out
}

/// Ends a round and returns the tally that is said in the next.
fn next_round(node: &mut GuardianMachine) -> Option<Tally> {
    let due = node.deadline().unwrap();
    let mut out = Vec::new();
    node.handle(due, Input::Tick, &mut out);
    said(&out).into_iter().next().map(|(_, tally)| tally)
}

fn said(out: &[Output]) -> Vec<(u16, Tally)> {
    let tallies = out.iter().filter_map(|output| match output {
        Output::Send(peer, Message::Tally(tally)) => Some((*peer, tally.as_ref().clone())),
        Output::Send(..)
        | Output::Store(..)
        | Output::Broadcast(_)
        | Output::Final(_)
        | Output::Fault(_) => None,
    });
    tallies.collect()
}

fn forgers(out: &[Output]) -> Vec<u16> {
    let faults = out.iter().filter_map(|output| match output {
        Output::Fault(Fault::Forged(peer)) => Some(*peer),
        Output::Fault(_)
        | Output::Send(..)
        | Output::Store(..)
        | Output::Broadcast(_)
        | Output::Final(_) => None,
    });
    faults.collect()
}

#[test]
fn a_share_goes_to_some_neighbours_once_its_record_is_stored_and_to_others_in_the_next_round() {
    let world = twelve();
    let mut node = world.node(Some(3));
    node.handle(NOW, Input::Neighbours((0..NEIGHBOURS).collect()), &mut Vec::new());
    let mut out = Vec::new();
    node.handle(NOW, Input::Settled(Box::new(world.header(10, 1)), None), &mut out);
    let [Output::Store(token, _)] = out[..] else { panic!("{out:?}") };
    out.clear();
    node.handle(NOW, Input::Stored(token), &mut out);
    let first = said(&out);
    assert_eq!(first.len(), MAX_MERGES as usize);
    assert!(
        first
            .iter()
            .all(|(_, tally)| *tally == self::tally(&world, 1, &[(3, 1)], &world.header(10, 1)))
    );
    out.clear();
    node.handle(node.deadline().unwrap(), Input::Tick, &mut out);
    let peers = |said: &[(u16, Tally)]| said.iter().map(|(peer, _)| *peer).collect::<Vec<_>>();
    assert_ne!(peers(&said(&out)), peers(&first));
    assert_eq!(said(&out)[0].1.round, 2);
}

#[test]
fn sums_of_neighbours_add_up_and_a_quorum_of_them_is_final_and_told() {
    let world = twelve();
    let header = world.header(10, 1);
    let mut node = gathering(&world, 0);
    for (from, said) in [(1, &[(1, 1), (2, 1)][..]), (4, &[(2, 1), (4, 1)]), (5, &[(5, 1), (6, 1)])]
    {
        assert!(hear(&mut node, NOW, from, &tally(&world, 2, said, &header)).is_empty(), "early");
    }
    let two = next_round(&mut node).unwrap();
    assert_eq!(&two.counts[..3], [1, 0, 0], "said before it was merged");
    let three = next_round(&mut node).unwrap();
    assert_eq!(&three.counts[..], [1, 1, 2, 0, 1, 1, 1, 0, 0, 0, 0, 0]);
    let out = hear(&mut node, NOW, 7, &tally(&world, 3, &[(7, 81), (8, 2), (9, 1)], &header));
    let sent = out.iter().filter(|o| matches!(o, Output::Send(_, Message::Certificate(_))));
    assert_eq!(sent.count(), MAX_MERGES as usize);
    let Some(Output::Final(certificate)) = out.last() else { panic!("{out:?}") };
    assert_eq!(certificate.verify(CHAIN, &world.set), Ok(()));
    assert_eq!((certificate.signers.number(), node.height()), (9, Height(10)));
    assert_eq!(node.deadline(), None, "nothing is merged any more");
    // Who still gathers for it is told, once a round.
    let late = tally(&world, 1, &[(11, 1)], &header);
    let shown = hear(&mut node, NOW, 11, &late);
    assert!(matches!(shown[..], [Output::Send(11, Message::Certificate(_))]), "{shown:?}");
    assert!(hear(&mut node, NOW, 11, &late).is_empty());
}

/// A2.5: without the cap, counts like these make the sums of honest nodes overflow.
#[test]
fn counts_above_what_a_round_can_give_are_refused_unseen() {
    let world = twelve();
    let header = world.header(10, 1);
    let mut node = gathering(&world, 0);
    for (from, round, count) in [(1, 1, 2), (2, 1, 3), (3, 1, u32::MAX)] {
        let valid = tally(&world, round, &[(usize::from(from), count)], &header);
        let out = hear(&mut node, NOW, from, &valid);
        assert_eq!(forgers(&out), [from], "{count} in round {round}");
    }
    for (from, round) in [(4, 0), (5, MAX_ROUND + 1), (6, u8::MAX)] {
        let valid = tally(&world, round, &[(usize::from(from), 1)], &header);
        assert_eq!(forgers(&hear(&mut node, NOW, from, &valid)), [from], "round {round}");
    }
    let mut short = tally(&world, 1, &[(7, 1)], &header);
    short.counts = Counts::new(short.counts[..11].to_vec()).unwrap();
    assert_eq!(forgers(&hear(&mut node, NOW, 7, &short)), [7]);
    assert_eq!(&next_round(&mut node).unwrap().counts[..2], [1, 0]);
    let most = tally(&world, 2, &[(8, max_count(2))], &header);
    assert!(hear(&mut node, NOW, 8, &most).is_empty());
    assert_eq!(next_round(&mut node).unwrap().counts[8], max_count(2));
}

/// ADVERSARIAL case 12: what would erase signers by wrapping is dropped, and what is held still verifies.
#[test]
fn nobody_is_erased_by_shares_that_come_back_scaled() {
    let world = twelve();
    let header = world.header(10, 1);
    let mut node = gathering(&world, 0);
    let signers = [(1, 1), (2, 1), (3, 1)];
    assert!(hear(&mut node, NOW, 1, &tally(&world, 1, &signers, &header)).is_empty());
    let held = next_round(&mut node).unwrap();
    for (from, round, wrap) in [(2, 1, 0), (3, 2, 0), (4, 2, 8), (5, MAX_ROUND, 0)] {
        // What is held, each so often that 32 bits would wrap to nothing, and news, so that it is looked at.
        let mut counts: Vec<_> = [0, 1, 2, 3].map(|at| (at, u32::MAX - wrap)).to_vec();
        counts.push((7, 1));
        let mut erasure = tally(&world, round, &counts, &header);
        erasure.round = round;
        assert_eq!(forgers(&hear(&mut node, NOW, from, &erasure)), [from]);
    }
    let after = next_round(&mut node).unwrap();
    assert_eq!((after.counts, after.signature), (held.counts, held.signature));
}

#[test]
fn what_brings_nobody_new_is_not_even_checked() {
    let world = twelve();
    let header = world.header(10, 1);
    let mut node = gathering(&world, 0);
    hear(&mut node, NOW, 1, &tally(&world, 1, &[(1, 1), (2, 1)], &header));
    let mut stale = tally(&world, 1, &[(1, 1), (2, 1)], &header);
    stale.signature = world.share(5, &header).signature;
    assert!(hear(&mut node, NOW, 2, &stale).is_empty(), "its signature was looked at");
    assert!(hear(&mut node, NOW, 3, &tally(&world, 1, &[(1, 1)], &header)).is_empty());
    assert_eq!(&next_round(&mut node).unwrap().counts[..4], [1, 1, 1, 0], "nothing was added");
}

#[test]
fn a_neighbour_is_heard_once_a_round_and_after_a_forgery_not_for_a_while() {
    let world = twelve();
    let header = world.header(10, 1);
    let mut node = gathering(&world, 0);
    hear(&mut node, NOW, 1, &tally(&world, 1, &[(1, 1)], &header));
    hear(&mut node, NOW, 1, &tally(&world, 1, &[(2, 1)], &header));
    assert_eq!(&next_round(&mut node).unwrap().counts[..3], [1, 1, 0]);
    let mut forged = tally(&world, 1, &[(3, 1)], &header);
    forged.signature = world.share(4, &header).signature;
    let now = NOW.after(Duration::from_secs(1));
    assert_eq!(forgers(&hear(&mut node, now, 3, &forged)), [3]);
    for _ in 0..100 {
        assert!(hear(&mut node, now, 3, &forged).is_empty());
        assert!(hear(&mut node, now, 3, &tally(&world, 2, &[(3, 1)], &header)).is_empty());
    }
    assert_eq!(next_round(&mut node).unwrap().counts[3], 0);
    let later = NOW.after(Duration::from_secs(62));
    forged.round = 2;
    assert_eq!(forgers(&hear(&mut node, later, 3, &forged)), [3], "then it is heard again");
}

#[test]
fn more_than_can_be_merged_in_a_round_waits_for_the_next() {
    let world = World { flooded: 0, ..World::new(20) };
    let header = world.header(10, 1);
    let mut node = gathering(&world, 0);
    for from in 1..=10 {
        let share = tally(&world, 1, &[(usize::from(from), 1)], &header);
        assert!(hear(&mut node, NOW, from, &share).is_empty());
    }
    let signers = |tally: Tally| tally.counts.iter().sum::<u32>();
    assert_eq!(next_round(&mut node).map(signers), Some(1 + MAX_MERGES));
    assert_eq!(next_round(&mut node).map(signers), Some(1 + 10));
}

#[test]
fn who_is_no_neighbour_is_not_heard_and_other_checkpoints_wait_or_go() {
    let world = twelve();
    let (header, other) = (world.header(10, 1), world.header(10, 2));
    let mut node = gathering(&world, 0);
    hear(&mut node, NOW, NEIGHBOURS, &tally(&world, 1, &[(1, 1)], &header));
    hear(&mut node, NOW, 2, &tally(&world, 1, &[(2, 1)], &other));
    assert_eq!(&next_round(&mut node).unwrap().counts[..3], [1, 0, 0]);
    // A tally for the next checkpoint comes before it is settled here; it counts when it is.
    let next = world.header(20, 1);
    let mut early = world.node(Some(0));
    early.handle(NOW, Input::Neighbours(vec![5]), &mut Vec::new());
    assert!(hear(&mut early, NOW, 5, &tally(&world, 1, &[(5, 1)], &next)).is_empty());
    settle_in(&mut early, &next);
    assert_eq!(next_round(&mut early).unwrap().counts[5], 1);
    assert!(
        hear(&mut early, NOW, 5, &tally(&world, 1, &[(5, 1)], &world.header(1000, 1))).is_empty()
    );
}

#[test]
fn after_the_last_round_they_begin_anew_with_the_own_share() {
    let world = twelve();
    let header = world.header(10, 1);
    let mut node = gathering(&world, 0);
    hear(&mut node, NOW, 1, &tally(&world, 1, &[(1, 1)], &header));
    for round in 2..=MAX_ROUND {
        let said = next_round(&mut node).unwrap();
        assert_eq!((said.round, said.counts[1]), (round, 1));
    }
    let anew = next_round(&mut node).unwrap();
    assert_eq!((anew.round, &anew.counts[..2]), (1, &[1, 0][..]));
    // Nobody who was heard in the first attempt is deaf in the second.
    hear(&mut node, NOW, 1, &tally(&world, 1, &[(1, 1)], &header));
    assert_eq!(next_round(&mut node).unwrap().counts[1], 1);
}

#[test]
fn after_a_restart_what_was_signed_is_gathered_for_again() {
    let world = twelve();
    let header = world.header(10, 1);
    let record = GuardianRecord { height: Height(10), block: header.id() };
    let checkpoints = vec![(Height(10), world.known(&header))];
    let mut node = world.node_from(Some(2), Start { record, checkpoints, ..Start::default() });
    let mut out = Vec::new();
    node.handle(NOW, Input::Neighbours(vec![4]), &mut out);
    assert_eq!(said(&out), [(4, tally(&world, 1, &[(2, 1)], &header))]);
}

#[test]
fn single_shares_are_of_no_use_in_rounds_and_a_forged_certificate_is_checked_once() {
    let world = twelve();
    let header = world.header(10, 1);
    let mut node = gathering(&world, 0);
    assert!(say(&mut node, world.share(1, &header)).is_empty() && node.shares.is_empty());
    let mut out = Vec::new();
    for _ in 0..10 {
        let mut forged = world.certificate(&[0, 1, 2, 3, 4, 5, 6, 7, 8], &header);
        forged.signature = world.share(4, &header).signature;
        node.handle(NOW, Input::Message(6, Message::Certificate(forged)), &mut out);
    }
    assert!(matches!(out[..], [Output::Fault(Fault::BadMessage(6))]), "{out:?}");
    let weak = tally(&world, 1, &[(1, 1)], &header);
    let signers = Signers::Counts(weak.counts);
    let (height, block) = (header.height, header.id());
    let weak = FinalityCertificate { height, block, signers, signature: weak.signature };
    let below = CertificateError::BelowQuorum { weight: 1, quorum: 9 };
    assert_eq!(weak.verify(CHAIN, &world.set), Err(below));
}

/// ADVERSARIAL case 15: a second final block at a height that is final here already.
#[test]
fn two_certificates_of_one_height_halt_finality_even_when_one_of_them_is_final() {
    for flooded in [0, MAX_FLOODED] {
        let world = World { flooded, ..World::new(12) };
        let (header, other) = (world.header(10, 1), world.header(10, 2));
        let mut node = gathering(&world, 0);
        let signers: Vec<usize> = (0..9).collect();
        let mut out = Vec::new();
        let certificate = world.certificate(&signers, &header);
        node.handle(NOW, Input::Message(1, Message::Certificate(certificate)), &mut out);
        assert_eq!(node.height(), Height(10));
        settle_in(&mut node, &world.header(20, 1));
        let conflicting = world.certificate(&(3..12).collect::<Vec<_>>(), &other);
        out.clear();
        node.handle(NOW, Input::Message(1, Message::Certificate(conflicting)), &mut out);
        let [Output::Fault(Fault::Halted(kept, settled))] = &out[..] else { panic!("{out:?}") };
        assert_eq!((kept.block, *settled), (other.id(), header.id()));
        assert!(node.deadline().is_none() && settle_in(&mut node, &world.header(30, 1)).is_empty());
    }
}
