//! A device is lost, and with it all rows: words alone find the pools of their key. A5.12, A5.13; issue 6.

use antiphon_core::{
    amount::Amount,
    chain::lookup::PoolsFound,
    client::{Command, Found, Input, LockedView},
    id::Address,
    payment::{payer::Payer, reservation::Purpose},
};
use antiphon_tests::sim::{Seed, world::World};

/// What is given, and what a pool has.
const GIFT: u128 = 5_000;
const DEPOSIT: u128 = 100_000;

/// Why nothing is signed for a pool of another device.
const FROZEN: Option<&str> = Some("payer/frozen-other-device");

fn balance(world: &World, page: usize) -> u128 {
    let account = world.listeners[page].snapshot().wallet.account;
    account.map_or(0, |account| account.balance.value.units())
}

fn locked(world: &World, page: usize) -> Vec<LockedView> {
    world.listeners[page].snapshot().wallet.locked
}

fn fund(world: &mut World, page: usize) {
    world.command(page, Command::AskFaucet).unwrap();
    assert!(world.run_until(60, |w| balance(w, page) > 0));
}

/// The same key on another device, which has nothing stored.
fn lose(world: &mut World, page: usize) {
    world.kill_page(page, 0);
    world.listeners[page].rows.clear();
    world.load_page(page);
    assert!(world.run_until(60, |w| balance(w, page) > 0), "the chain knows the balance");
    assert_eq!(locked(world, page), [], "and nobody tells of pools");
}

fn find(world: &mut World, page: usize) -> PoolsFound {
    match world.ask(page, Input::FindPools) {
        Ok(Found::Pools(found)) => found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn words_alone_find_what_was_locked_and_it_comes_back() {
    let mut world = World::new(Seed::or(71).number(), 7);
    let page = world.open_guest();
    world.run_for(2);
    fund(&mut world, page);
    let before = balance(&world, page);
    let (to, purpose) = (Address([9; 20]), Purpose::try_from("order 7").unwrap());
    world.command(page, Command::Give { to, amount: Amount::from_units(GIFT), purpose }).unwrap();
    assert!(world.run_until(60, |w| locked(w, page).iter().any(|one| one.held.is_some())));
    let pool = locked(&world, page)[0].pool;
    lose(&mut world, page);

    let found = find(&mut world, page);
    assert!(found.is_whole, "one transaction was sent, and seen: {found:?}");
    assert_eq!(found.pools.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [pool]);
    let shown = locked(&world, page);
    assert_eq!((shown.len(), shown[0].pool, shown[0].freeze), (1, pool, FROZEN));
    assert!(world.run_until(60, |w| locked(w, page)[0].held == Some(Amount::from_units(GIFT))));
    assert_eq!(find(&mut world, page).pools, [], "it is known now");
    // It is stored, as another device's.
    world.kill_page(page, 0);
    world.load_page(page);
    assert!(world.run_until(60, |w| locked(w, page).len() == 1));
    assert_eq!(locked(&world, page)[0].freeze, FROZEN);

    let rules = world.network.spec.pool;
    let blocks = rules.min_duration + rules.settle_margin() + rules.freeze;
    let seconds = blocks * world.network.spec.block_ms / 1000;
    let fee = world.network.spec.fee.units();
    let back = world.run_until(3 * seconds, |w| balance(w, page) == before - 2 * fee);
    assert!(back, "{} of {before}: {:?}", balance(&world, page), locked(&world, page));
    assert!(world.run_until(60, |w| locked(w, page).is_empty()));
    assert!(!world.listeners[page].rows.keys().any(|name| Payer::owns(name)), "and is forgotten");
    let found = find(&mut world, page);
    assert_eq!((found.pools, found.is_whole), (vec![], true), "what is closed holds nothing");
}

#[test]
fn for_a_pool_that_is_found_nothing_is_signed() {
    let mut world = World::new(Seed::or(72).number(), 7);
    for page in 0..2 {
        world.open_page();
        world.run_for(3);
        fund(&mut world, page);
    }
    world.command(0, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    let held = |w: &World| {
        locked(w, 0).first().map_or(Amount::ZERO, |one| w.listeners[1].held_from(one.pool))
    };
    assert!(world.run_until(120, |w| !held(w).is_zero()), "the other is paid from it");
    lose(&mut world, 0);
    let pools = find(&mut world, 0).pools;
    assert_eq!((pools.len(), locked(&world, 0)[0].freeze), (1, FROZEN));
    // Who had the newest voucher before the loss may still have been on its way to be stored.
    world.run_for(10);
    let promised = held(&world);
    let received = |w: &World| w.listeners[0].snapshot().delivery.delivered;
    let had = received(&world);
    assert!(world.run_until(120, |w| received(w) > had), "it listens on");
    world.run_for(30);
    assert_eq!(
        held(&world),
        promised,
        "and promises nothing from what another device may have promised"
    );
}

#[test]
fn two_searches_at_once_are_one_too_many() {
    let mut world = World::new(Seed::or(73).number(), 7);
    let page = world.open_guest();
    assert_eq!(world.ask(page, Input::FindPools).map(drop), Err("lookup/not-ready"));
    world.run_for(5);
    let (first, second) = world.ask_twice(page, Input::FindPools);
    assert_eq!(first.map(|found| matches!(found, Found::Pools(_))), Ok(true));
    assert_eq!(second.map(drop), Err("lookup/busy"));
}
