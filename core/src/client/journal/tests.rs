mod came;

use super::*;
use crate::{
    amount::Amount,
    chain::{
        Level,
        spec::Token,
        transaction::{Message, Transaction},
    },
    client::{
        AccountView, Command, FieldShow, FieldView, GiftStage, GiftView, Leveled, LockedView,
        PaymentStanding as Standing, Phase, RoundStep,
    },
    codec::{Bounded, Text},
    crypto::{Hash, SecretKey},
    id::{Address, BlockId, FieldId, Height, PoolId},
};

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const TO: Address = Address([2; 20]);

#[test]
fn a_transfer_rises_by_proof_and_each_change_is_told_until_it_is_handled() {
    let mut journal = empty();
    begun(&mut journal, "rent");
    assert!(journal.next_event().is_none(), "the call itself says that it is asked");
    let bytes = sent(1, 10);
    assert!(journal.sending(AskId(1), &bytes, &Snapshot::default()).is_some());
    assert_eq!(stage(&journal, "rent"), Stage::Pending);
    for (level, expected) in [(0, Stage::Included), (1, Stage::Settled), (2, Stage::Final)] {
        let mut sequences = [None; 3];
        sequences[level] = Some((Height(20), 1));
        assert_eq!(journal.shown(&shows(sequences)).len(), 1);
        assert_eq!(stage(&journal, "rent"), expected);
        assert!(journal.shown(&shows(sequences)).is_empty(), "told once");
        let changed = journal.next_event().unwrap().id();
        assert!(journal.handled(changed).is_some());
        assert!(journal.next_event().is_none());
    }
}

#[test]
fn what_was_not_handled_is_told_again_after_a_restart_and_only_the_newest_of_it() {
    let mut journal = empty();
    let mut rows = Table::new();
    note(&mut rows, begun(&mut journal, "rent"));
    note(&mut rows, journal.sending(AskId(1), &sent(1, 10), &Snapshot::default()).unwrap());
    let first = journal.next_event().unwrap().id();
    for change in journal.shown(&shows([None, Some((Height(20), 1)), None])) {
        note(&mut rows, change);
    }
    assert!(journal.handled(first).is_none(), "it has moved on");
    let (journal, again, flight) = Journal::restore(CHAIN, rows.into_iter().collect());
    assert!(again.is_empty() && flight.is_none());
    let Some(Event::Call(key, call)) = journal.next_event() else { panic!("it is told") };
    assert_eq!((key.as_str(), call.stage), ("rent", Stage::Settled));
}

#[test]
fn the_same_key_pays_once_and_stands_for_nothing_else() {
    let mut journal = empty();
    begun(&mut journal, "rent");
    assert!(matches!(journal.begin("rent", act(5)), Ok((Begun::Known(_), None))));
    assert_eq!(journal.begin("rent", act(6)), Err("call/key-reused"));
    assert_eq!(journal.begin("", act(6)), Err("options/invalid"));
    assert_eq!(journal.begin(&"k".repeat(65), act(6)), Err("options/invalid"));
    assert_eq!(journal.forget("rent"), (String::from("call/rent"), None));
    assert!(matches!(journal.begin("rent", act(6)), Ok((Begun::New(_), None))));
}

#[test]
fn a_restart_waits_for_what_was_sent_and_ends_what_was_not() {
    let mut journal = empty();
    let mut rows = Table::new();
    note(&mut rows, begun(&mut journal, "sent"));
    let bytes = sent(4, 10);
    note(&mut rows, journal.sending(AskId(1), &bytes, &Snapshot::default()).unwrap());
    let Ok((Begun::New(row), _)) = journal.begin("asked", act(7)) else { panic!("it is new") };
    note(&mut rows, row);
    let (journal, again, flight) = Journal::restore(CHAIN, rows.into_iter().collect());
    assert_eq!(flight.unwrap().to_bytes(), bytes);
    assert_eq!(again.len(), 1);
    let interrupted = journal.get("asked").unwrap();
    assert_eq!(interrupted.code.as_deref(), Some("call/interrupted"));
    assert_eq!(stage(&journal, "sent"), Stage::Pending);
}

#[test]
fn a_damaged_row_is_none() {
    let mut journal = empty();
    let (name, row) = begun(&mut journal, "rent");
    let mut row = row.unwrap();
    row[3] ^= 1;
    let (journal, ..) = Journal::restore(CHAIN, [(name, row)].to_vec());
    assert!(journal.all().is_empty());
}

#[test]
fn a_refusal_ends_a_call_unless_the_same_bytes_went_before() {
    let mut journal = empty();
    begun(&mut journal, "rent");
    let bytes = sent(1, 10);
    journal.sending(AskId(1), &bytes, &Snapshot::default());
    assert!(journal.answered(AskId(1), Some(-32001)).is_none(), "as good as none");
    assert!(journal.sending(AskId(2), &bytes, &Snapshot::default()).is_none(), "written already");
    assert!(journal.answered(AskId(2), Some(-32002)).is_none());
    assert_eq!(stage(&journal, "rent"), Stage::Pending, "it may be on its way");
    let mut journal = empty();
    begun(&mut journal, "rent");
    journal.sending(AskId(1), &bytes, &Snapshot::default());
    assert!(journal.answered(AskId(1), Some(-32002)).is_some());
    assert_eq!(journal.get("rent").unwrap().code.as_deref(), Some("node/transaction-refused"));
}

#[test]
fn of_two_equal_transfers_the_first_goes_first_and_what_expired_is_made_anew() {
    let mut journal = empty();
    begun(&mut journal, "one");
    begun(&mut journal, "two");
    journal.sending(AskId(1), &sent(1, 10), &Snapshot::default());
    let asked: Vec<_> =
        ["one", "two"].into_iter().filter(|key| stage(&journal, key) == Stage::Asked).collect();
    assert_eq!(asked.len(), 1);
    // The first outlived its reference: the same is ordered anew.
    journal.sending(AskId(2), &sent(1, 80), &Snapshot::default());
    assert_eq!(stage(&journal, asked[0]), Stage::Asked);
    journal.shown(&shows([Some((Height(81), 1)), None, None]));
    journal.sending(AskId(3), &sent(2, 82), &Snapshot::default());
    assert_eq!(stage(&journal, asked[0]), Stage::Pending);
}

#[test]
fn of_two_equal_transfers_the_second_goes_before_it_is_shown_that_the_first_has_happened() {
    let mut journal = empty();
    let mut rows = Table::new();
    note(&mut rows, begun(&mut journal, "one"));
    note(&mut rows, begun(&mut journal, "two"));
    note(&mut rows, journal.sending(AskId(1), &sent(1, 10), &Snapshot::default()).unwrap());
    // The client lands the first and sends the next in one go; what is shown is learned later.
    let last = sent(2, 12);
    note(&mut rows, journal.sending(AskId(2), &last, &Snapshot::default()).unwrap());
    assert_eq!([stage(&journal, "one"), stage(&journal, "two")], [Stage::Pending; 2]);
    let (mut journal, again, flight) = Journal::restore(CHAIN, rows.into_iter().collect());
    assert!(again.is_empty(), "neither was interrupted");
    assert_eq!(flight.unwrap().to_bytes(), last, "the first is proven already");
    assert_eq!(journal.shown(&shows([Some((Height(13), 1)), None, None])).len(), 1);
    assert_eq!(journal.shown(&shows([Some((Height(14), 2)), None, None])).len(), 1);
    assert_eq!([stage(&journal, "one"), stage(&journal, "two")], [Stage::Included; 2]);
}

#[test]
fn what_expires_when_a_block_was_given_up_is_made_anew_in_an_earlier_place() {
    let mut journal = empty();
    begun(&mut journal, "rent");
    journal.sending(AskId(1), &sent(6, 10), &Snapshot::default());
    assert!(journal.sending(AskId(2), &sent(5, 80), &Snapshot::default()).is_some());
    assert_eq!(journal.shown(&shows([Some((Height(81), 5)), None, None])).len(), 1);
    assert_eq!(stage(&journal, "rent"), Stage::Included);
}

#[test]
fn what_is_over_and_read_makes_room_and_nothing_else() {
    let mut journal = empty();
    for n in 0..MAX_CALLS {
        begun(&mut journal, &format!("{n}"));
    }
    assert_eq!(journal.begin("more", act(5)), Err("call/full"));
    journal.sending(AskId(1), &sent(1, 10), &Snapshot::default());
    journal.shown(&shows([None, None, Some((Height(20), 1))]));
    assert_eq!(journal.begin("more", act(5)), Err("call/full"), "it was not read");
    let changed = journal.next_event().unwrap().id();
    journal.handled(changed);
    assert!(matches!(journal.begin("more", act(5)), Ok((Begun::New(_), Some((_, None))))));
}

#[test]
fn each_act_is_the_command_that_it_came_from_and_others_move_no_money() {
    let amount = Amount::from_units(5);
    let purpose = Text::try_from("coffee").unwrap();
    for command in [
        Command::Transfer { token: Token::Staking, to: TO, amount },
        Command::Bond(TO, amount),
        Command::Unbond(TO, amount),
        Command::Withdraw(TO),
        Command::OpenPool(amount),
        Command::Give { to: TO, amount, purpose },
        Command::PayMember { field: FieldId(Hash([3; 32])), payee: TO, amount },
    ] {
        assert_eq!(Act::of(&command).unwrap().command(), Some(command));
    }
    assert_eq!(Act::of(&Command::Settle), None);
    let long = Act::Give { to: TO, amount, purpose: "p".repeat(33) };
    assert_eq!(long.command(), None);
}

#[test]
fn each_field_counts_its_own_payments() {
    let mut journal = empty();
    let [here, there] = [FieldId(Hash([3; 32])), FieldId(Hash([4; 32]))];
    for (key, field) in [("here", here), ("there", there)] {
        begun_as(&mut journal, key, pays(field));
        journal.paid(key, &shows_field(field, &[0], Standing::Pending)).unwrap();
    }
    assert!(journal.shown(&shows_field(there, &[0], Standing::Sequenced)).is_empty());
    assert_eq!(journal.shown(&shows_field(there, &[], Standing::Pending)).len(), 1);
    assert_eq!(
        [stage(&journal, "here"), stage(&journal, "there")],
        [Stage::Pending, Stage::Committed]
    );
}

#[test]
fn a_payment_of_an_earlier_life_is_unknown_and_its_name_is_another_payments() {
    let field = FieldId(Hash([3; 32]));
    let mut journal = empty();
    let mut rows = Table::new();
    for (key, id) in [("over", 0), ("waits", 3)] {
        note(&mut rows, begun_as(&mut journal, key, pays(field)));
        let shown = shows_field(field, &[id], Standing::Pending);
        note(&mut rows, journal.paid(key, &shown).unwrap());
        if key == "over" {
            let gone = journal.shown(&shows_field(field, &[], Standing::Pending));
            gone.into_iter().for_each(|change| note(&mut rows, change));
        }
    }
    let (mut journal, again, _) = Journal::restore(CHAIN, rows.into_iter().collect());
    assert_eq!(again.len(), 1);
    let waits = journal.get("waits").unwrap();
    assert_eq!((waits.stage, waits.code.as_deref()), (Stage::Failed, Some("call/unknown")));
    assert_eq!(stage(&journal, "over"), Stage::Committed);
    // The field counts from nought again, what waits first.
    assert!(journal.shown(&shows_field(field, &[0], Standing::Pending)).is_empty());
    begun_as(&mut journal, "new", pays(field));
    journal.paid("new", &shows_field(field, &[0], Standing::Pending)).unwrap();
    assert_eq!(journal.shown(&shows_field(field, &[], Standing::Pending)).len(), 1);
    assert_eq!(stage(&journal, "new"), Stage::Committed);
}

#[test]
fn a_pool_that_the_client_did_not_write_down_before_the_end_is_interrupted() {
    let amount = Amount::from_units(5);
    let give = Act::Give { to: TO, amount, purpose: String::from("coffee") };
    let (kept, lost) = (PoolId(Hash([5; 32])), PoolId(Hash([6; 32])));
    let gift = |pool, purpose: &str, stage| GiftView {
        pool,
        is_given: true,
        other: TO,
        amount,
        purpose: String::from(purpose),
        stage,
        end: None,
        refusal: None,
    };
    for (act, has_it, has_none) in [
        (
            Act::OpenPool(amount),
            shows_pools(&[(kept, None)], Vec::new()),
            [
                shows_pools(&[(kept, Some(amount))], Vec::new()),
                shows_pools(&[(lost, None)], [gift(lost, "coffee", GiftStage::Asked)].to_vec()),
            ],
        ),
        (
            give,
            shows_pools(&[(kept, None)], [gift(kept, "coffee", GiftStage::Asked)].to_vec()),
            [
                shows_pools(&[(lost, None)], [gift(lost, "tea", GiftStage::Asked)].to_vec()),
                shows_pools(&[(lost, None)], [gift(lost, "coffee", GiftStage::Void)].to_vec()),
            ],
        ),
    ] {
        for has_none in has_none.into_iter().chain([shows_pools(&[], Vec::new())]) {
            let mut journal = empty();
            let row = begun_as(&mut journal, "pool", act.clone());
            assert!(journal.shown(&has_none).is_empty(), "it is being asked for now");
            let rows = [(row.0, row.1.unwrap())].to_vec();
            let (mut journal, again, _) = Journal::restore(CHAIN, rows);
            assert!(again.is_empty());
            assert!(journal.shown(&Snapshot::default()).is_empty(), "no pool is read yet");
            assert!(journal.shown(&has_it).is_empty());
            assert_eq!(stage(&journal, "pool"), Stage::Asked, "the client will open it");
            assert_eq!(journal.shown(&has_none).len(), 1);
            let over = journal.get("pool").unwrap();
            assert_eq!(
                (over.stage, over.code.as_deref()),
                (Stage::Failed, Some("call/interrupted"))
            );
        }
    }
}

fn empty() -> Journal {
    Journal::restore(CHAIN, Vec::new()).0
}

fn act(units: u128) -> Act {
    Act::Transfer { token: Token::Operational, to: TO, amount: Amount::from_units(units) }
}

fn begun(journal: &mut Journal, key: &str) -> Change {
    begun_as(journal, key, act(5))
}

fn begun_as(journal: &mut Journal, key: &str, act: Act) -> Change {
    match journal.begin(key, act) {
        Ok((Begun::New(row), None)) => row,
        other => panic!("{other:?}"),
    }
}

fn sent(sequence: u64, reference: u64) -> Vec<u8> {
    let message =
        Message::Transfer { token: Token::Operational, to: TO, amount: Amount::from_units(5) };
    let key = SecretKey::from_bytes(&[9; 32]);
    let body = Transaction {
        sender: key.public().into(),
        sequence,
        reference_height: Height(reference),
        reference_block: BlockId(Hash([0; 32])),
        scope: Text::try_from("").unwrap(),
        max_fee: Amount::from_units(1),
        cosigners: Bounded::new(),
        messages: Bounded::try_from([message].to_vec()).unwrap(),
    };
    SignedTransaction::new(&key, CHAIN, body).to_bytes()
}

fn shows(sequences: [Option<(Height, u64)>; 3]) -> Snapshot {
    let mut shown = Snapshot::default();
    let balance = Leveled {
        value: Amount::ZERO,
        level: Level::Included,
        height: Height(1),
        root: Hash([0; 32]),
        age: 0,
        is_witnessed: false,
    };
    shown.wallet.account = Some(AccountView { balance, final_balance: None, sequences });
    shown
}

const fn pays(field: FieldId) -> Act {
    Act::PayMember { field, payee: TO, amount: Amount::from_units(5) }
}

/// A field with own payments of these names.
fn shows_field(id: FieldId, payments: &[u64], standing: Standing) -> Snapshot {
    let (payer, amount) = (Address([9; 20]), Amount::from_units(5));
    let payment = |id: &u64| PaymentView {
        id: Some(*id),
        payer,
        payee: TO,
        amount,
        standing,
        round: 1,
        index: None,
    };
    let view = FieldView {
        id,
        phase: Phase::Open,
        leader: TO,
        members: Vec::new(),
        version: 0,
        round: 0,
        committed: 0,
        step: RoundStep::Running,
        payments: payments.iter().map(payment).collect(),
        deadline: None,
        freeze: None,
        amendment: None,
    };
    let show =
        FieldShow { view, proven: None, deposits: Vec::new(), is_leader: false, watched: None };
    Snapshot { fields: [show].to_vec(), ..Snapshot::default() }
}

/// A wallet with these pools, each with what is proven to lie in it.
fn shows_pools(pools: &[(PoolId, Option<Amount>)], gifts: Vec<GiftView>) -> Snapshot {
    let mut shown = Snapshot { gifts, ..Snapshot::default() };
    shown.wallet.address = Some(Address([9; 20]));
    let view =
        |&(pool, held)| LockedView { pool, held, owed: Amount::ZERO, back: None, freeze: None };
    shown.wallet.locked = pools.iter().map(view).collect();
    shown
}

fn stage(journal: &Journal, key: &str) -> Stage {
    journal.get(key).unwrap().stage
}

/// As a disk does.
fn note(rows: &mut Table<String, Vec<u8>>, (name, row): Change) {
    match row {
        Some(row) => drop(rows.insert(name, row)),
        None => drop(rows.remove(&name)),
    }
}
