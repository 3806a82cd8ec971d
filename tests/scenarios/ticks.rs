//! Chunks paid by a hash each, over real links: T1 to T9 of `SPEC-MAP.md`, and what a payer that cheats gets.

use antiphon_core::{
    amount::Amount,
    client::Command,
    id::{Address, PoolId},
    payment::{
        payer::LADDER,
        tick::{Ladder, MAX_SKIP, Preimage},
    },
    peer::frames::Frame,
};
use antiphon_tests::sim::{Seed, world::World};

/// What a chunk costs.
const PRICE: u128 = 100;
/// What a pool holds.
const DEPOSIT: u128 = 200_000;

/// Three pages that play, of which the last has money.
fn rich(seed: &Seed) -> World {
    let mut world = World::new(seed.number(), PRICE);
    for _ in 0..3 {
        world.open_page();
        world.run_for(2);
    }
    world.command(2, Command::AskFaucet).unwrap();
    let rich = world.run_until(30, |w| {
        let account = w.listeners[2].snapshot().wallet.account;
        account.is_some_and(|account| !account.balance.value.is_zero())
    });
    assert!(rich);
    world
}

/// Three pages, of which the last has a pool and pays both others by ticks.
fn paying(seed: &Seed) -> (World, PoolId) {
    let mut world = rich(seed);
    world.command(2, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    let paying = world.run_until(60, |w| {
        let ticks = |to| w.listeners[2].ticks_sent.iter().filter(|(other, _)| *other == to).count();
        ticks(0) > 3 && ticks(1) > 0
    });
    let pool = world.listeners[2].snapshot().wallet.pool.unwrap().pool;
    assert!(paying, "{:?} {:?}", world.listeners[2].ticks_sent, world.listeners[2].troubles);
    (world, pool)
}

/// Lets the payer play no more, and everything arrive.
fn pause(world: &mut World) {
    world.listeners[2].is_paused = true;
    world.run_for(15);
}

/// What a page holds of promises, counted.
fn held(world: &World, page: usize) -> u128 {
    world.listeners[page].snapshot().wallet.vouchers_in.units()
}

fn trouble(world: &World, page: usize, code: &str) -> u64 {
    world.listeners[page].troubles.get(code).copied().unwrap_or(0)
}

/// The payer's ladder of its second voucher to this page: the first had no ticks.
fn ladder(world: &World, pool: PoolId, page: usize) -> Ladder {
    let config = world.listeners[2].config();
    let target: Address = world.listeners[page].address();
    Ladder::new(&config.key, config.chain, (&pool, &target, 2), LADDER)
}

/// How many ticks of the ladder this page was given.
fn count(world: &World, ladder: &mut Ladder, page: usize) -> u32 {
    let sent = world.listeners[2].ticks_sent.iter().filter(|(to, _)| *to == page);
    let newest = sent.map(|(_, tick)| *tick).next_back().unwrap();
    (1..=LADDER).find(|count| ladder.preimage(*count) == Some(newest)).expect("a tick of it")
}

#[test]
fn every_chunk_beyond_the_first_is_paid_by_a_hash_and_all_is_settled() {
    let seed = Seed::or(51);
    let (mut world, pool) = paying(&seed);
    world.run_for(30);
    pause(&mut world);
    for page in [0, 1] {
        let mut ladder = ladder(&world, pool, page);
        let ticks = u128::from(count(&world, &mut ladder, page));
        assert!(ticks > 5 || page == 1, "page {page}: {ticks}");
        let view = world.listeners[page].snapshot();
        let paid = u128::from(view.delivery.chunks_served) * PRICE;
        // The other page has no pool, and got a few chunks on credit.
        let free = paid - held(&world, page);
        assert!(free <= 4 * PRICE, "page {page}: {free} of {paid}, {ticks} ticks");
        assert_eq!(trouble(&world, page, "tick/bad-preimage"), 0);
        world.command(page, Command::Settle).unwrap();
    }
    let settled = world.run_until(60, |w| (0..2).all(|page| held(w, page) == 0));
    assert!(settled, "{:?}", [held(&world, 0), held(&world, 1)]);
}

#[test]
fn most_payments_cost_no_message_of_their_own() {
    let (mut world, _) = paying(&Seed::or(57));
    let before = (world.listeners[2].ticks_sent.len(), world.listeners[2].paid_alone);
    world.run_for(120);
    let payer = &world.listeners[2];
    let (ticks, alone) = (payer.ticks_sent.len() - before.0, payer.paid_alone - before.1);
    assert!(ticks > 20 && alone * 4 <= ticks, "{alone} of {ticks} ticks were alone");
}

#[test]
fn a_tick_that_is_replayed_of_another_payee_too_far_or_made_up_pays_nothing() {
    let seed = Seed::or(52);
    let (mut world, pool) = paying(&seed);
    pause(&mut world);
    let before = [held(&world, 0), held(&world, 1)];
    let (mut to_0, mut to_1) = (ladder(&world, pool, 0), ladder(&world, pool, 1));
    let (at_0, at_1) = (count(&world, &mut to_0, 0), count(&world, &mut to_1, 1));
    let value = |ladder: &mut Ladder, count| ladder.preimage(count).unwrap();
    let foul = [
        value(&mut to_0, at_0),
        value(&mut to_0, at_0 - 1),
        value(&mut to_0, 1),
        // One that a later tick of the other payee's would be.
        value(&mut to_1, at_1 + 1),
        value(&mut to_0, at_0 + MAX_SKIP + 1),
        to_0.anchor(),
        Preimage([7; 32]),
    ];
    for tick in foul {
        assert!(world.say(2, 0, &Frame::Tick(tick)));
    }
    world.run_for(2);
    assert_eq!(trouble(&world, 0, "tick/bad-preimage"), foul.len() as u64);
    assert_eq!([held(&world, 0), held(&world, 1)], before, "nothing was gained");
    // Who has no voucher with ticks to somebody can reveal nothing to it: page 1 pays from no pool.
    assert!(world.say(1, 0, &Frame::Tick(value(&mut to_0, at_0 + 1))));
    world.run_for(1);
    assert_eq!(trouble(&world, 0, "payee/no-pool"), 1);
    assert_eq!(held(&world, 0), before[0]);
    // Skipped steps pay for all that they skip: a payer can only lose by that.
    assert!(world.say(2, 0, &Frame::Tick(value(&mut to_0, at_0 + 5))));
    world.run_for(2);
    assert_eq!(held(&world, 0), before[0] + 5 * PRICE);
}

#[test]
fn a_payer_that_is_loaded_anew_goes_on_and_gives_away_no_more_than_it_had_reserved() {
    let seed = Seed::or(53);
    let (mut world, pool) = paying(&seed);
    world.kill_page(2, 0);
    world.run_for(3);
    let before = [held(&world, 0), held(&world, 1)];
    let ticks = world.listeners[2].ticks_sent.len();
    world.load_page(2);
    let again = world.run_until(60, |w| w.listeners[2].ticks_sent.len() > ticks + 10);
    assert!(again, "{:?}", world.listeners[2].troubles);
    pause(&mut world);
    let promised = world.listeners[2].snapshot().wallet.pool.unwrap().promised.units();
    let all: u128 = (0..2).map(|page| world.listeners[page].held_from(pool).units()).sum();
    assert!(all <= promised && promised <= DEPOSIT, "{all} of {promised}");
    let after = [held(&world, 0), held(&world, 1)];
    assert!(after.iter().sum::<u128>() > before.iter().sum(), "{before:?} {after:?}");
}

/// A voucher does not name its pool: payees must have been told of it, and of the next one before that pays.
// Whoever is handed what is meant for another could be the first to bring it there, and have it counted as its own.
#[test]
fn who_says_that_it_is_paid_as_somebody_else_is_handed_nothing() {
    let seed = Seed::or(57);
    let mut world = World::new(seed.number(), PRICE);
    let honest = world.open_page();
    world.run_for(2);
    let thief = world.open_page();
    world.listeners[thief].claims = Some(world.listeners[honest].address());
    world.run_for(2);
    let payer = world.open_page();
    world.run_for(2);
    world.command(payer, Command::AskFaucet).unwrap();
    let is_rich = |w: &World| {
        let account = w.listeners[payer].snapshot().wallet.account;
        account.is_some_and(|account| !account.balance.value.is_zero())
    };
    assert!(world.run_until(30, is_rich));
    world.command(payer, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    let to = |w: &World, page| {
        w.listeners[payer].ticks_sent.iter().filter(|sent| sent.0 == page).count()
    };
    assert!(world.run_until(60, |w| to(w, honest) > 3), "{:?}", world.listeners[payer].ticks_sent);
    assert_eq!(to(&world, thief), 0);
}

#[test]
fn of_two_pools_the_one_that_peers_were_told_of_pays_until_it_is_spent() {
    let seed = Seed::or(54);
    let mut world = rich(&seed);
    world.command(2, Command::OpenPool(Amount::from_units(200 * PRICE))).unwrap();
    let pool = |world: &World| world.listeners[2].snapshot().wallet.pool.unwrap().pool;
    let from = |world: &World, pool| -> u128 {
        (0..2).map(|page| world.listeners[page].held_from(pool).units()).sum()
    };
    let first = pool(&world);
    assert!(world.run_until(30, |w| from(w, first) > 0));
    world.command(2, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    let spent = world.run_until(300, |w| pool(w) != first);
    let (second, paid) = (pool(&world), from(&world, first));
    assert!(spent && paid > 180 * PRICE && paid <= 200 * PRICE, "{paid}");
    assert!(world.run_until(15, |w| from(w, second) > 5 * PRICE), "{}", from(&world, second));
    for page in [0, 1] {
        let is_ours = |code: &&&str| code.starts_with("payee/") || code.starts_with("tick/");
        let refused: Vec<_> = world.listeners[page].troubles.keys().filter(is_ours).collect();
        assert!(refused.is_empty(), "page {page} refused payments: {refused:?}");
    }
}
