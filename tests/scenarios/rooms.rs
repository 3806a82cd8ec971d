//! Pages that play nothing meet in a room, share a payment field on the real chain, and are paid. PROTOCOL A6; issue 4.

use antiphon_core::{
    amount::Amount,
    chain::Level,
    client::{Command, FieldOffer, FieldShow, PaymentStanding, Phase},
    codec::Text,
    id::FieldId,
};
use antiphon_tests::sim::{Seed, world::World};

/// What each of all locks.
const DEPOSIT: u128 = 10_000;
/// What each payment is.
const PRICE: u128 = 7;

/// Opens three pages in one room, with money.
fn three_in_a_room(seed: &Seed, has_no_channels: bool) -> World {
    let mut world = World::new(seed.number(), PRICE);
    world.has_no_channels = has_no_channels;
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

/// Every page pays every other one so many times.
fn pay(world: &mut World, id: FieldId, times: usize) {
    let members: Vec<_> = field(world, 0).unwrap().view.members.iter().map(|m| m.address).collect();
    for page in 0..3 {
        let own = world.listeners[page].snapshot().wallet.address.unwrap();
        for payee in members.iter().filter(|member| **member != own) {
            for _ in 0..times {
                let amount = Amount::from_units(PRICE);
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
    for page in [1, 2] {
        // Everybody paid everybody the same; who leads has paid the fee of opening, and perhaps another that of closing.
        let lost = before[page] - final_balance(&world, page);
        assert!(lost <= 100, "page {page} lost {lost}");
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

fn final_balance(world: &World, page: usize) -> u128 {
    let account = world.listeners[page].snapshot().wallet.account;
    account.map_or(0, |account| account.balance.value.units())
}
