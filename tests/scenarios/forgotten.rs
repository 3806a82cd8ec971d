//! Debts that a listener forgot when it crashed, and its neighbours did not: A5.15.

use antiphon_core::{
    amount::Amount,
    client::Command,
    delivery::{chunk::ChunkId, serve::Refusal},
    peer::frames::{Frame, Refuse},
};
use antiphon_tests::sim::{Seed, world::World};

/// What a chunk costs.
const PRICE: u128 = 100;
/// What a pool holds.
const DEPOSIT: u128 = 200_000;
/// The page that pays.
const PAYER: usize = 2;

/// Three pages that play, of which the last has money and no pool.
fn rich(seed: &Seed) -> World {
    let mut world = World::new(seed.number(), PRICE);
    for _ in 0..3 {
        world.open_page();
        world.run_for(2);
    }
    world.command(PAYER, Command::AskFaucet).unwrap();
    let is_rich = world.run_until(60, |w| {
        let account = w.listeners[PAYER].snapshot().wallet.account;
        account.is_some_and(|account| !account.balance.value.is_zero())
    });
    assert!(is_rich);
    world
}

fn open_pool(world: &mut World) {
    world.command(PAYER, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    let is_open = |w: &World| {
        w.listeners[PAYER].snapshot().wallet.pool.is_some_and(|pool| pool.deposit.is_some())
    };
    assert!(world.run_until(30, is_open));
}

fn from_peers(world: &World) -> u64 {
    world.listeners[PAYER].snapshot().delivery.from_peers
}

#[test]
fn who_crashed_owing_for_its_first_chunks_is_served_again_once_it_pays() {
    let seed = Seed::or(61);
    let mut world = rich(&seed);
    world.run_for(60);
    let given = from_peers(&world);
    assert!(
        (6 * 16_384..=8 * 16_384).contains(&given),
        "what is given to a stranger, twice: {given}"
    );
    world.kill_page(PAYER, 0);
    world.run_for(5);
    world.load_page(PAYER);
    world.run_for(20);
    assert_eq!(from_peers(&world), 0, "they remember by key");
    open_pool(&mut world);
    let again = world.run_until(60, |w| from_peers(w) > 20 * 16_384);
    assert!(again, "{} bytes, {:?}", from_peers(&world), world.listeners[PAYER].troubles);
}

/// A payee that refuses whatever it was paid gains one price, not one a refusal.
#[test]
fn a_payee_that_only_ever_wants_more_gets_one_price() {
    let seed = Seed::or(62);
    let mut world = rich(&seed);
    open_pool(&mut world);
    world.listeners[PAYER].is_paused = true;
    world.run_for(15);
    let held = |world: &World| world.listeners[0].snapshot().wallet.vouchers_in.units();
    let before = held(&world);
    let refuse = Refuse { id: ChunkId { sequence: 7, index: 0 }, reason: Refusal::NoCredit };
    for _ in 0..120 {
        assert!(world.say(0, PAYER, &Frame::Refuse(refuse)));
        world.run_for(1);
    }
    let gained = held(&world) - before;
    // It may have got its one before, and has sold a few chunks for which it may get some more.
    assert!(gained <= 4 * PRICE, "{gained}");
}
