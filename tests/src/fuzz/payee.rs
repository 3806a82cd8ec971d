//! The payee between vouchers good and bad, a chain that moves or does not, and a slow disk.

use super::{
    choice::Choices,
    world::{self, PEERS, PRICE, world},
};
use antiphon_core::{
    amount::Amount,
    chain::Level,
    codec::encode,
    crypto::Signed,
    id::Height,
    payment::{
        StoreToken,
        payee::{BookView, Input, Output, Payee, PayeePolicy, Proof},
        reservation::{Claim, Insolvency, PaidState, PoolState, PoolStatus},
        tick::{Ladder, Preimage, Ticks},
        voucher::Voucher,
    },
    time::Moment,
};
use std::{collections::BTreeMap, time::Duration};

/// Inputs in one run.
const MAX_STEPS: usize = 128;
/// Most outputs of one input: each of the few pools settled, each peer credited or at fault, a write each.
const MAX_OUTPUTS: usize = 32;

/// Drives a payee; the bytes say what peers send, what is proven and what is written.
pub fn payee_machine(data: &[u8]) -> &'static str {
    let world = world();
    let mut choices = Choices::new(data);
    let max_exposure = Amount::from_units(60);
    let (settle_at, final_above) = (Amount::from_units(40), Amount::from_units(50));
    let defaults = PayeePolicy::for_price(PRICE, Amount::from_units(1));
    let policy = PayeePolicy { max_exposure, settle_at, final_above, ..defaults };
    let rows = super::row::honest().into_iter().filter(|(name, _)| Payee::owns(name));
    let rows = super::row::read(rows.take(choices.below(2)));
    let payee = Payee::new(world.chain, world.address(), world.spec.pool, policy, rows);
    let mut run = Run { payee, now: Moment::ZERO, height: 20, writes: BTreeMap::new(), durable: 0 };
    for at in 0..PEERS {
        assert!(run.payee.set_terms(world.peer(at), world.stream, PRICE).is_ok());
    }
    let mut steps = 0;
    while !choices.is_empty() && steps < MAX_STEPS {
        run.step(&mut choices);
        steps += 1;
    }
    "ok"
}

/// Ticks of a neighbour's voucher.
const LENGTH: u32 = 12;

fn ladder(at: usize, seq: u64) -> Ladder {
    let world = world();
    let key = &world.peers[at % PEERS];
    Ladder::new(key, world.chain, (&world.pool(at), &world.address(), seq), LENGTH)
}

/// A neighbour's voucher that commits to ticks.
fn ticked(at: usize, seq: u64, cum: u128, price: u128) -> Signed<Voucher> {
    let world = world();
    let (anchor, price) = (ladder(at, seq).anchor(), Amount::from_units(price));
    let ticks = Some(Ticks { anchor, price, length: LENGTH });
    let body = Voucher { ticks, ..world.voucher(at, seq, cum).body };
    Signed::new(&world.peers[at % PEERS], world.chain, body)
}

struct Run {
    payee: Payee,
    now: Moment,
    height: u64,
    writes: BTreeMap<StoreToken, Vec<u8>>,
    durable: usize,
}

impl Run {
    fn step(&mut self, choices: &mut Choices<'_>) {
        let world = world();
        let at = choices.below(PEERS);
        let peer = world.peer(at);
        let input = match choices.below(14) {
            0 => Input::Offered(peer, world.pool(choices.below(PEERS))),
            1 => Input::Proven(world.pool(at), Box::new(self.proof(at, choices))),
            2..5 => {
                let (seq, cum) = (choices.byte().into(), choices.byte().into());
                Input::Voucher(peer, encode(&world.voucher(at, seq, cum).to_compact()))
            }
            5 => {
                let (seq, cum) = (choices.byte().into(), choices.byte().into());
                let honest = encode(&world.voucher(at, seq, cum).to_compact());
                Input::Voucher(peer, choices.spoil(honest))
            }
            6 => {
                self.height = self.height.saturating_add(choices.byte().into());
                Input::Tip(Height(self.height))
            }
            7 => {
                self.now = self.now.after(Duration::from_millis(u64::from(choices.byte()) * 200));
                Input::Tick
            }
            8 | 9 => {
                let token = self.writes.keys().next().copied().unwrap_or(StoreToken(999));
                self.durable += usize::from(self.writes.remove(&token).is_some());
                Input::Stored(token)
            }
            10 => Input::Left(peer),
            12 => {
                let (seq, cum, price) = (choices.byte(), choices.byte(), choices.byte());
                let voucher = ticked(at, seq.into(), cum.into(), price.into());
                Input::Voucher(peer, encode(&voucher.to_compact()))
            }
            13 => {
                let (seq, count) = (choices.byte(), choices.byte());
                let honest = ladder(at, seq.into()).preimage(u32::from(count) % (LENGTH + 1));
                Input::Revealed(peer, honest.unwrap_or(Preimage([count; 32])))
            }
            _ => {
                // Not an input: serve a chunk, or settle all.
                if choices.below(4) == 0 {
                    let mut out = Vec::new();
                    self.payee.settle(&mut out);
                    self.take(out, false);
                } else {
                    let owed = self.payee.balance(peer).1;
                    let served = self.payee.serve(peer);
                    let limit = Amount::from_units(PRICE.units() * 8);
                    assert!(
                        served.is_err() || self.payee.balance(peer).1 <= limit,
                        "endless credit"
                    );
                    assert!(
                        served.is_ok() || self.payee.balance(peer).1 == owed,
                        "counted, not served"
                    );
                }
                return;
            }
        };
        self.feed(input);
    }

    fn proof(&self, at: usize, choices: &mut Choices<'_>) -> Proof {
        let world = world();
        let terms = world::terms(&world.peers[at], world.stream, 0);
        let opened = PoolState {
            creator: terms.creator,
            resource: terms.resource,
            deposit: terms.deposit,
            collateral: terms.collateral,
            paid_total: Amount::ZERO,
            end_height: terms.end_height,
            status: choices.of(&self.statuses()).copied().unwrap_or(PoolStatus::Open),
        };
        let level = *choices.of(&Level::ALL).unwrap_or(&Level::Settled);
        let cum = Amount::from_units(choices.byte().into());
        let claim = matches!(opened.status, PoolStatus::Insolvent(_)).then(|| {
            let [weight, share] =
                [choices.byte(), choices.byte()].map(|n| Amount::from_units(n.into()));
            Claim { weight, collected: Some(share).filter(|share| !share.is_zero()) }
        });
        let paid = PaidState { seq: u64::from(!cum.is_zero()), cum, claim };
        Proof {
            state: PoolState { paid_total: cum, ..opened },
            paid,
            height: Height(self.height),
            level,
        }
    }

    /// Open twice as often as insolvent.
    fn statuses(&self) -> [PoolStatus; 3] {
        let units = Amount::from_units;
        let insolvency = Insolvency {
            since: Height(self.height),
            claimed: units(100),
            uncollected: 2,
            left: units(90),
        };
        [PoolStatus::Open, PoolStatus::Open, PoolStatus::Insolvent(insolvency)]
    }

    fn feed(&mut self, input: Input) {
        let is_tick = matches!(input, Input::Revealed(..));
        let is_voucher = is_tick || matches!(input, Input::Voucher(..));
        let before = self.payee.view();
        let is_due = input == Input::Tick && self.payee.deadline().is_some_and(|d| d <= self.now);
        // Credit follows a write, or is a tick's.
        let may_credit = is_tick || matches!(input, Input::Stored(_));
        let mut out = Vec::new();
        self.payee.handle(self.now, input, &mut out);
        if is_due {
            assert!(
                self.payee.deadline().is_none_or(|d| d > self.now),
                "the deadline stands still"
            );
        }
        if let (true, [Output::Fault(..)]) = (is_voucher, &out[..]) {
            assert!(self.payee.view() == before, "a refused voucher changed something");
        }
        self.is_bounded(&before);
        self.take(out, may_credit);
    }

    /// Only a chain that takes a payment back may expose the payee beyond its limit: no voucher may.
    fn is_bounded(&self, before: &[BookView]) {
        let restored = Amount::from_units(44);
        for book in self.payee.view() {
            let old = before.iter().find(|old| old.pool == book.pool);
            let was = old.map_or(Amount::ZERO, |old| old.exposure);
            let is_taken_back = old.is_some_and(|old| book.paid < old.paid);
            assert!(
                is_taken_back || book.exposure <= book.max_exposure.max(restored).max(was),
                "exposed beyond its limit"
            );
        }
    }

    fn take(&mut self, out: Vec<Output>, may_credit: bool) {
        assert!(out.len() <= MAX_OUTPUTS, "{} outputs of one input", out.len());
        let world = world();
        for output in out {
            match output {
                Output::Store(token, _, Some(row)) => {
                    assert!(self.writes.insert(token, row).is_none(), "a token used twice");
                }
                Output::Credit(..) => assert!(may_credit, "credit before it is stored"),
                Output::Settle(promise) => {
                    let mut peers = world.peers.iter();
                    let is_signed =
                        peers.any(|key| promise.verify(&[world.chain], &key.public()).is_ok());
                    assert!(is_signed, "settles what nobody signed");
                }
                Output::Store(_, _, None)
                | Output::NeedPool(_)
                | Output::Fault(..)
                | Output::Settled(..)
                | Output::Insolvent(..)
                | Output::Collect(_)
                | Output::Lost(..) => {}
            }
        }
        assert!(self.writes.len() <= PEERS * 2 + self.durable, "writes pile up");
    }
}
