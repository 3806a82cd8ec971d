//! What comes without a call: written before it is told, told until it is handled, bounded.

use super::*;
use crate::{
    chain::{lookup::Question, state::Account, transaction::Exchange, transaction::Part},
    client::{
        FieldProven, MemberView, SettlementView,
        journal::{
            Coming, Event, Origin,
            came::{Came, MAX_BLOCKS, MAX_CAME, Seen, Why},
        },
    },
    crypto::Signed,
    id::StreamId,
    payment::voucher::Voucher,
};

const ME: Address = Address([9; 20]);
const POOL: PoolId = PoolId(Hash([7; 32]));

/// A disk, and the journal that is read from it.
#[derive(Default)]
struct Disk(Table<String, Vec<u8>>);

impl Disk {
    fn keep(&mut self, changes: impl IntoIterator<Item = Change>) {
        changes.into_iter().for_each(|change| note(&mut self.0, change));
    }

    /// The application ends, at whatever moment, and begins again.
    fn restart(&self) -> Journal {
        let (journal, again, _) = Journal::restore(CHAIN, self.0.clone().into_iter().collect());
        assert!(again.is_empty());
        journal
    }
}

fn told(journal: &Journal) -> Option<(String, u64, Stage)> {
    let one = came(journal)?;
    Some((one.key(), one.changed, one.stage))
}

fn came(journal: &Journal) -> Option<&Coming> {
    match journal.next_event()? {
        Event::Came(one) => Some(one),
        Event::Call(..) => None,
    }
}

#[test]
fn a_settlement_is_written_before_it_leaves_and_told_until_it_is_handled() {
    let mut disk = Disk::default();
    let mut journal = empty();
    let shown = shows_settlement(None);
    // The row is what the transaction waits for; then the application ends.
    disk.keep(journal.sending(AskId(1), &settles(4, 30), &shown));
    let mut journal = disk.restart();
    let (key, id, stage) = told(&journal).unwrap();
    assert_eq!((key, stage), (format!("pool/{}/30", POOL.0), Stage::Pending));
    assert_eq!(told(&disk.restart()).unwrap().1, id, "it has one number until it is handled");
    assert_eq!(
        came(&journal).unwrap().amount,
        amount(5),
        "what it brings, not what was promised in all"
    );
    disk.keep(journal.handled(id));
    assert_eq!(told(&disk.restart()), None);
    // Of a life before, the account's sequence tells.
    let mut journal = disk.restart();
    assert!(journal.shown(&shows([None, Some((Height(20), 3)), None])).is_empty());
    disk.keep(journal.shown(&shows([None, Some((Height(21), 4)), None])));
    assert_eq!(told(&disk.restart()).unwrap().2, Stage::Settled);
    disk.keep(journal.shown(&shows([None, None, Some((Height(22), 4))])));
    let (_, id, stage) = told(&journal).unwrap();
    assert_eq!(stage, Stage::Final);
    disk.keep(journal.handled(id));
    assert_eq!(told(&disk.restart()), None);
}

#[test]
fn a_settlement_of_this_life_is_as_far_as_the_pool_is_proven_to_have_paid() {
    let mut journal = empty();
    journal.sending(AskId(1), &settles(4, 30), &shows_settlement(None));
    // Another transaction may have taken its place.
    let mut shown = shows_settlement(None);
    shown.wallet.account = shows([None, None, Some((Height(22), 4))]).wallet.account;
    assert!(journal.shown(&shown).is_empty());
    for (level, stage) in [
        (Level::Included, Stage::Included),
        (Level::Settled, Stage::Settled),
        (Level::Final, Stage::Final),
    ] {
        assert_eq!(journal.shown(&shows_settlement(Some(level))).len(), 1);
        assert_eq!(told(&journal).unwrap().2, stage);
    }
    let mut journal = empty();
    journal.sending(AskId(1), &settles(4, 30), &shows_settlement(None));
    journal.shown(&Snapshot::default());
    let refused = came(&journal).unwrap();
    assert_eq!((refused.stage, refused.code()), (Stage::Failed, Some("node/transaction-refused")));
    assert!(journal.sending(AskId(2), &settles(5, 30), &Snapshot::default()).is_none(), "a claim");
}

#[test]
fn a_gift_is_told_once_its_payee_is_sure_and_when_it_is_paid_or_will_not_be() {
    let mut disk = Disk::default();
    let mut journal = empty();
    assert!(journal.shown(&shows_gift(GiftStage::Offered)).is_empty());
    for (shown, stage) in [
        (GiftStage::Sure, Stage::Committed),
        (GiftStage::Settled, Stage::Settled),
        (GiftStage::Final, Stage::Final),
    ] {
        disk.keep(journal.shown(&shows_gift(shown)));
        assert!(journal.shown(&shows_gift(shown)).is_empty(), "written once");
        // A crash between the row and the answer of the application.
        journal = disk.restart();
        let (key, id, now) = told(&journal).unwrap();
        assert_eq!((key, now), (format!("gift/{}/0", POOL.0), stage));
        disk.keep(journal.handled(id));
    }
    // What is not proven again yet is no news.
    assert!(journal.shown(&shows_gift(GiftStage::Sure)).is_empty());
    // A crash before the row is durable: the client shows it again.
    empty().shown(&shows_gift(GiftStage::Lapsed));
    let mut journal = Disk::default().restart();
    assert_eq!(journal.shown(&shows_gift(GiftStage::Lapsed)).len(), 1);
    assert_eq!(came(&journal).unwrap().code(), Some("gift/lapsed"));
}

#[test]
fn what_a_field_has_paid_is_told_when_it_is_closed() {
    let mut journal = empty();
    let field = FieldId(Hash([3; 32]));
    let shown = |phase, level| {
        let mut shown = shows_field(field, &[], Standing::Pending);
        shown.wallet.address = Some(ME);
        let member =
            |address, units| MemberView { address, balance: amount(units), has_signed: true };
        shown.fields[0].view.members = [member(TO, 2), member(ME, 8)].to_vec();
        shown.fields[0].view.phase = phase;
        let (height, root) = (Height(9), Hash([0; 32]));
        shown.fields[0].proven = Some(FieldProven { level, height, root });
        shown
    };
    assert!(journal.shown(&shown(Phase::Open, Level::Final)).is_empty());
    assert_eq!(journal.shown(&shown(Phase::Closed, Level::Settled)).len(), 1);
    let one = came(&journal).unwrap();
    assert_eq!((one.origin, one.amount), (Origin::Field, amount(8)));
    assert_eq!(journal.shown(&shown(Phase::Closed, Level::Final)).len(), 1);
    assert_eq!(told(&journal).unwrap().2, Stage::Final);
}

#[test]
fn blocks_are_read_where_the_account_has_changed_and_tell_who_sent_what() {
    let (mut came, mut changes) = (Came::default(), 0);
    assert_eq!(came.follow(seen(10, 100)), (None, true), "what is there is where it begins");
    assert_eq!(came.follow(seen(12, 100)), (None, false), "nothing came");
    for height in [13, 14] {
        assert_eq!(came.follow(seen(14, 107)), (Some(block(height)), false));
        assert_eq!(came.follow(seen(15, 107)), (None, false), "one at a time");
        let all = if height == 13 { Vec::new() } else { brings() };
        let is_due = came.found((Level::Settled, &all), (CHAIN, ME), &mut changes);
        assert_eq!(is_due, height == 14);
    }
    let from = Address::of(&SecretKey::from_bytes(&[5; 32]).public());
    let list: Vec<_> = came.list.iter().map(|one| (one.other, one.amount, one.stage)).collect();
    let brought = |units| (Some(from), amount(units), Stage::Settled);
    assert_eq!(list, [brought(3), brought(4)]);
    assert_eq!(came.follow(seen(16, 107)), (None, false), "read to the end");
    let final_one = Snapshot {
        chain: crate::client::ChainView { final_height: Height(14), ..Default::default() },
        ..Snapshot::default()
    };
    assert!(came.shown(&final_one, &mut changes));
    assert!(came.list.iter().all(|one| one.stage == Stage::Final));
}

#[test]
fn what_was_found_and_how_far_was_looked_are_durable_together() {
    let (mut came, mut changes) = (Came::default(), 0);
    came.follow(seen(10, 100));
    let before = came.write(CHAIN);
    came.follow(seen(11, 107));
    assert!(came.found((Level::Settled, &brings()), (CHAIN, ME), &mut changes));
    let after = came.write(CHAIN);
    // It ends before the second row is durable: the block is read again, and is the same then.
    let mut lost = Came::read(CHAIN, before).unwrap();
    assert_eq!(lost.follow(seen(11, 107)).0, Some(block(11)));
    lost.found((Level::Settled, &brings()), (CHAIN, ME), &mut 0);
    assert!(lost.list.iter().map(Coming::key).eq(came.list.iter().map(Coming::key)));
    // It ends after: nothing is read again, and both are told.
    let mut kept = Came::read(CHAIN, after.clone()).unwrap();
    assert_eq!(kept.follow(seen(12, 107)), (None, false));
    assert_eq!(kept.list.iter().filter(|one| !one.is_told()).count(), 2);
    let mut damaged = after;
    damaged[2] ^= 1;
    assert!(Came::read(CHAIN, damaged).is_none());
}

#[test]
fn a_block_that_nobody_serves_is_asked_for_again_under_the_next_head() {
    let mut came = Came::default();
    came.follow(seen(10, 100));
    assert_eq!(came.follow(seen(11, 107)).0, Some(block(11)));
    came.unread(Why::Unanswered);
    assert_eq!(came.follow(seen(11, 107)), (None, false));
    assert_eq!(came.follow(seen(12, 107)).0, Some(block(11)));
    came.unread(Why::Unanswered);
    // After a long pause only so many are read.
    let far = 12 + 2 * MAX_BLOCKS;
    assert_eq!(came.follow(seen(far, 107)).0, Some(block(far - MAX_BLOCKS + 1)));
}

/// Reads on until a head that is `head`, at a node that has no block below `first`, as `why` says; returns what was asked.
fn read_on(came: &mut Came, head: u64, first: u64, why: Why) -> Vec<u64> {
    let mut asked = Vec::new();
    while let (Some(Question::Block(Height(height))), _) = came.follow(seen(head, 107)) {
        asked.push(height);
        if height < first {
            came.unread(why);
        } else {
            came.found((Level::Settled, &[]), (CHAIN, ME), &mut 0);
        }
        assert!(asked.len() < 2000, "asks for ever");
    }
    asked
}

#[test]
fn blocks_that_a_node_has_let_go_are_passed_soon_and_that_is_told() {
    for (why, first) in [(Why::Gone, 600), (Why::TooFar, 900), (Why::TooFar, 1001)] {
        let mut came = Came::default();
        came.follow(seen(10, 100));
        let asked = read_on(&mut came, 1000, first, why);
        let search = asked.iter().take_while(|height| **height != first || first > 1000).count();
        assert!(search <= 12, "halved, not counted: {asked:?}");
        assert!((first..=1000).all(|height| asked.contains(&height)), "what is there is read");
        assert!(came.take_gap() && !came.take_gap(), "once");
        assert_eq!(came.follow(seen(1001, 107)).0, None, "read to the end");
        assert_eq!(came.follow(seen(1002, 108)).0, Some(block(1002)));
    }
    let mut came = Came::default();
    came.follow(seen(10, 100));
    read_on(&mut came, 1000, 0, Why::Gone);
    assert!(!came.take_gap(), "where all is read there is none");
    came.follow(seen(1000 + 2 * MAX_BLOCKS, 109));
    assert!(came.take_gap(), "what lies too far back is none that is read");
}

#[test]
fn a_node_that_lacks_what_every_node_keeps_is_behind_and_is_asked_again() {
    let mut came = Came::default();
    came.follow(seen(1000, 100));
    for head in [1001, 1255, 1256] {
        assert_eq!(read_on(&mut came, head, 2000, Why::Gone), [1001], "under the next head");
    }
    assert!(!came.take_gap());
    // One that never has it is not asked for ever.
    assert_eq!(read_on(&mut came, 1257, 2000, Why::Gone), [1001, 1002]);
    assert!(came.take_gap());
    assert!(read_on(&mut came, 1258, 1002, Why::Gone).into_iter().eq(1002..=1258));
}

#[test]
fn a_search_that_is_interrupted_goes_on_or_begins_anew() {
    let mut came = Came::default();
    came.follow(seen(10, 100));
    assert_eq!(came.follow(seen(1000, 107)).0, Some(block(11)));
    came.unread(Why::Gone);
    let Some(Question::Block(Height(middle))) = came.follow(seen(1000, 107)).0 else { panic!() };
    assert!(middle > 300 && middle < 400);
    came.unread(Why::Unanswered);
    assert_eq!(came.follow(seen(1000, 107)), (None, false));
    assert_eq!(came.follow(seen(1001, 107)).0, Some(block(middle)), "the same again");
    let row = came.write(CHAIN);
    let mut again = Came::read(CHAIN, row).unwrap();
    assert_eq!(again.follow(seen(1001, 107)).0, Some(block(11)), "nothing was passed");
}

#[test]
fn where_nothing_is_read_no_block_is_passed_and_nothing_is_forgotten() {
    let (mut came, mut changes) = (Came::default(), 0);
    came.follow(seen(10, 0));
    let mut height = 10;
    let mut row = Vec::new();
    while let (Some(question), _) = came.follow(seen(height + 1, height.into())) {
        height += 1;
        assert_eq!(question, block(height));
        let from = SecretKey::from_bytes(&[5; 32]);
        let sent = [transaction(&from, height, [transfer(ME, 3)].to_vec())];
        assert!(came.found((Level::Final, &sent), (CHAIN, ME), &mut changes));
        row = came.write(CHAIN);
    }
    assert_eq!(came.list.len(), MAX_CAME);
    let mut came = Came::read(CHAIN, row).unwrap();
    assert_eq!(came.list.len(), MAX_CAME, "a full row is read");
    assert_eq!(came.follow(seen(height + 1, height.into())).0, None);
    // The oldest is over: it is read, and makes room.
    assert!(came.handled(1));
    assert_eq!(came.follow(seen(height + 2, height.into())).0, Some(block(height + 1)));
    assert_eq!(came.list.len(), MAX_CAME - 1);
}

#[test]
fn the_longest_row_is_read() {
    let (mut came, mut changes) = (Came::default(), 0);
    let mut shown = Snapshot::default();
    for n in 0..=u8::MAX {
        let mut gift = gift(GiftStage::Lapsed);
        gift.pool = PoolId(Hash([n; 32]));
        shown.gifts.push(gift);
    }
    assert!(came.shown(&shown, &mut changes));
    let row = came.write(CHAIN);
    assert_eq!(Came::read(CHAIN, row).unwrap().list.len(), MAX_CAME);
    // Shown no more, and read: they make room for others.
    let mut others = shows_gift(GiftStage::Sure);
    others.gifts[0].pool.0.0[0] = 1;
    others.wallet.address = Some(ME);
    assert!(!came.shown(&others, &mut changes), "none was read");
    for change in 1..=changes {
        came.handled(change);
    }
    assert!(came.shown(&others, &mut changes));
    assert_eq!(came.list.len(), 1);
}

const fn amount(units: u128) -> Amount {
    Amount::from_units(units)
}

const fn block(height: u64) -> Question {
    Question::Block(Height(height))
}

fn seen(height: u64, units: u128) -> Seen {
    let account = Account { sequence: 0, balances: [Amount::ZERO, amount(units)] };
    Seen::new(Height(height), &account)
}

const fn transfer(to: Address, units: u128) -> Message {
    Message::Transfer { token: Token::Operational, to, amount: amount(units) }
}

fn transaction(key: &SecretKey, sequence: u64, messages: Vec<Message>) -> SignedTransaction {
    let body = Transaction {
        sender: key.public().into(),
        sequence,
        reference_height: Height(1),
        reference_block: BlockId(Hash([0; 32])),
        scope: Text::try_from("").unwrap(),
        max_fee: amount(1),
        cosigners: Bounded::new(),
        messages: Bounded::try_from(messages).unwrap(),
    };
    SignedTransaction::new(key, CHAIN, body)
}

/// A block's transactions: three and four for us, and others that bring nothing.
fn brings() -> Vec<SignedTransaction> {
    let from = SecretKey::from_bytes(&[5; 32]);
    let part = |address, units| Part { address, amount: amount(units) };
    let exchange = |from: Vec<Part>, to: Vec<Part>| {
        let (from, to) = (Bounded::try_from(from).unwrap(), Bounded::try_from(to).unwrap());
        Message::Exchange(Box::new(Exchange { token: Token::Operational, from, to }))
    };
    let all = [
        [transfer(TO, 9), transfer(ME, 3)].to_vec(),
        [exchange([part(TO, 4)].to_vec(), [part(ME, 4)].to_vec())].to_vec(),
        [exchange([part(ME, 4)].to_vec(), [part(TO, 4)].to_vec())].to_vec(),
    ];
    (1..).zip(all).map(|(sequence, messages)| transaction(&from, sequence, messages)).collect()
}

/// A transaction that takes a promise of so much to the chain.
fn settles(sequence: u64, units: u128) -> Vec<u8> {
    let voucher = Voucher {
        pool: POOL,
        resource: StreamId::default(),
        target: ME,
        seq: 1,
        cum: amount(units),
        ticks: None,
    };
    let creator = SecretKey::from_bytes(&[6; 32]);
    let promise = Signed::new(&creator, CHAIN, voucher).into();
    let message = Message::Settle(Box::new(promise));
    transaction(&SecretKey::from_bytes(&[9; 32]), sequence, [message].to_vec()).to_bytes()
}

fn shows_settlement(level: Option<Level>) -> Snapshot {
    let mut shown = Snapshot::default();
    let (height, root) = (None, None);
    let (promised, gain) = (amount(30), amount(5));
    shown.wallet.settlements =
        [SettlementView { pool: POOL, promised, amount: gain, level, height, root }].to_vec();
    shown
}

fn gift(stage: GiftStage) -> GiftView {
    GiftView {
        pool: POOL,
        is_given: false,
        other: TO,
        amount: amount(5),
        purpose: String::from("coffee"),
        stage,
        end: None,
        refusal: None,
    }
}

fn shows_gift(stage: GiftStage) -> Snapshot {
    Snapshot { gifts: [gift(stage)].to_vec(), ..Snapshot::default() }
}
