//! Gifts: reserved for one payee, who is sure before any block pays it. AELF-35, AELF-37; issue 4.

use antiphon_core::{
    amount::Amount,
    chain::spec::Token,
    client::{Command, GiftStage, GiftView},
    codec::Text,
    id::Address,
    payment::{gift::Gifts, payer::Payer, reservation::Purpose},
};
use antiphon_tests::sim::{Seed, world::World};

/// What is given.
const GIFT: u128 = 5_000;

/// Opens two pages in one room, with money.
fn two_in_a_room(seed: &Seed, has_no_channels: bool) -> World {
    let mut world = World::new(seed.number(), 7);
    world.has_no_channels = has_no_channels;
    for _ in 0..2 {
        let page = world.open_guest();
        world.run_for(2);
        enter(&mut world, page);
        world.command(page, Command::AskFaucet).unwrap();
    }
    for page in 0..2 {
        let met = world.run_until(60, |w| {
            let view = w.listeners[page].snapshot();
            view.around.len() == 1 && balance(w, page) > 0
        });
        assert!(met, "page {page}: {:?}", world.listeners[page].snapshot().around);
    }
    world
}

fn enter(world: &mut World, page: usize) {
    world.command(page, Command::Enter(Text::try_from("shop").unwrap())).unwrap();
}

fn address(world: &World, page: usize) -> Address {
    world.listeners[page].snapshot().wallet.address.unwrap()
}

fn balance(world: &World, page: usize) -> u128 {
    let account = world.listeners[page].snapshot().wallet.account;
    account.map_or(0, |account| account.balance.value.units())
}

fn give(world: &mut World, to: Address, amount: u128) {
    let purpose = Purpose::try_from("order 7").unwrap();
    world.command(0, Command::Give { to, amount: Amount::from_units(amount), purpose }).unwrap();
}

/// How many gifts are at this stage.
fn count(world: &World, stage: GiftStage) -> usize {
    let gifts = world.listeners[0].snapshot().gifts;
    gifts.iter().filter(|gift| gift.stage == stage).count()
}

fn gift(world: &World, page: usize) -> Option<GiftView> {
    world.listeners[page].snapshot().gifts.first().cloned()
}

fn reaches(world: &mut World, page: usize, stage: GiftStage, seconds: u64) {
    // A gift that lapsed is further on than one that was paid, and not what was waited for.
    let is_lost = |stage| matches!(stage, GiftStage::Lapsed | GiftStage::Returned);
    let done = world.run_until(seconds, |w| {
        gift(w, page)
            .is_some_and(|gift| gift.stage >= stage && is_lost(gift.stage) == is_lost(stage))
    });
    let troubles: Vec<_> = world.listeners.iter().map(|listener| &listener.troubles).collect();
    assert!(done, "page {page}, {stage:?}: {:?}, {troubles:?}", gift(world, page));
}

/// Sure, then paid for good; the rest of the balances is fees.
fn is_sure_and_then_final(world: &mut World) {
    let before = [balance(world, 0), balance(world, 1)];
    let (giver, payee) = (address(world, 0), address(world, 1));
    give(world, payee, GIFT);
    reaches(world, 1, GiftStage::Sure, 60);
    let sure = gift(world, 1).unwrap();
    assert_eq!(sure.stage, GiftStage::Sure, "sure before a block pays it");
    assert_eq!((sure.other, sure.amount.units(), sure.is_given), (giver, GIFT, false));
    assert_eq!(sure.purpose, "order 7");
    assert_eq!(balance(world, 1), before[1], "it is no money yet");
    reaches(world, 0, GiftStage::Sure, 5);
    for page in [0, 1] {
        reaches(world, page, GiftStage::Final, 60);
    }
    let settled = world.run_until(30, |w| balance(w, 1) > before[1]);
    assert!(settled, "{}", balance(world, 1));
    let fee = world.network.spec.fee.units();
    assert_eq!(balance(world, 1), before[1] + GIFT - fee, "it paid for its settlement");
    assert_eq!(balance(world, 0), before[0] - GIFT - fee, "no collateral, and nothing is left");
    for page in &world.listeners {
        let left = page.rows.keys().find(|name| Payer::owns(name) || Gifts::owns(name));
        assert_eq!(left, None, "what is over is not kept");
    }
}

#[test]
fn a_gift_is_sure_before_the_block_that_settles_it_and_then_final() {
    let seed = Seed::or(41);
    let mut world = two_in_a_room(&seed, false);
    is_sure_and_then_final(&mut world);
}

#[test]
fn a_gift_reaches_a_page_without_channels_by_the_trackers_relay() {
    let seed = Seed::or(42);
    let mut world = two_in_a_room(&seed, true);
    assert!(!world.listeners[0].snapshot().around[0].is_linked);
    is_sure_and_then_final(&mut world);
}

#[test]
fn a_giver_that_is_loaded_anew_promises_the_same_and_not_twice() {
    let seed = Seed::or(43);
    let mut world = two_in_a_room(&seed, false);
    let payee = address(&world, 1);
    world.kill_page(1, 0);
    give(&mut world, payee, GIFT);
    reaches(&mut world, 0, GiftStage::Reserved, 60);
    world.run_for(5);
    world.kill_page(0, 0);
    world.run_for(3);
    for page in [0, 1] {
        world.load_page(page);
        world.run_for(3);
        enter(&mut world, page);
    }
    reaches(&mut world, 1, GiftStage::Sure, 60);
    reaches(&mut world, 1, GiftStage::Final, 60);
    assert_eq!(gift(&world, 1).unwrap().amount.units(), GIFT);
}

#[test]
fn a_payee_that_is_loaded_anew_settles_what_it_was_sure_of() {
    let seed = Seed::or(44);
    let mut world = two_in_a_room(&seed, false);
    let payee = address(&world, 1);
    give(&mut world, payee, GIFT);
    reaches(&mut world, 1, GiftStage::Sure, 60);
    let before = balance(&world, 1);
    world.kill_page(1, 0);
    // Its giver is gone, too: the row is all there is.
    world.kill_page(0, 0);
    world.run_for(3);
    world.load_page(1);
    let paid = before + GIFT - world.network.spec.fee.units();
    let done = world.run_until(60, |w| balance(w, 1) == paid);
    assert!(done, "{:?} {:?}", gift(&world, 1), world.listeners[1].troubles);
}

#[test]
fn what_is_given_to_nobody_comes_back() {
    let seed = Seed::or(45);
    let mut world = two_in_a_room(&seed, false);
    let before = balance(&world, 0);
    give(&mut world, Address([9; 20]), GIFT);
    reaches(&mut world, 0, GiftStage::Reserved, 60);
    let rules = world.network.spec.pool;
    let blocks = rules.min_duration + rules.settle_margin() + rules.freeze;
    let seconds = blocks * world.network.spec.block_ms / 1000;
    world.run_for(seconds / 2);
    assert_eq!(gift(&world, 0).unwrap().stage, GiftStage::Reserved);
    reaches(&mut world, 0, GiftStage::Returned, seconds * 2);
    let fee = world.network.spec.fee.units();
    let back = world.run_until(30, |w| balance(w, 0) == before - 2 * fee);
    assert!(back, "{} of {before}", balance(&world, 0));
    assert!(!world.listeners[0].rows.keys().any(|name| Payer::owns(name)), "and is forgotten");
}

#[test]
fn more_gifts_than_one_question_asks_about_are_all_reserved() {
    let seed = Seed::or(46);
    let mut world = two_in_a_room(&seed, false);
    // The book asks about 24 pools at a time.
    for given in 1..=30 {
        let amount = world.network.spec.fee.units() + 1;
        give(&mut world, Address([9; 20]), amount);
        world.run_for(1);
        let waits = world.run_until(30, |w| count(w, GiftStage::Reserved) + 4 > given);
        assert!(waits, "{given}: {:?}", world.listeners[0].troubles);
    }
    let all = world.run_until(60, |w| count(w, GiftStage::Reserved) == 30);
    assert!(all, "{} of 30", count(&world, GiftStage::Reserved));
}

#[test]
fn what_the_node_refuses_ends_with_its_period_and_is_shown_so() {
    let seed = Seed::or(47);
    let mut world = two_in_a_room(&seed, false);
    let before = balance(&world, 0);
    let fee = world.network.spec.fee.units();
    // Both are covered by what is proven; the second is not once the first is on the chain.
    let (to, token) = (Address([9; 20]), Token::Operational);
    let amount = Amount::from_units(before / 2 + fee);
    world.command(0, Command::Transfer { token, to, amount }).unwrap();
    give(&mut world, to, before / 2);
    let refused = world.run_until(60, |w| {
        let gifts = w.listeners[0].snapshot().gifts;
        gifts.iter().any(|gift| gift.refusal.is_some())
    });
    assert!(refused, "{:?} {:?}", world.listeners[0].snapshot().gifts, world.listeners[0].troubles);
    let rules = world.network.spec.pool;
    let blocks = rules.min_duration + 2 * rules.settle_margin() + rules.freeze;
    let seconds = blocks * world.network.spec.block_ms / 1000;
    let void = world.run_until(2 * seconds, |w| count(w, GiftStage::Void) == 1);
    assert!(void, "{:?}", world.listeners[0].snapshot().gifts);
}
