//! No money is made or lost, whatever is sent, and the boundary heights of a pool are sharp.
//! PROTOCOL A5.9, A5.12, A10.1; ADVERSARIAL case 20.

use antiphon_core::{
    amount::Amount,
    chain::{
        spec::{ChainSpec, Token},
        transaction::{Delay, Message, SignedTransaction},
    },
    crypto::{SecretKey, Signed},
    id::{Address, Height, PoolId, StreamId},
    payment::{
        reservation::{Overdraft, PoolRules, PoolStatus, PoolTerms},
        voucher::{Promise, Voucher},
    },
};
use antiphon_node::ledger::TxError;
use antiphon_tests::sim::{Seed, dice::Dice, genesis, till::Till};

/// Endowed accounts.
const ACCOUNTS: u64 = 4;
/// Blocks between a pool's end and its release.
const FREEZE: u64 = 3;
/// Blocks that the pool of the boundary scenario lives.
const LIFE: u64 = 6;

/// A chain whose pools live only some blocks.
fn spec() -> ChainSpec {
    let pool = PoolRules {
        bounty: Amount::from_units(1),
        inclusion_margin: 1,
        min_duration: 4,
        max_duration: 40,
        freeze: FREEZE,
    };
    ChainSpec { pool, ..genesis::spec(1000, ACCOUNTS as usize) }
}

fn terms(creator: &SecretKey, nonce: u64, deposit: u128, end: Height) -> PoolTerms {
    PoolTerms {
        creator: creator.public(),
        nonce,
        resource: StreamId::default(),
        deposit: Amount::from_units(deposit),
        collateral: Amount::from_units(deposit + 2),
        end_height: end,
    }
}

fn voucher(
    spec: &ChainSpec,
    payer: &SecretKey,
    pool: PoolId,
    to: &SecretKey,
    cum: u128,
) -> Message {
    Message::Settle(Box::new(signed(spec, payer, pool, to, cum).into()))
}

fn signed(
    spec: &ChainSpec,
    payer: &SecretKey,
    pool: PoolId,
    to: &SecretKey,
    cum: u128,
) -> Signed<Voucher> {
    let target = Address::of(&to.public());
    let body = Voucher {
        pool,
        resource: StreamId::default(),
        target,
        // A larger sum is a later voucher.
        seq: cum as u64,
        cum: Amount::from_units(cum),
        ticks: None,
    };
    Signed::new(payer, spec.chain_id(), body)
}

#[test]
fn random_transfers_pools_settlements_and_releases_conserve_money_after_every_block() {
    let seed = Seed::or(21);
    let (spec, mut dice) = (spec(), Dice::new(seed.number()));
    let mut till = Till::new(spec.clone());
    let all = u128::from(ACCOUNTS) * genesis::ENDOWMENT;
    let mut pools: Vec<(PoolId, SecretKey)> = Vec::new();
    let mut delays = Vec::new();
    let mut refused = 0;
    let mut applied = 0;
    for nonce in 0..150_u64 {
        let mut candidates = Vec::new();
        for sender in 0..ACCOUNTS {
            let key = genesis::account(sender as usize);
            let other = genesis::account(dice.below(ACCOUNTS) as usize);
            let picked =
                (!pools.is_empty()).then(|| pools[dice.below(pools.len() as u64) as usize].clone());
            let message = match (dice.below(9), picked) {
                (0, _) => {
                    let end = Height(till.next_height().0 + dice.between((2, 45)));
                    let terms = terms(&key, nonce, u128::from(dice.between((1, 5000))), end);
                    pools.push((terms.id(spec.chain_id()), key.clone()));
                    Message::CreatePool(terms)
                }
                (1 | 2, Some((pool, payer))) => {
                    voucher(&spec, &payer, pool, &key, u128::from(dice.between((1, 6000))))
                }
                (3, Some((pool, _))) => Message::Release(pool),
                (7, Some((pool, payer))) => {
                    let mut of = [1, 2].map(|who: usize| {
                        let target = genesis::account((sender as usize + who) % 4);
                        let cum = u128::from(dice.between((1, 6000)));
                        Promise::from(signed(&spec, &payer, pool, &target, cum))
                    });
                    of.sort_by_key(|promise| promise.voucher.body.target);
                    let promises = of.to_vec().try_into().unwrap();
                    Message::Report(Overdraft { pool, promises })
                }
                (8, Some((pool, _))) => {
                    Message::Collect { pool, target: Address::of(&other.public()) }
                }
                (4, _) => Message::Delay(Delay {
                    token: Token::ALL[dice.below(2) as usize],
                    to: Address::of(&other.public()),
                    amount: Amount::from_units(u128::from(dice.below(9_000_000))),
                    blocks: dice.between((1, 12)),
                    guard: None,
                }),
                (5, _) if !delays.is_empty() => {
                    Message::Cancel(delays[dice.below(delays.len() as u64) as usize])
                }
                _ => Message::Transfer {
                    token: Token::ALL[dice.below(2) as usize],
                    to: Address::of(&other.public()),
                    amount: Amount::from_units(u128::from(dice.roll() % 2_000_000_000)),
                },
            };
            let tx = till.sign(&key, message);
            if matches!(tx.body.messages[0], Message::Delay(_)) {
                delays.push(tx.body.delay_id(spec.chain_id(), 0));
            }
            candidates.push(tx);
        }
        let sent = candidates.len();
        let left_out = till.settle(candidates).len();
        refused += left_out;
        applied += sent - left_out;
        for token in Token::ALL {
            assert_eq!(till.count(token), all, "{token:?} after block {nonce}");
        }
    }
    assert!(applied > 100 && refused > 100, "{applied} applied, {refused} refused");
    let states = pools.iter().filter_map(|(pool, _)| till.pool(*pool));
    let broken = states.filter(|state| matches!(state.status, PoolStatus::Insolvent(_)));
    assert!(broken.count() > 3, "too few pools are insolvent");
}

#[test]
fn settlement_ends_and_release_begins_at_exactly_their_heights_in_any_order() {
    let spec = spec();
    let mut till = Till::new(spec.clone());
    let [payer, payee, other] = [1, 2, 3].map(genesis::account);
    let end = Height(till.next_height().0 + LIFE);
    let terms = terms(&payer, 1, 1000, end);
    let pool = terms.id(spec.chain_id());
    let create = till.sign(&payer, Message::CreatePool(terms));
    assert!(till.settle(vec![create]).is_empty());
    // What is accepted at each height: a settlement, a release.
    let expected = |height: u64| (height <= end.0, height >= end.0 + FREEZE);
    while till.next_height().0 <= end.0 + FREEZE {
        let height = till.next_height().0;
        let settle = till.sign(&payee, voucher(&spec, &payer, pool, &payee, u128::from(height)));
        let release = till.sign(&other, Message::Release(pool));
        let pair = [settle.clone(), release.clone()];
        let (one, two) = (pair.to_vec(), vec![release.clone(), settle.clone()]);
        let accepted = |order: Vec<SignedTransaction>| {
            let body = till.build(order);
            let is_in = |tx: &SignedTransaction| {
                let id = tx.body.id(spec.chain_id());
                body.refused.iter().all(|(refused, _)| *refused != id)
            };
            (is_in(&settle), is_in(&release), body.state_root)
        };
        let (settled, released, root) = accepted(one);
        assert_eq!((settled, released), expected(height), "at {height}, end {end:?}");
        assert_eq!(accepted(two), (settled, released, root), "the order matters at {height}");
        till.settle(pair.to_vec());
    }
    assert_eq!(till.count(Token::Operational), u128::from(ACCOUNTS) * genesis::ENDOWMENT);
    assert!(till.pool(pool).unwrap().held().is_zero(), "a closed pool holds something");
}

#[test]
fn of_two_transactions_of_one_sequence_one_happens() {
    let mut till = Till::new(spec());
    let key = genesis::account(1);
    let mut send = |units| {
        let (to, amount) = (Address([7; 20]), Amount::from_units(units));
        till.sign(&key, Message::Transfer { token: Token::Operational, to, amount })
    };
    let pair = vec![send(1), send(2)];
    let again = pair[0].clone();
    let mut refuses = |candidates| -> Vec<TxError> {
        till.settle(candidates).into_iter().map(|(_, error)| error).collect()
    };
    assert_eq!(refuses(pair), [TxError::WrongSequence { expected: 2, found: 1 }]);
    assert_eq!(refuses(vec![again]), [TxError::WrongSequence { expected: 2, found: 1 }]);
}
