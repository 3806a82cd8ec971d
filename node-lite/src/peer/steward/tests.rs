use super::*;
use antiphon_core::{
    chain::Level,
    client::{AccountView, Leveled, StreamView},
    crypto::Hash,
    id::{Address, Height, PoolId},
};

const DEPOSIT: Amount = Amount::from_units(1_000_000);
const PRICE: Amount = Amount::from_units(10);

#[test]
fn without_a_deposit_only_what_ended_is_taken_back() {
    let mut steward = Steward::new(Policy::default());
    assert_eq!(steward.advise(at(0), &shown()), Some(Command::Release));
    assert_eq!(steward.advise(at(299_999), &shown()), None);
    assert_eq!(steward.advise(at(300_000), &shown()), Some(Command::Release));
}

#[test]
fn a_pool_is_opened_once_stream_and_account_are_known_and_not_twice() {
    let mut steward = steward(false);
    let unknown = Snapshot { stream: None, ..shown() };
    assert_eq!(steward.advise(at(0), &unknown), None);
    let mut without_account = shown();
    without_account.wallet.account = None;
    assert_eq!(steward.advise(at(0), &without_account), None);
    assert_eq!(steward.advise(at(0), &shown()), Some(Command::OpenPool(DEPOSIT)));
    assert_eq!(steward.advise(at(9_999), &shown()), None, "it is on its way");
    assert_eq!(steward.advise(at(10_000), &with(pool())), Some(Command::Release), "it is there");
    assert_eq!(steward.advise(at(20_000), &with(pool())), None);
}

#[test]
fn another_is_opened_when_one_ends_is_spent_or_refused() {
    let ending = PoolView { end: Height(1000 + END_MARGIN), ..pool() };
    let spent = PoolView { promised: Amount::from_units(999_361), ..pool() };
    let refused = PoolView { refusal: Some("pool/refused"), ..pool() };
    for (pool, why) in [(ending, "ends"), (spent, "spent"), (refused, "refused")] {
        let advice = steward(false).advise(at(0), &with(pool));
        assert_eq!(advice, Some(Command::OpenPool(DEPOSIT)), "{why}");
    }
    let lasting = PoolView { end: Height(1001 + END_MARGIN), ..pool() };
    let left = PoolView { promised: Amount::from_units(999_360), ..pool() };
    let unproven = PoolView { deposit: None, ..pool() };
    for pool in [lasting, left, unproven] {
        assert_eq!(steward(false).advise(at(0), &with(pool)), Some(Command::Release));
    }
}

#[test]
fn a_deposit_for_few_chunks_is_used_to_its_half() {
    let small = Policy { deposit: Some(Amount::from_units(40)), may_ask_faucet: false };
    let used = |promised| {
        let mut pool = pool();
        pool.deposit.as_mut().unwrap().value = Amount::from_units(40);
        pool.promised = Amount::from_units(promised);
        Steward::new(small).advise(at(0), &with(pool))
    };
    assert_eq!(used(20), Some(Command::Release));
    assert_eq!(used(21), Some(Command::OpenPool(Amount::from_units(40))));
}

#[test]
fn nothing_is_locked_for_a_stream_that_costs_nothing() {
    let mut free = shown();
    free.stream.as_mut().unwrap().price = Amount::ZERO;
    assert_eq!(steward(true).advise(at(0), &free), Some(Command::Release));
}

#[test]
fn the_faucet_is_asked_when_there_is_too_little_and_only_if_it_may_be() {
    let poor = CommandError::Book(BookError::Insufficient { needed: DEPOSIT, balance: PRICE });
    for (may, next) in [(true, Command::AskFaucet), (false, Command::OpenPool(DEPOSIT))] {
        let mut steward = steward(may);
        assert_eq!(steward.advise(at(0), &shown()), Some(Command::OpenPool(DEPOSIT)));
        steward.refused(&poor);
        assert_eq!(steward.advise(at(10_000), &shown()), Some(next));
        assert_eq!(steward.advise(at(20_000), &shown()), Some(Command::OpenPool(DEPOSIT)));
    }
    let mut steward = steward(true);
    steward.refused(&CommandError::NotReady);
    assert_eq!(steward.advise(at(0), &shown()), Some(Command::OpenPool(DEPOSIT)), "not money");
}

const fn steward(may_ask_faucet: bool) -> Steward {
    Steward::new(Policy { deposit: Some(DEPOSIT), may_ask_faucet })
}

fn shown() -> Snapshot {
    let mut shown = Snapshot {
        stream: Some(StreamView {
            name: String::from("live"),
            publisher: String::new(),
            publisher_address: Address([0; 20]),
            is_pinned: true,
            price: PRICE,
            newest: 7,
        }),
        ..Snapshot::default()
    };
    shown.chain.settled = Height(1000);
    shown.wallet.account =
        Some(AccountView { balance: proven(DEPOSIT), final_balance: None, sequences: [None; 3] });
    shown
}

fn with(pool: PoolView) -> Snapshot {
    let mut shown = shown();
    shown.wallet.pool = Some(pool);
    shown
}

fn pool() -> PoolView {
    PoolView {
        pool: PoolId(Hash([1; 32])),
        deposit: Some(proven(DEPOSIT)),
        refusal: None,
        promised: Amount::ZERO,
        end: Height(4600),
    }
}

const fn proven(value: Amount) -> Leveled<Amount> {
    Leveled {
        value,
        level: Level::Settled,
        height: Height(1000),
        root: Hash([2; 32]),
        age: 0,
        is_witnessed: false,
    }
}

fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}
