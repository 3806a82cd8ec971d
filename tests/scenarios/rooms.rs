//! Pages that play nothing meet in a room, share a payment field on the real chain, and are paid. PROTOCOL A6; issue 4.

mod turnover;

use antiphon_core::{
    amount::Amount,
    chain::Level,
    client::{
        Command, FieldOffer, FieldShow, Found, Input, PaymentAt, PaymentStanding, Phase, Question,
    },
    codec::{self, Text},
    crypto::Hash,
    id::FieldId,
    payment::field::{Brought, BroughtError, EVIDENCE_BEGINNING, FieldTerms, MAX_PAYMENT_FILE},
};
use antiphon_node::evidence::{File, Finding};
use antiphon_tests::sim::{Seed, gateway::Answer, world::World};

/// What each of all locks.
const DEPOSIT: u128 = 10_000;
/// What each payment is.
const PRICE: u128 = 7;

/// Opens three pages in one room, with money.
fn three_in_a_room(seed: &Seed, has_no_channels: bool) -> World {
    let mut world = World::new(seed.number(), PRICE);
    world.has_no_channels = has_no_channels;
    three_in(world)
}

fn three_in(mut world: World) -> World {
    for _ in 0..3 {
        let page = world.open_guest();
        world.run_for(2);
        world.command(page, Command::Enter(Text::try_from("choir").unwrap())).unwrap();
        world.command(page, Command::AskFaucet).unwrap();
    }
    for page in 0..3 {
        let met = world.run_until(60, |w| {
            let view = w.listeners[page].snapshot();
            view.around.len() == 2
                && view.wallet.account.is_some_and(|own| !own.balance.value.is_zero())
        });
        assert!(met, "page {page}: {:?}", world.listeners[page].snapshot().around);
    }
    world
}

/// How many prices each page gets from the others and gives to them, each time that all pay.
const PAID: [(u128, u128); 3] = [(5, 2), (4, 4), (3, 6)];

fn field(world: &World, page: usize) -> Option<FieldShow> {
    world.listeners[page].snapshot().fields.first().cloned()
}

fn reaches(world: &mut World, pages: &[usize], phase: Phase, level: Level) {
    let all = world.run_until(120, |w| {
        pages.iter().all(|page| {
            field(w, *page).is_some_and(|show| {
                show.view.phase == phase && show.proven.is_some_and(|proven| proven.level >= level)
            })
        })
    });
    let seen: Vec<_> = pages.iter().map(|page| field(world, *page)).collect();
    let troubles: Vec<_> = pages.iter().map(|page| &world.listeners[*page].troubles).collect();
    assert!(all, "{phase:?} {level:?}: {seen:#?} {troubles:?}");
}

/// Lets the first page propose, the others accept, and the chain make it final.
fn share(world: &mut World) -> FieldId {
    let others = world.listeners[0].snapshot().around.iter().map(|around| around.peer.0).collect();
    let deposit = Amount::from_units(DEPOSIT);
    world.command(0, Command::ProposeField(FieldOffer { others, deposit, dispute: None })).unwrap();
    for page in [1, 2] {
        let invited = world.run_until(30, |w| field(w, page).is_some());
        assert!(invited, "page {page} hears nothing: {:?}", world.listeners[page].troubles);
        let id = field(world, page).unwrap().view.id;
        world.command(page, Command::AcceptField(id)).unwrap();
    }
    reaches(world, &[0, 1, 2], Phase::Open, Level::Final);
    field(world, 0).unwrap().view.id
}

/// Every page pays every other one so many times: the first a price each, the second two, the third three.
fn pay(world: &mut World, id: FieldId, times: usize) {
    let members: Vec<_> = field(world, 0).unwrap().view.members.iter().map(|m| m.address).collect();
    for page in 0..3 {
        let own = world.listeners[page].snapshot().wallet.address.unwrap();
        for payee in members.iter().filter(|member| **member != own) {
            for _ in 0..times {
                let amount = Amount::from_units(PRICE * (page as u128 + 1));
                let pay = Command::PayMember { field: id, payee: *payee, amount };
                world.command(page, pay).unwrap();
            }
        }
    }
}

fn committed(world: &mut World, pages: &[usize], count: u64) {
    let done = world.run_until(60, |w| {
        pages.iter().all(|page| field(w, *page).is_some_and(|show| show.view.committed >= count))
    });
    assert!(done, "{:#?}", field(world, pages[0]));
}

#[test]
fn three_pages_share_a_field_pay_each_other_close_it_and_see_every_balance_final() {
    let seed = Seed::or(31);
    let mut world = three_in_a_room(&seed, false);
    assert!(world.run_until(60, |w| (0..3).all(|page| final_balance(w, page) > 0)));
    let before: Vec<_> = (0..3).map(|page| final_balance(&world, page)).collect();
    let id = share(&mut world);
    pay(&mut world, id, 20);
    committed(&mut world, &[0, 1, 2], 120);
    for page in 0..3 {
        let view = field(&world, page).unwrap().view;
        assert!(view.payments.iter().all(|paid| paid.standing == PaymentStanding::Committed));
        assert_eq!(view.members, field(&world, 0).unwrap().view.members);
    }
    world.command(1, Command::CloseField(id)).unwrap();
    reaches(&mut world, &[0, 1, 2], Phase::Closed, Level::Final);
    for page in 0..3 {
        let (got, gave) = PAID[page];
        let fair = before[page] + 20 * PRICE * got - 20 * PRICE * gave;
        // Opening and closing cost a fee for each signature, whoever sends them.
        let fees = fair - final_balance(&world, page);
        assert!(fees <= 2 * 4 * world.network.spec.fee.units(), "page {page} lost {fees}");
    }
    world.command(0, Command::ForgetField(id)).unwrap();
    assert!(field(&world, 0).is_none());
}

#[test]
fn pages_that_can_open_no_channel_pay_each_other_by_the_trackers_relay() {
    let seed = Seed::or(32);
    let mut world = three_in_a_room(&seed, true);
    assert!(world.listeners[0].snapshot().around.iter().all(|around| !around.is_linked));
    let id = share(&mut world);
    pay(&mut world, id, 10);
    committed(&mut world, &[0, 1, 2], 60);
    world.command(2, Command::CloseField(id)).unwrap();
    reaches(&mut world, &[0, 1, 2], Phase::Closed, Level::Settled);
}

#[test]
fn a_page_that_leaves_without_a_word_keeps_nobody_from_its_money() {
    let seed = Seed::or(33);
    let mut world = three_in_a_room(&seed, false);
    let id = share(&mut world);
    pay(&mut world, id, 5);
    committed(&mut world, &[0, 1, 2], 30);
    world.kill_page(0, 0);
    world.command(1, Command::CloseField(id)).unwrap();
    reaches(&mut world, &[1, 2], Phase::Closed, Level::Settled);
    for page in [1, 2] {
        assert_eq!(field(&world, page).unwrap().view.committed, 30);
    }
}

#[test]
fn a_page_that_is_loaded_anew_is_the_member_that_it_was() {
    let seed = Seed::or(34);
    let mut world = three_in_a_room(&seed, false);
    let id = share(&mut world);
    pay(&mut world, id, 5);
    committed(&mut world, &[0, 1, 2], 30);
    world.kill_page(2, 0);
    world.run_for(5);
    world.load_page(2);
    world.run_for(5);
    world.command(2, Command::Enter(Text::try_from("choir").unwrap())).unwrap();
    reaches(&mut world, &[2], Phase::Open, Level::Final);
    let met = world.run_until(60, |w| w.listeners[2].snapshot().around.len() == 2);
    assert!(met);
    pay(&mut world, id, 5);
    committed(&mut world, &[0, 1, 2], 60);
    assert!(field(&world, 2).unwrap().view.freeze.is_none());
}

/// A page that cannot read any row of a field says so, instead of showing nothing.
#[test]
fn a_page_whose_rows_of_a_field_are_damaged_says_that_they_are_lost() {
    let mut world = three_in_a_room(&Seed::or(36), false);
    share(&mut world);
    world.kill_page(2, 0);
    for (_, row) in world.listeners[2].rows.iter_mut().filter(|(name, _)| name.contains("member/"))
    {
        row[0] ^= 1;
    }
    world.load_page(2);
    world.run_for(10);
    assert_eq!(world.listeners[2].troubles.get("member/rows-lost"), Some(&1));
    assert!(field(&world, 2).is_none());
}

#[test]
fn a_page_that_leaves_and_enters_again_is_linked_again_and_goes_on_as_the_member_that_it_was() {
    let seed = Seed::or(36);
    let mut world = three_in_a_room(&seed, false);
    let linked = |w: &World, page: usize| {
        let view = w.listeners[page].snapshot();
        view.around.iter().filter(|around| around.is_linked).count()
    };
    assert!(world.run_until(30, |w| (0..3).all(|page| linked(w, page) == 2)));
    let id = share(&mut world);
    let enter = |world: &mut World, page: usize| {
        let name = Text::try_from("choir").unwrap();
        world.command(page, Command::Enter(name)).unwrap();
    };
    // The youngest dials the others; the eldest is dialled. A stop ends the room as leaving it does.
    let acts = [(2, Command::Exit, 8), (0, Command::Stop, 40), (2, Command::Exit, 40)];
    for (page, leave, seconds) in acts {
        world.command(page, leave).unwrap();
        assert_eq!(linked(&world, page), 0);
        world.run_for(5);
        enter(&mut world, page);
        let again = world.run_until(seconds, |w| (0..3).all(|page| linked(w, page) == 2));
        assert!(again, "page {page}: {:?}", (0..3).map(|p| linked(&world, p)).collect::<Vec<_>>());
    }
    pay(&mut world, id, 5);
    committed(&mut world, &[0, 1, 2], 30);
}

/// What a tower answers is compared with what it was told: one that has something else holds nothing.
#[test]
fn a_tower_that_answers_for_another_state_is_told_again_and_is_never_shown_to_watch() {
    type Foe = fn(FieldId, (u32, u32)) -> Answer;
    fn said(field: FieldId, version: u32, round: u32) -> Answer {
        Answer::Bytes(codec::encode(&(field, version, round)))
    }
    let foes: [Foe; 6] = [
        |_, _| Answer::Bytes(Vec::new()),
        |_, (version, round)| said(FieldId(Hash([9; 32])), version, round),
        |field, (version, round)| said(field, version + 1, round),
        |field, (version, round)| said(field, version, round - 1),
        |field, told| Answer::Bytes([codec::encode(&(field, told)), vec![0]].concat()),
        |_, _| Answer::Refused(-32005),
    ];
    let seed = Seed::or(39);
    let mut world = World::new(seed.number(), PRICE);
    world.tower = Some(foes[0]);
    let mut world = three_in(world);
    let id = share(&mut world);
    pay(&mut world, id, 1);
    committed(&mut world, &[0, 1, 2], 6);
    for (at, foe) in foes.into_iter().enumerate() {
        world.tower = Some(foe);
        world.run_for(8);
        assert_eq!(field(&world, 1).unwrap().watched, None, "foe {at}");
    }
    assert!(world.listeners[1].troubles.get("tower/wrong-answer").is_some_and(|count| *count >= 5));
    // Another member may have told it more by then.
    world.tower = Some(|field, (version, round)| said(field, version, round + 1));
    assert!(world.run_until(10, |w| field(w, 1).unwrap().watched == Some(1)));
}

fn balance(world: &World, page: usize) -> u128 {
    let account = world.listeners[page].snapshot().wallet.account;
    account.map_or(0, |account| account.balance.value.units())
}

fn final_balance(world: &World, page: usize) -> u128 {
    let account = world.listeners[page].snapshot().wallet.account;
    let shown = account.and_then(|account| account.final_balance);
    shown.map_or(0, |balance| balance.value.units())
}

#[test]
fn who_has_less_than_it_would_lock_neither_invites_nor_joins() {
    let seed = Seed::or(35);
    let mut world = three_in_a_room(&seed, false);
    let balance = balance(&world, 0);
    let others: Vec<_> =
        world.listeners[0].snapshot().around.iter().map(|around| around.peer.0).collect();
    let offer = |deposit: u128| FieldOffer {
        others: others.clone(),
        deposit: Amount::from_units(deposit),
        dispute: None,
    };
    // The leader locks a unit and a bond beside it, and pays the fees.
    let refused = world.command(0, Command::ProposeField(offer(balance - 1)));
    assert_eq!(refused.unwrap_err().code(), "wallet/insufficient");
    assert!(field(&world, 0).is_none(), "nothing is signed then");
    world.command(1, Command::AskFaucet).unwrap();
    world.run_for(10);
    let rich: Vec<_> =
        world.listeners[1].snapshot().around.iter().map(|around| around.peer.0).collect();
    let deposit = Amount::from_units(balance + 1);
    let rich = FieldOffer { others: rich, deposit, dispute: None };
    world.command(1, Command::ProposeField(rich)).unwrap();
    assert!(world.run_until(30, |w| field(w, 0).is_some()));
    let id = field(&world, 0).unwrap().view.id;
    let refused = world.command(0, Command::AcceptField(id));
    assert_eq!(refused.unwrap_err().code(), "wallet/insufficient");
    assert_eq!(field(&world, 0).unwrap().view.phase, Phase::Invited);
}

/// A0.9: who has nothing but a header believes a file, and only what is in it.
#[test]
fn a_payment_of_a_closed_field_is_a_file_under_a_final_header() {
    let seed = Seed::or(35);
    let mut world = three_in_a_room(&seed, false);
    let id = share(&mut world);
    pay(&mut world, id, 3);
    committed(&mut world, &[0, 1, 2], 18);
    let at = |world: &World, page: usize| {
        let paid = field(world, page).unwrap().view.payments.first().copied().unwrap();
        (PaymentAt { field: id, round: paid.round, index: paid.index.unwrap() }, paid)
    };
    let (early, _) = at(&world, 1);
    let open = world.exhibit(1, |it| Input::Prove(it, early));
    assert_eq!(open.unwrap_err(), "member/not-closed");
    world.command(1, Command::CloseField(id)).unwrap();
    reaches(&mut world, &[0, 1, 2], Phase::Closed, Level::Final);
    let (payment, paid) = at(&world, 1);
    let nowhere = PaymentAt { index: 4000, ..payment };
    let nothing = world.exhibit(1, |it| Input::Prove(it, nowhere));
    assert_eq!(nothing.unwrap_err(), "member/no-such-payment");
    let made = world.exhibit(1, |it| Input::Prove(it, payment)).unwrap();

    // Whoever has the file and a header that it believes needs nobody else.
    let shows = |file: &[u8]| match File::from_bytes(file).and_then(|file| file.check(None)) {
        Ok(Finding::Payment(_, paid)) => Some(paid),
        Ok(_) | Err(_) => None,
    };
    let shown = shows(&made.file).unwrap();
    assert_eq!((shown.payer, shown.payee, shown.amount), (paid.payer, paid.payee, paid.amount));
    let found = world.look_up(2, Question::Block(shown.height)).unwrap();
    let Found::Block(block) = found else { panic!("a block") };
    assert_eq!(block.header.field_root, shown.field_root);
    assert_eq!((block.proven.block, block.proven.level), (made.proven.block, Level::Final));
    // A page judges it by the same header: alone it says only where to look.
    let brought = Brought::read(&made.file).unwrap();
    assert_eq!(brought.height(), shown.height);
    let (judged, place) = brought.under(&block.header.field_root).unwrap();
    assert_eq!((judged, place), (&made.shown, payment.index));
    assert_eq!(brought.under(&Hash::default()), Err(BroughtError::OtherBlock));
    let read = |bytes: &[u8]| Brought::read(bytes).unwrap_err().code();
    assert_eq!(read(&[&made.file[..], &[0]].concat()), "codec/trailing");
    assert_eq!(read(&vec![b'a'; MAX_PAYMENT_FILE]), "field/not-evidence");
    let mut sealed = made.file.clone();
    sealed[EVIDENCE_BEGINNING.len() + 33] = 0;
    assert_eq!(read(&sealed), "field/not-payment");
    for at in 0..made.file.len() {
        let mut spoilt = made.file.clone();
        spoilt[at] ^= 1;
        let judged = Brought::read(&spoilt).ok().filter(|it| it.height() == shown.height);
        assert!(judged.is_none_or(|it| it.under(&shown.field_root).is_err()), "byte {at}");
        assert!(Brought::read(&made.file[..at]).is_err(), "{at} bytes");
        assert!(shows(&spoilt).is_none_or(|paid| paid.height != shown.height), "byte {at}");
    }
}
