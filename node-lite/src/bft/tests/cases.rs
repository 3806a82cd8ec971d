//! Cases 1 to 3 of ADVERSARIAL.md, and what a single machine does at its borders.

use super::chain::Keys;
use crate::bft::{
    Bft, Fault, Input, Output,
    message::{Block, Message},
};
use antiphon_core::{
    chain::certificate::Certificate,
    codec::Bounded,
    id::{BlockId, Epoch, Height},
    time::Moment,
};

/// One machine, fed by hand; everything it asks of its host is done at once.
struct Alone {
    keys: Keys,
    bft: Bft,
    voted: Vec<BlockId>,
    settled: Vec<BlockId>,
    faults: Vec<Fault>,
    now: Moment,
}

impl Alone {
    fn new(index: Option<usize>) -> Self {
        let keys = Keys::new(4);
        let key = index.map(|index| keys.keys[index].clone());
        let mut out = Vec::new();
        let start = keys.start();
        let bft = Bft::new(Moment::ZERO, keys.config(), start, key, &mut out).unwrap();
        let (voted, settled, faults) = (Vec::new(), Vec::new(), Vec::new());
        let now = Moment::from_millis(1);
        Self { keys, bft, voted, settled, faults, now }
    }

    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.bft.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Store(token, _) => self.feed(Input::Stored(token)),
                Output::Execute(id) => self.feed(Input::Executed(id, true)),
                Output::Broadcast(Message::Vote(vote)) => self.voted.push(vote.vote.block),
                Output::Settled(settled) => {
                    self.settled.extend(settled.blocks.iter().map(|(id, _)| *id));
                }
                Output::Fault(fault) => self.faults.push(fault),
                Output::Broadcast(_) | Output::Ask(..) | Output::Build(_) | Output::Ended(_) => {}
            }
        }
    }

    fn show(&mut self, block: &Block) {
        self.feed(Input::Message(9, Message::Block(Box::new(block.clone()))));
    }

    fn certify(&mut self, block: &Block) {
        for voter in [0, 2, 3] {
            let vote = self.keys.vote(voter, block);
            self.feed(Input::Message(9, Message::Vote(vote)));
        }
    }

    /// Brings the machine into an epoch by the wishes of the three others.
    fn enter(&mut self, epoch: u64, high: &Certificate) {
        for sender in [0, 2, 3] {
            let change = self.keys.epoch_change(sender, epoch, high);
            self.feed(Input::Message(9, Message::EpochChange(Box::new(change))));
        }
        assert_eq!(self.bft.epoch(), Epoch(epoch));
    }
}

#[test]
fn a_locked_validator_refuses_a_higher_fork_that_has_not_seen_its_lock() {
    let mut v1 = Alone::new(Some(1));
    let keys = v1.keys.clone();
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let b1 = keys.block(&genesis, 1, &zero);
    let one = keys.certificate(&[0, 2, 3], &b1);
    let b2 = keys.block(&b1.signed.header, 2, &one);
    v1.show(&b1);
    v1.enter(2, &zero);
    v1.show(&b2);
    assert_eq!(v1.voted, [b1.id(), b2.id()], "and is locked on the certificate of height 1");
    // The longest chain that nobody certified: free for a proposer that waits.
    let a1 = keys.block(&genesis, 3, &zero);
    let a2 = keys.block(&a1.signed.header, 4, &zero);
    let c2 = keys.block(&a2.signed.header, 5, &zero);
    v1.show(&a1);
    v1.show(&a2);
    v1.enter(5, &zero);
    v1.show(&c2);
    assert_eq!(v1.voted, [b1.id(), b2.id()], "V2 allows height 3, V4 does not");
    // The branch that it is bound to goes on.
    let b3 = keys.block(&b2.signed.header, 6, &one);
    v1.enter(6, &zero);
    v1.show(&b3);
    assert_eq!(v1.voted, [b1.id(), b2.id(), b3.id()]);
}

#[test]
fn a_certified_child_without_its_parents_certificate_settles_nothing() {
    let mut node = Alone::new(None);
    let keys = node.keys.clone();
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let a = keys.block(&genesis, 1, &zero);
    let b = keys.block(&a.signed.header, 2, &zero);
    for block in [&a, &b] {
        node.show(block);
        node.certify(block);
    }
    assert_eq!(node.settled, [], "voters of B need not have seen CC(A)");
    let two = keys.certificate(&[0, 2, 3], &b);
    let c = keys.block(&b.signed.header, 3, &two);
    node.show(&c);
    assert_eq!(node.settled, [], "C is not certified yet");
    node.certify(&c);
    assert_eq!(node.settled, [a.id(), b.id()]);
}

#[test]
fn a_certificate_with_a_flaw_voids_the_block_that_carries_it() {
    let keys = Keys::new(4);
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let a = keys.block(&genesis, 1, &zero);
    let good = keys.certificate(&[0, 1, 2], &a);
    let with = |change: &dyn Fn(&mut Vec<_>)| {
        let mut signatures = good.signatures.to_vec();
        change(&mut signatures);
        Certificate { signatures: Bounded::try_from(signatures).unwrap(), ..good.clone() }
    };
    let flawed = [
        with(&|s| s[1] = s[0].clone()),
        with(&|s| s.swap(0, 1)),
        with(&|s| s[2].index = 4),
        with(&|s| s[2].signature = s[1].signature),
        with(&|s| {
            s.pop();
        }),
    ];
    for certificate in flawed {
        let mut node = Alone::new(None);
        node.show(&a);
        node.show(&keys.block(&a.signed.header, 2, &certificate));
        assert!(matches!(node.faults[..], [Fault::BadMessage(9)]), "{certificate:?}");
    }
    let mut node = Alone::new(None);
    node.show(&a);
    node.show(&keys.block(&a.signed.header, 2, &good));
    assert!(node.faults.is_empty());
}

#[test]
fn two_blocks_of_one_slot_are_evidence_and_a_third_is_not_kept() {
    let mut node = Alone::new(None);
    let keys = node.keys.clone();
    let first = keys.block(&keys.genesis(), 1, &keys.genesis_certificate());
    let other = |ms| {
        let mut header = first.signed.header.clone();
        header.time = header.time.plus(ms);
        keys.sign(header)
    };
    node.show(&first);
    node.show(&other(1));
    node.show(&other(2));
    assert!(matches!(node.faults[..], [Fault::TwoProposals(_)]));
    assert!(node.bft.block(&other(2).id()).is_none());
}

#[test]
fn two_votes_of_one_validator_at_one_height_are_evidence_and_count_once() {
    let mut node = Alone::new(None);
    let keys = node.keys.clone();
    let a = keys.block(&keys.genesis(), 1, &keys.genesis_certificate());
    let b = keys.block(&keys.genesis(), 2, &keys.genesis_certificate());
    for block in [&a, &b] {
        node.show(block);
        node.feed(Input::Message(9, Message::Vote(keys.vote(3, block))));
    }
    assert!(matches!(node.faults[..], [Fault::TwoVotes(_)]));
    for voter in [0, 2] {
        node.feed(Input::Message(9, Message::Vote(keys.vote(voter, &b))));
    }
    assert_eq!(node.bft.highest().map(|c| c.height), Some(Height(0)), "two votes and a double");
}

#[test]
fn far_epochs_and_strangers_leave_no_trace() {
    let mut node = Alone::new(Some(1));
    let keys = node.keys.clone();
    let zero = keys.genesis_certificate();
    // Case 9: one validator may wish what it likes.
    let change = keys.epoch_change(3, 1 << 63, &zero);
    node.feed(Input::Message(9, Message::EpochChange(Box::new(change))));
    assert_eq!(node.bft.epoch(), Epoch(0));
    let far = keys.block(&keys.genesis(), 1001, &zero);
    node.show(&far);
    assert!(node.bft.block(&far.id()).is_none());
    let mut stranger = keys.vote(3, &far);
    stranger.index = 200;
    node.feed(Input::Message(9, Message::Vote(stranger)));
    assert!(matches!(node.faults[..], [Fault::BadMessage(9)]));
}

#[test]
fn a_block_dated_ahead_of_the_clock_waits_for_its_time() {
    let mut node = Alone::new(None);
    let keys = node.keys.clone();
    let mut header = keys.block(&keys.genesis(), 1, &keys.genesis_certificate()).signed.header;
    // Drift is ten seconds; the clock stands one millisecond after genesis.
    header.time = keys.genesis().time.plus(10_002);
    let early = keys.sign(header.clone());
    node.show(&early);
    assert!(node.bft.block(&early.id()).is_none());
    header.time = keys.genesis().time.plus(10_001);
    let just = keys.sign(header);
    node.show(&just);
    assert!(node.bft.block(&just.id()).is_some());
}

#[test]
fn the_timer_fires_at_its_deadline_and_not_a_millisecond_before() {
    let mut node = Alone::new(Some(1));
    let due = node.bft.deadline().unwrap();
    node.now = Moment::from_millis(due.as_millis() - 1);
    node.feed(Input::Tick);
    assert_eq!(node.bft.deadline(), Some(due));
    node.now = due;
    node.feed(Input::Tick);
    assert!(node.bft.deadline().unwrap() > due);
}

#[test]
fn nothing_is_said_before_it_is_stored() {
    let keys = Keys::new(4);
    let mut out = Vec::new();
    let key = Some(keys.keys[1].clone());
    let mut bft = Bft::new(Moment::ZERO, keys.config(), keys.start(), key, &mut out).unwrap();
    let due = bft.deadline().unwrap();
    bft.handle(due, Input::Tick, &mut out);
    let [Output::Store(token, _)] = out[..] else { panic!("{out:?}") };
    out.clear();
    bft.handle(due, Input::Stored(token), &mut out);
    assert!(matches!(out[..], [Output::Broadcast(Message::EpochChange(_))]), "{out:?}");
    out.clear();
    bft.handle(due, Input::Stored(token), &mut out);
    assert!(out.is_empty(), "a token is good once");
}
