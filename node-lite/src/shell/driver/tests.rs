use super::*;
use crate::{
    bft::message::{EpochChange, Message, SignedEpochChange},
    shell::dev::{Options, keys::Network},
    supernode::{
        Config,
        wire::{Ask, Wire},
    },
};
use antiphon_core::{
    chain::{certificate::Certificate, spec::ChainSpec},
    codec,
    crypto::Signature,
    id::{BlockId, Epoch, Height},
};
use std::sync::Mutex;

#[test]
fn what_no_honest_node_sends_is_judged_foul_and_everything_else_fair() {
    let verdicts = judge(|spec| {
        let validators_hash = spec.validators.hash(spec.chain_id());
        let change =
            EpochChange { validators_hash, epoch: Epoch(1), high_cc: Certificate::genesis() };
        let signature = Signature([0; 64]);
        let unsigned = SignedEpochChange { change, index: 0, signature, last_vote: None };
        let unsigned = Wire::Bft(Message::EpochChange(Box::new(unsigned)));
        let ask = Wire::Ask(Ask { block: BlockId::default(), above: Height(0) });
        vec![vec![99], codec::encode(&unsigned), codec::encode(&ask)]
    });
    assert_eq!(
        verdicts,
        [(Ticket(0), Verdict::Foul), (Ticket(1), Verdict::Foul), (Ticket(2), Verdict::Fair)]
    );
}

#[test]
fn a_full_mailbox_refuses_and_a_stop_is_heard_all_the_same() {
    let mailbox = Mailbox::default();
    let handle = mailbox.handle();
    let bytes: Arc<[u8]> = Arc::new([99]);
    let taken = (0..MAX_QUEUED + 9).filter(|_| handle.deliver(0, bytes.clone(), None)).count();
    assert_eq!(taken, MAX_QUEUED);
    handle.stop();
    let (driver, first) = driver(mailbox, Noted::default());
    driver.run(first, &mut Blind).unwrap();
}

#[test]
fn a_mailbox_holds_so_many_bytes_and_has_room_again_when_they_are_read() {
    let mailbox = Mailbox::default();
    let handle = mailbox.handle();
    let long: Arc<[u8]> = vec![99; 2 << 20].into();
    let taken = |handle: &Handle| (0..99).filter(|_| handle.deliver(0, long.clone(), None)).count();
    assert_eq!(taken(&handle), 32);
    let (driver, first) = driver(mailbox, Noted::default());
    let other = handle.clone();
    driver.run(first, &mut StopAfter(32, handle)).unwrap();
    assert_eq!(other.queued_bytes.load(Ordering::Acquire), 0);
}

/// A carrier that only notes the verdicts.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<(Ticket, Verdict)>>>);

impl Carrier for Noted {
    fn blame(&mut self, _: Peer) {}

    fn broadcast(&mut self, _: Vec<u8>) {}
    fn send(&mut self, _: Peer, _: Vec<u8>) {}
    fn judged(&mut self, ticket: Ticket, verdict: Verdict) {
        self.0.lock().unwrap().push((ticket, verdict));
    }
}

struct Blind;

impl Watch for Blind {
    fn after(&mut self, _: &Supernode<Store>) {}
    fn stored(&mut self, _: Duration) {}
    fn fault(&mut self, _: &Fault) {}
}

/// Stops the driver after so many looks.
struct StopAfter(usize, Handle);

impl Watch for StopAfter {
    fn after(&mut self, _: &Supernode<Store>) {
        if self.0 == 0 {
            self.1.stop();
        }
        self.0 = self.0.saturating_sub(1);
    }
    fn stored(&mut self, _: Duration) {}
    fn fault(&mut self, _: &Fault) {}
}

fn judge(messages: impl Fn(&ChainSpec) -> Vec<Vec<u8>>) -> Vec<(Ticket, Verdict)> {
    let (mailbox, noted) = (Mailbox::default(), Noted::default());
    let handle = mailbox.handle();
    let (driver, first) = driver(mailbox, noted.clone());
    let messages = messages(driver.node.spec());
    for (ticket, bytes) in (0..).map(Ticket).zip(&messages) {
        assert!(handle.deliver(3, bytes.as_slice().into(), Some(ticket)));
    }
    driver.run(first, &mut StopAfter(messages.len(), handle)).unwrap();
    noted.0.lock().unwrap().clone()
}

/// A node without keys, on a chain of its own.
fn driver(mailbox: Mailbox, carrier: Noted) -> (Driver<Noted>, Vec<Output>) {
    let data = tempfile::tempdir().unwrap();
    let options = Options {
        data: data.path().to_owned(),
        reset: false,
        block_time: Duration::from_secs(1),
        rpc: ([127, 0, 0, 1], 0).into(),
        stake: false,
        unbond: None,
        keep: crate::shell::store::Keep::default(),
    };
    let spec = Network::open(&options).unwrap().spec;
    let store = Store::open(data.path(), &spec).unwrap();
    let start = store.start(spec.checkpoint_interval).unwrap();
    let clock = Clock::start();
    let config = Config {
        spec,
        validator: None,
        guardian: None,
        delta: Duration::from_secs(1),
        origin_ms: clock.origin_ms,
        gossip: guardian::Gossip::default(),
    };
    let mut first = Vec::new();
    let node = Supernode::new(clock.now(), config, store.clone(), start, &mut first).unwrap();
    (Driver { index: 0, node, store, mailbox, carrier, clock }, first)
}
