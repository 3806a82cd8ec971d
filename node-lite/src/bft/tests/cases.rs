//! Cases 1 to 3 of ADVERSARIAL.md, and what a single machine does at its borders.

use super::chain::{CHAIN, Keys};
use crate::bft::{
    Bft, Config, Fault, Input, MAX_ASKS, Output, Peer, SafetyRecord,
    message::{Block, Message},
};
use antiphon_core::{
    chain::{beacon::ProposerOrder, certificate::Certificate, header::Header},
    codec::Bounded,
    crypto::Hash,
    id::{BlockId, Epoch, Height},
    time::Moment,
};
use std::collections::VecDeque;

/// One machine, fed by hand; everything it asks of its host is done at once.
struct Alone {
    keys: Keys,
    bft: Bft,
    voted: Vec<BlockId>,
    settled: Vec<BlockId>,
    faults: Vec<Fault>,
    asked: Vec<(Peer, BlockId)>,
    now: Moment,
}

impl Alone {
    fn new(index: Option<usize>) -> Self {
        Self::in_order(ProposerOrder::RoundRobin, index)
    }

    fn in_order(order: ProposerOrder, index: Option<usize>) -> Self {
        let keys = Keys::new(4);
        let key = index.map(|index| keys.keys[index].clone());
        let mut out = Vec::new();
        let start = keys.start();
        let bft = Bft::new(Moment::ZERO, Config { order, ..keys.config() }, start, key, &mut out)
            .unwrap();
        let (voted, settled, faults, asked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let now = Moment::from_millis(1);
        Self { keys, bft, voted, settled, faults, asked, now }
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut out = Vec::new();
            self.bft.handle(self.now, input, &mut out);
            inputs.extend(out.into_iter().filter_map(|output| self.carry_out(output)));
        }
    }

    /// Does what is asked, and returns what the machine hears of it.
    fn carry_out(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Store(token, _) => return Some(Input::Stored(token)),
            Output::Execute(id) => return Some(Input::Executed(id, true)),
            Output::Broadcast(Message::Vote(vote)) => self.voted.push(vote.vote.block),
            Output::Settled(settled) => {
                self.settled.extend(settled.blocks.iter().map(|(id, _)| *id));
            }
            Output::Fault(fault) => self.faults.push(fault),
            Output::Ask(peer, id) => self.asked.push((peer, id)),
            Output::Broadcast(_) | Output::Build(_) | Output::Ended(_) => {}
        }
        None
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

/// V4 of A1.17 has two halves, and one mostly hides the other: who is locked has usually announced it, too.
#[test]
fn the_lock_binds_without_an_announcement_and_an_announcement_without_a_lock() {
    let keys = Keys::new(4);
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let fork = keys.block(&genesis, 5, &zero).signed.header;
    let free =
        SafetyRecord { epoch: Epoch(5), ..SafetyRecord::new(keys.set.hash(CHAIN), zero.clone()) };
    assert!(free.may_vote(&fork, Height(0)));
    assert!(!free.may_vote(&fork, Height(1)), "it told others of a certificate at height 1");
    let lock = keys.certificate(&[0, 2, 3], &keys.block(&genesis, 1, &zero));
    let locked = SafetyRecord { lock, ..free };
    assert!(!locked.may_vote(&fork, Height(0)), "as after a restart: nothing is announced yet");
}

/// V2 of A1.17, and with it one certificate a height (A1.19).
#[test]
fn a_height_is_voted_for_once() {
    let mut v1 = Alone::new(Some(1));
    let keys = v1.keys.clone();
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let (a1, b1) = (keys.block(&genesis, 1, &zero), keys.block(&genesis, 2, &zero));
    v1.enter(1, &zero);
    v1.show(&a1);
    v1.enter(2, &zero);
    v1.show(&b1);
    assert_eq!(v1.voted, [a1.id()], "V4 allows height 1 again, V2 does not");
    let b2 = keys.block(&b1.signed.header, 3, &zero);
    v1.enter(3, &zero);
    v1.show(&b2);
    assert_eq!(v1.voted, [a1.id(), b2.id()]);
}

/// V1 of A1.17.
#[test]
fn a_block_of_another_epoch_gets_no_vote() {
    let mut v1 = Alone::new(Some(1));
    let keys = v1.keys.clone();
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let (past, present) = (keys.block(&genesis, 2, &zero), keys.block(&genesis, 3, &zero));
    let next = keys.block(&present.signed.header, 4, &zero);
    v1.enter(3, &zero);
    v1.show(&past);
    assert_eq!(v1.voted, []);
    v1.show(&present);
    v1.show(&next);
    assert_eq!(v1.voted, [present.id()]);
    v1.enter(4, &zero);
    assert_eq!(v1.voted, [present.id(), next.id()], "it was waiting for its epoch");
}

/// AELF-12: where the order is drawn, the parent's header says whose turn it is.
#[test]
fn above_a_drawn_order_only_whose_turn_it_is_may_propose() {
    let order = ProposerOrder::CommitReveal;
    let mut v1 = Alone::in_order(order, Some(1));
    let keys = v1.keys.clone();
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let turn = order.proposer(genesis.next_order, &keys.set, Epoch(3)).unwrap();
    let by = |proposer_index| {
        let header = keys.block(&genesis, 3, &zero).signed.header;
        keys.sign(Header { proposer_index, ..header })
    };
    v1.enter(3, &zero);
    for other in (0..4).filter(|index| *index != turn) {
        v1.show(&by(other));
        assert_eq!(v1.voted, [], "it is not the turn of {other}");
    }
    v1.show(&by(turn));
    assert_eq!(v1.voted, [by(turn).id()]);
    assert!(v1.faults.is_empty(), "{:?}", v1.faults);
}

/// V3 of A1.17. The certificate is good, but of a block that this one does not build on.
#[test]
fn a_block_that_carries_a_certificate_of_another_branch_gets_no_vote() {
    let mut v1 = Alone::new(Some(1));
    let keys = v1.keys.clone();
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let (a1, b1) = (keys.block(&genesis, 1, &zero), keys.block(&genesis, 2, &zero));
    v1.enter(3, &zero);
    [&a1, &b1].iter().for_each(|block| v1.show(block));
    let one = keys.certificate(&[0, 2, 3], &a1);
    v1.show(&keys.block(&b1.signed.header, 3, &one));
    assert_eq!(v1.voted, []);
    let a2 = keys.block(&a1.signed.header, 4, &one);
    v1.enter(4, &zero);
    v1.show(&a2);
    assert_eq!(v1.voted, [a2.id()]);
}

/// A1.22: from the checkpoint that elects another set on there are only closing blocks, and none of them settles.
#[test]
fn above_the_checkpoint_that_ends_a_term_nothing_is_settled() {
    let mut node = Alone::new(None);
    let keys = node.keys.clone();
    let (mut below, mut certificate) = (keys.genesis(), keys.genesis_certificate());
    let mut blocks = Vec::new();
    // Heights 1 to 4; height 2 elects another set, and what is above it repeats that.
    for height in 1..=4 {
        let mut header = keys.block(&below, height, &certificate).signed.header;
        if height >= 2 {
            header.next_validators_hash = Hash([5; 32]);
        }
        let block = keys.sign(header);
        below = block.signed.header.clone();
        if height == 3 {
            certificate = keys.certificate(&[0, 2, 3], &block);
        }
        node.show(&block);
        blocks.push(block);
    }
    // Height 4 carries the certificate of height 3, and so would settle it.
    node.certify(&blocks[3]);
    assert_eq!(node.settled, [blocks[0].id(), blocks[1].id()]);
    assert_eq!(node.bft.root_id(), blocks[1].id());
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
    let kept = node.bft.kept_entries();
    let mut stranger = keys.vote(3, &far);
    for number in 0..100_000_u32 {
        stranger.index = 4 + (number % 60_000) as u16;
        stranger.vote.height = Height(u64::from(number % 900));
        node.faults.clear();
        node.feed(Input::Message(9, Message::Vote(stranger.clone())));
    }
    assert!(matches!(node.faults[..], [Fault::BadMessage(9)]));
    assert_eq!(node.bft.kept_entries(), kept);
}

/// Case 9: a proposer may sign any number of blocks for the epochs that were its own. None of them can build on the root.
#[test]
fn blocks_of_epochs_that_are_over_at_the_root_leave_no_trace() {
    let mut node = Alone::new(None);
    let keys = node.keys.clone();
    let (genesis, zero) = (keys.genesis(), keys.genesis_certificate());
    let high = |epoch, height| {
        let mut header = keys.block(&genesis, epoch, &zero).signed.header;
        header.height = Height(height);
        keys.sign(header)
    };
    let early = high(3, 700);
    node.show(&early);
    assert!(node.bft.block(&early.id()).is_some(), "as long as it may build on the root");
    let a = keys.block(&genesis, 7, &zero);
    let one = keys.certificate(&[0, 2, 3], &a);
    let b = keys.block(&a.signed.header, 8, &one);
    [&a, &b].iter().for_each(|block| node.show(block));
    node.certify(&b);
    assert_eq!(node.settled, [a.id()]);
    assert!(node.bft.block(&early.id()).is_none());
    let kept = node.bft.kept_entries();
    for epoch in 1..=7 {
        for height in 900..910 {
            node.show(&high(epoch, height));
        }
    }
    assert_eq!(node.bft.kept_entries(), kept);
}

/// Case 9: who names blocks that nobody has must not keep this node from asking the others.
#[test]
fn who_names_many_unknown_blocks_is_asked_for_few_and_the_others_as_before() {
    let mut node = Alone::new(Some(1));
    let keys = node.keys.clone();
    for number in 0..100 {
        let mut header = keys.block(&keys.genesis(), 1, &keys.genesis_certificate()).signed.header;
        header.validators_hash = Hash([number; 32]);
        header.height = Height(500);
        node.feed(Input::Message(7, Message::Block(Box::new(keys.sign(header)))));
    }
    assert_eq!(node.asked.len(), MAX_ASKS);
    let lacking = keys.block(&keys.genesis(), 2, &keys.genesis_certificate());
    let mut change = keys.epoch_change(2, 3, &keys.genesis_certificate());
    change.last_vote = Some(keys.vote(2, &lacking));
    node.feed(Input::Message(2, Message::EpochChange(Box::new(change))));
    assert_eq!(node.asked.last(), Some(&(2, lacking.id())));
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
