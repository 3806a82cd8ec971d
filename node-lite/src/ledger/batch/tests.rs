#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

use super::*;
use crate::ledger::tests::chain::{Chain, Memory, address, key, pay, spec};
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::{ChainSpec, GenesisAccount},
        state::{StateKey, Supply},
        transaction::Message,
    },
    crypto::Signed,
    payment::{
        reservation::{PoolTerms, pool_id},
        voucher::Voucher,
    },
};
use proptest::prelude::*;

const WORKERS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// What one account does: pays another one, opens a pool, or releases one, whose creator nobody can guess from outside.
#[derive(Clone, Debug)]
enum Act {
    Pay(u8, u64),
    Open,
    Release(u8, u64),
    /// Settles what this creator promised it, or breaks its pool, which burns the collateral: one row for all pools.
    Settle(u8, u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1..40_u8, 1..400_000_u64).prop_map(|(to, amount)| Act::Pay(to, amount)),
        3 => Just(Act::Open),
        3 => (1..40_u8, 1..1_500_u64).prop_map(|(creator, cum)| Act::Settle(creator, cum)),
        2 => (1..40_u8, 1..3_u64).prop_map(|(creator, nonce)| Act::Release(creator, nonce)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A9.5: whatever senders do to each other, threads give the result of one after the other.
    #[test]
    fn threads_give_the_same_result_as_one_after_the_other(
        acts in prop::collection::vec((1..40_u8, act()), MIN_PARALLEL..120)
    ) {
        let chain = endowed(40);
        let jobs = jobs(&chain, &acts);
        let run = |workers| {
            let mut session = session(&chain);
            let verdicts = apply_all(&mut session, &jobs, workers);
            session.pay_proposer().unwrap();
            (verdicts, session.into_changes().unwrap())
        };
        prop_assert_eq!(run(WORKERS), run(NonZeroUsize::MIN));
    }
}

#[test]
fn senders_that_do_not_meet_are_executed_apart() {
    let chain = endowed(40);
    let acts: Vec<_> = (0..20).map(|n| (2 * n + 1, Act::Pay(2 * n + 2, 5))).collect();
    let jobs = jobs(&chain, &acts);
    let groups = groups(&jobs);
    assert_eq!(groups.len(), 20);
    let mut session = session(&chain);
    let verdicts = apply_apart(&mut session, &jobs, &bins(groups, 4)).expect("no row in common");
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
}

/// Two pools that have nothing in common break in one block: what is burned is one row.
#[test]
fn pools_that_break_in_one_block_are_executed_in_order_and_all_is_burned() {
    let mut chain = endowed(40);
    let open = |creator| chain.tx(creator, 1, vec![Message::CreatePool(terms(&chain, creator, 1))]);
    let opened = [1, 2].map(open).to_vec();
    chain.settle(opened);
    let breaks = [(1, 11), (2, 12)].map(|(creator, target)| {
        let tx = chain.tx(target, 1, vec![settle(&chain, creator, target, 1_001)]);
        Job { tx, is_known: true }
    });
    let bins = bins(groups(&breaks), 4);
    assert_eq!(bins.len(), 2, "nothing in common, as far as anybody can guess");
    let mut apart = session(&chain);
    assert_eq!(apply_apart(&mut apart, &breaks, &bins), None);
    chain.settle(breaks.map(|job| job.tx).to_vec());
    let supply: Supply = chain.row(&StateKey::supply(chain.id)).unwrap();
    let bounty = chain.ledger.spec().pool.bounty;
    let burned = Amount::from_units(2 * 2_000 - 2 * bounty.units());
    assert_eq!(supply.burned, [Amount::ZERO, burned]);
}

/// The guess does not see whose account a release pays; the rows do.
#[test]
fn a_row_that_nobody_foresaw_is_noticed_and_all_is_done_again() {
    let mut chain = endowed(40);
    let open = chain.tx(1, 1, vec![Message::CreatePool(terms(&chain, 1, 4))]);
    chain.settle(vec![open]);
    let rules = chain.ledger.spec().pool;
    for _ in 0..=rules.min_duration + rules.freeze {
        chain.settle(Vec::new());
    }
    let pool = pool_id(chain.id, &address(1), 4);
    let all = chain.balance(1);
    // Account 1 can pay this only with what account 2 releases to it, which comes first.
    let (release, rich) =
        (chain.tx(2, 1, vec![Message::Release(pool)]), chain.tx(1, 2, vec![pay(3, all)]));
    let jobs: Vec<_> = [release, rich].into_iter().map(|tx| Job { tx, is_known: false }).collect();
    let bins = bins(groups(&jobs), 4);
    assert_eq!(bins.len(), 2, "nothing in common, as far as anybody can guess");
    let mut session = session(&chain);
    assert_eq!(apply_apart(&mut session, &jobs, &bins), None);
    assert!(session.is_fresh());
    let verdicts: Vec<_> = jobs.iter().map(|job| session.apply(&job.tx, false)).collect();
    assert_eq!(verdicts, [Ok(()), Ok(())], "in order, the release comes in time");
}

#[test]
fn one_scope_is_one_group() {
    let chain = endowed(8);
    let scoped = |from: u8, scope: &str| {
        let scope = scope.try_into().unwrap();
        let tx = chain.changed(from, vec![pay(from + 1, 1)], |tx| tx.scope = scope);
        Job { tx, is_known: false }
    };
    let jobs = [scoped(1, "shop"), scoped(3, ""), scoped(5, "shop"), scoped(6, "")];
    assert_eq!(groups(&jobs), [vec![0, 2, 3], vec![1]], "6 is whom 5 pays");
}

/// A chain on which this many accounts own something.
fn endowed(accounts: u8) -> Chain {
    let endow =
        |n| GenesisAccount { address: address(n), balances: [Amount::from_units(1_000_000); 2] };
    let accounts: Vec<_> = (1..=accounts).map(endow).collect();
    Chain::of(ChainSpec { accounts: accounts.try_into().unwrap(), ..spec() })
}

fn session(chain: &Chain) -> Session<'_, Memory> {
    chain.ledger.session(&chain.request()).unwrap()
}

fn terms(chain: &Chain, creator: u8, nonce: u64) -> PoolTerms {
    PoolTerms { creator: key(creator).public(), nonce, ..chain.terms(1_000, 2_000) }
}

/// What `target` brings of what `creator` promised from its first pool, of a deposit of 1000.
fn settle(chain: &Chain, creator: u8, target: u8, cum: u128) -> Message {
    let terms = terms(chain, creator, 1);
    let (pool, resource, cum) = (terms.id(chain.id), terms.resource, Amount::from_units(cum));
    let body = Voucher { pool, resource, target: address(target), seq: 1, cum, ticks: None };
    Message::Settle(Box::new(Signed::new(&key(creator), chain.id, body).into()))
}

fn jobs(chain: &Chain, acts: &[(u8, Act)]) -> Vec<Job> {
    let mut sequences = [0_u64; 41];
    let mut pools = [0_u64; 41];
    let job = |(from, act): &(u8, Act)| {
        let sequence = &mut sequences[usize::from(*from)];
        *sequence += 1;
        let message = match act {
            Act::Pay(to, amount) => pay(*to, u128::from(*amount)),
            Act::Open => {
                let nonce = &mut pools[usize::from(*from)];
                *nonce += 1;
                Message::CreatePool(terms(chain, *from, *nonce))
            }
            Act::Settle(creator, cum) => settle(chain, *creator, *from, (*cum).into()),
            Act::Release(creator, nonce) => {
                Message::Release(pool_id(chain.id, &address(*creator), *nonce))
            }
        };
        Job { tx: chain.tx(*from, *sequence, vec![message]), is_known: true }
    };
    acts.iter().map(job).collect()
}
