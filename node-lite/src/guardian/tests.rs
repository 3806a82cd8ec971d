mod rounds;

use super::*;
use antiphon_core::{
    chain::{
        certificate::{Certificate, Signers},
        set::Guardian,
    },
    codec::Bounded,
    crypto::bls::{BlsPublicKey, BlsSignature},
    id::Epoch,
    time::UnixMillis,
};

const CHAIN: ChainId = ChainId(Hash([7; 32]));
/// Who says what others say.
const PEER: Peer = 9;
const NOW: Moment = Moment::from_millis(5);

#[test]
fn a_quorum_of_shares_makes_a_checkpoint_final() {
    let world = World::new(7);
    let mut node = world.node(Some(0));
    let checkpoint = world.header(10, 1);
    let share = settle(&mut node, &checkpoint);
    assert_eq!(share.map(|share| share.vote.block), Some(checkpoint.id()));
    for index in 1..4 {
        let out = say(&mut node, world.share(index, &checkpoint));
        assert!(!out.iter().any(|o| matches!(o, Output::Final(_))), "{index} others");
    }
    let out = say(&mut node, world.share(4, &checkpoint));
    let [Output::Broadcast(Message::Certificate(sent)), Output::Final(kept)] = &out[..] else {
        panic!("{out:?}");
    };
    assert_eq!(sent, kept.as_ref());
    assert_eq!(sent.verify(CHAIN, &world.set), Ok(()));
    assert_eq!(node.height(), Height(10));
}

#[test]
fn a_share_is_sent_only_when_its_record_is_stored() {
    let world = World::new(4);
    let mut node = world.node(Some(0));
    let mut out = Vec::new();
    node.handle(NOW, Input::Settled(Box::new(world.header(10, 1)), None), &mut out);
    let [Output::Store(token, record)] = out[..] else { panic!("{out:?}") };
    assert_eq!(record.height, Height(10));
    out.clear();
    node.handle(NOW, Input::Stored(token), &mut out);
    assert!(matches!(out[..], [Output::Broadcast(Message::Share(_))]), "{out:?}");
}

/// A0.6. Found by a storm: the timer of the share before must not send the one that is being written.
#[test]
fn a_timer_that_ends_during_a_write_sends_nothing_of_it() {
    let world = World::new(4);
    let mut node = world.node(Some(0));
    settle(&mut node, &world.header(10, 1));
    let due = node.deadline().unwrap();
    let mut out = Vec::new();
    node.handle(NOW, Input::Settled(Box::new(world.header(20, 1)), None), &mut out);
    let [Output::Store(token, _)] = out[..] else { panic!("{out:?}") };
    out.clear();
    node.handle(due, Input::Tick, &mut out);
    assert!(out.is_empty(), "{out:?}");
    assert!(node.deadline().unwrap() > due);
    node.handle(due, Input::Stored(token), &mut out);
    assert!(matches!(out[..], [Output::Broadcast(Message::Share(_))]), "{out:?}");
}

#[test]
fn earlier_heights_and_other_branches_are_not_signed() {
    let world = World::new(4);
    let (ten, twenty) = (world.header(10, 1), world.header(20, 1));
    let record = GuardianRecord { height: Height(20), block: twenty.id() };
    let start = |checkpoints| Start { record, checkpoints, ..Start::default() };
    // G2: what was signed at 20 forbids 10 and 20, also after a restart.
    let mut node = world.node_from(Some(0), start(vec![]));
    assert_eq!(settle(&mut node, &ten), None);
    assert_eq!(settle(&mut node, &twenty), None);
    assert!(settle(&mut node, &world.header(30, 1)).is_some());
    // G3: the last signed checkpoint is not on this branch.
    let other = world.header(20, 2);
    let mut node = world.node_from(Some(0), start(vec![(Height(20), world.known(&other))]));
    assert_eq!(settle(&mut node, &world.header(30, 2)), None);
}

#[test]
fn heights_that_are_no_checkpoints_are_not_signed() {
    let world = World::new(4);
    let mut node = world.node(Some(0));
    for height in [1, 9, 11, 15] {
        assert_eq!(settle(&mut node, &world.header(height, 1)), None);
    }
}

#[test]
fn a_bad_share_is_a_fault_and_two_shares_are_evidence() {
    let world = World::new(4);
    let mut node = world.node(None);
    let mut forged = world.share(1, &world.header(10, 1));
    forged.index = 2;
    let out = say(&mut node, forged);
    assert!(matches!(out[..], [Output::Fault(Fault::BadMessage(PEER))]));
    assert!(say(&mut node, world.share(1, &world.header(10, 1))).is_empty());
    let out = say(&mut node, world.share(1, &world.header(10, 2)));
    assert!(matches!(out[..], [Output::Fault(Fault::TwoShares(_))]));
}

#[test]
fn shares_far_ahead_or_below_final_are_not_kept() {
    let world = World::new(4);
    let mut node = world.node(None);
    for height in [50, 1000, 15, 0] {
        assert!(say(&mut node, world.share(1, &world.header(height, 1))).is_empty());
    }
    assert!(node.shares.is_empty());
}

#[test]
fn a_certificate_waits_until_its_checkpoint_is_settled_here() {
    let world = World::new(4);
    let checkpoint = world.header(10, 1);
    let certificate = world.certificate(&[0, 1, 2], &checkpoint);
    let mut node = world.node(Some(3));
    let message = Message::Certificate(certificate);
    let mut out = Vec::new();
    node.handle(NOW, Input::Message(PEER, message), &mut out);
    assert!(out.is_empty());
    assert_eq!(node.height(), Height(0), "final never runs ahead of settled");
    node.handle(NOW, Input::Settled(Box::new(checkpoint), None), &mut out);
    assert!(matches!(out[..], [Output::Final(_)]), "and needs no share any more: {out:?}");
}

#[test]
fn a_certificate_below_quorum_is_refused() {
    let world = World::new(4);
    let mut node = world.node(None);
    let weak = world.certificate(&[0, 1], &world.header(10, 1));
    let mut out = Vec::new();
    node.handle(NOW, Input::Message(PEER, Message::Certificate(weak)), &mut out);
    assert!(matches!(out[..], [Output::Fault(Fault::BadMessage(PEER))]));
}

#[test]
fn a_certificate_against_what_is_settled_stops_finality_and_is_kept_as_evidence() {
    let world = World::new(4);
    let mut node = world.node(Some(3));
    settle(&mut node, &world.header(10, 1));
    let other = world.certificate(&[0, 1, 2], &world.header(10, 2));
    let mut out = Vec::new();
    node.handle(NOW, Input::Message(PEER, Message::Certificate(other.clone())), &mut out);
    let [Output::Fault(Fault::Halted(evidence, settled))] = &out[..] else { panic!("{out:?}") };
    assert_eq!((evidence.as_ref(), *settled), (&other, world.header(10, 1).id()));
    assert_eq!(settle(&mut node, &world.header(20, 1)), None, "nothing is signed any more");
    assert_eq!(node.deadline(), None);
}

#[test]
fn an_unanswered_share_is_sent_again_at_its_time_and_is_the_same() {
    let world = World::new(4);
    let mut node = world.node(Some(0));
    let first = settle(&mut node, &world.header(10, 1)).unwrap();
    let due = node.deadline().unwrap();
    let mut out = Vec::new();
    node.handle(Moment::from_millis(due.as_millis() - 1), Input::Tick, &mut out);
    assert!(out.is_empty());
    node.handle(due, Input::Tick, &mut out);
    let [Output::Broadcast(Message::Share(again))] = &out[..] else { panic!("{out:?}") };
    assert_eq!(again, &first);
    assert!(node.deadline().unwrap() > due);
}

/// Settles a checkpoint and returns the share that is sent once its record is stored.
fn settle(node: &mut GuardianMachine, header: &Header) -> Option<Share> {
    let mut out = Vec::new();
    node.handle(NOW, Input::Settled(Box::new(header.clone()), None), &mut out);
    let token = out.iter().find_map(|output| match output {
        Output::Store(token, _) => Some(*token),
        Output::Broadcast(_) | Output::Send(..) | Output::Final(_) | Output::Fault(_) => None,
    });
    out.clear();
    node.handle(NOW, Input::Stored(token?), &mut out);
    out.into_iter().find_map(|output| match output {
        Output::Broadcast(Message::Share(share)) => Some(share),
        Output::Store(..)
        | Output::Broadcast(_)
        | Output::Send(..)
        | Output::Final(_)
        | Output::Fault(_) => None,
    })
}

fn say(node: &mut GuardianMachine, share: Share) -> Vec<Output> {
    let mut out = Vec::new();
    node.handle(NOW, Input::Message(PEER, Message::Share(share)), &mut out);
    out
}

struct World {
    keys: Vec<BlsSecretKey>,
    set: Arc<GuardianSet>,
    flooded: usize,
}

impl World {
    fn new(count: u8) -> Self {
        let mut keys: Vec<_> =
            (1..=count).map(|n| BlsSecretKey::from_seed(&[n; 32]).unwrap()).collect();
        keys.sort_by_key(BlsSecretKey::public);
        let public: Vec<_> = keys.iter().map(BlsSecretKey::public).collect();
        let members: Vec<_> = public.iter().map(|key| Guardian { key: *key, weight: 1 }).collect();
        let aggregate = BlsPublicKey::aggregate(&public).unwrap();
        let set = GuardianSet {
            since: Height(0),
            members: Bounded::try_from(members).unwrap(),
            aggregate,
        };
        Self { keys, set: Arc::new(set), flooded: MAX_FLOODED }
    }

    fn node(&self, index: Option<usize>) -> GuardianMachine {
        self.node_from(index, Start::default())
    }

    fn node_from(&self, index: Option<usize>, start: Start) -> GuardianMachine {
        let key = index.map(|index| self.keys[index].clone());
        let gossip = Gossip { flooded: self.flooded, ..Gossip::default() };
        let config = Config { chain: CHAIN, interval: 10, gossip };
        GuardianMachine::new(config, self.set.clone(), key, start).unwrap()
    }

    fn known(&self, header: &Header) -> Known {
        Known { block: header.id(), guardians: header.guardians_hash }
    }

    /// A header at a height on a branch.
    fn header(&self, height: u64, branch: u8) -> Header {
        let hash = self.set.hash(CHAIN);
        Header {
            chain_id: CHAIN,
            height: Height(height),
            epoch: Epoch(height),
            parent: BlockId(Hash([branch; 32])),
            hcc: Certificate::genesis(),
            tx_root: Hash::default(),
            state_root: Hash::default(),
            field_root: Hash::default(),
            validators_hash: Hash::default(),
            next_validators_hash: Hash::default(),
            guardians_hash: hash,
            next_guardians_hash: hash,
            cp_link: BlockId::default(),
            time: UnixMillis(height),
            proposer_index: 0,
            carried: Hash::default(),
            next_order: Hash::default(),
        }
    }

    fn share(&self, index: usize, header: &Header) -> Share {
        let vote = FinalityVote {
            guardians_hash: self.set.hash(CHAIN),
            height: header.height,
            block: header.id(),
        };
        let signature = self.keys[index].sign(vote.digest(CHAIN));
        Share { vote, index: u16::try_from(index).unwrap(), signature }
    }

    fn certificate(&self, signers: &[usize], header: &Header) -> FinalityCertificate {
        let shares: Vec<_> = signers.iter().map(|i| self.share(*i, header).signature).collect();
        FinalityCertificate {
            height: header.height,
            block: header.id(),
            signers: Signers::bitmap(self.keys.len(), signers.iter().copied()).unwrap(),
            signature: BlsSignature::aggregate(&shares).unwrap(),
        }
    }
}

#[test]
fn nothing_is_signed_above_a_change_of_guardians_that_has_no_certificate() {
    let world = World::new(4);
    let mut node = world.node(Some(0));
    let mut change = world.header(10, 1);
    change.next_guardians_hash = Hash([9; 32]);
    assert!(settle(&mut node, &change).is_some(), "the change itself is signed");
    let later = world.header(20, 1);
    assert_eq!(settle(&mut node, &later), None, "what is above it waits");
    let mut out = Vec::new();
    let certificate = world.certificate(&[0, 1, 2], &change);
    node.handle(NOW, Input::Message(PEER, Message::Certificate(certificate)), &mut out);
    let [Output::Final(_), Output::Store(_, record)] = out[..] else { panic!("{out:?}") };
    assert_eq!(record, GuardianRecord { height: Height(20), block: later.id() });
}

#[test]
fn a_change_whose_certificate_passed_by_is_asked_for_and_taken_late() {
    let world = World::new(4);
    let mut node = world.node(None);
    let mut change = world.header(10, 1);
    change.next_guardians_hash = Hash([9; 32]);
    let later = world.header(20, 1);
    assert!(settle(&mut node, &change).is_none() && settle(&mut node, &later).is_none());
    assert_eq!(node.deadline(), None, "nothing has passed by");
    let mut out = Vec::new();
    let certificate = world.certificate(&[0, 1, 2], &later);
    node.handle(NOW, Input::Message(PEER, Message::Certificate(certificate)), &mut out);
    assert!(matches!(out[..], [Output::Final(_)]), "{out:?}");
    out.clear();
    node.handle(NOW, Input::Tick, &mut out);
    assert!(matches!(out[..], [Output::Broadcast(Message::Ask(Height(10)))]), "{out:?}");
    assert_eq!(node.deadline(), Some(NOW.after(RESEND)));
    out.clear();
    let forged = world.certificate(&[0, 1], &change);
    node.handle(NOW, Input::Message(PEER, Message::Certificate(forged)), &mut out);
    assert!(matches!(out[..], [Output::Fault(Fault::BadMessage(PEER))]), "{out:?}");
    out.clear();
    let certificate = world.certificate(&[0, 1, 2], &change);
    node.handle(NOW, Input::Message(PEER, Message::Certificate(certificate)), &mut out);
    assert!(matches!(&out[..], [Output::Final(late)] if late.height == Height(10)), "{out:?}");
    assert_eq!((node.height(), node.deadline()), (Height(20), None));
}
