//! Listeners play, carry each other's bytes and pay for them, whoever dies meanwhile. Issue 2, "What must be shown".

use antiphon_core::{
    amount::Amount,
    chain::{Level, spec::Token},
    client::{Command, Status},
    crypto::Hash,
    id::{Address, PoolId},
    peer::frames::Frame,
};
use antiphon_tests::sim::{
    Seed,
    world::{GATEWAY, World},
};

/// What a chunk costs.
const PRICE: u128 = 100;
/// What a pool holds.
const DEPOSIT: u128 = 200_000;

/// Opens three pages, two seconds apart.
fn three_pages(seed: &Seed) -> World {
    let mut world = World::new(seed.number(), PRICE);
    for _ in 0..3 {
        world.open_page();
        world.run_for(2);
    }
    world
}

/// Gives every listed page tokens and a pool.
fn endow(world: &mut World, pages: &[usize]) {
    for page in pages {
        world.command(*page, Command::AskFaucet).unwrap();
    }
    let rich = |world: &World, page: usize| world.listeners[page].snapshot().wallet.account;
    for page in pages {
        let gift = world.run_until(30, |w| {
            rich(w, *page).is_some_and(|account| !account.balance.value.is_zero())
        });
        assert!(gift, "page {page} got nothing: {:?}", world.listeners[*page].troubles);
        world.command(*page, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    }
    for page in pages {
        let open = world.run_until(30, |w| {
            w.listeners[*page].snapshot().wallet.pool.is_some_and(|pool| pool.deposit.is_some())
        });
        assert!(open, "page {page} has no pool: {:?}", world.listeners[*page].troubles);
    }
}

#[test]
fn listeners_tell_the_tracker_how_long_the_way_to_their_neighbours_is() {
    let mut world = three_pages(&Seed::or(12));
    let is_told = |world: &World| {
        world
            .tracker
            .as_ref()
            .is_some_and(|tracker| tracker.near.values().any(|near| near.peers.len() == 2))
    };
    assert!(world.run_until(180, is_told), "two neighbours each");
    for near in world.tracker.unwrap().near.values() {
        // Each way takes 10 to 40 ms.
        assert!(near.peers.iter().all(|near| (5..=7).contains(&near.doublings)), "{near:?}");
    }
}

/// Returns how many of a hundred bytes came from peers.
fn share(world: &World, page: usize) -> u64 {
    let view = world.listeners[page].snapshot().delivery;
    view.from_peers * 100 / (view.from_peers + view.from_origin)
}

fn assert_plays(world: &World, seconds: u64) {
    for (page, listener) in world.listeners.iter().enumerate().filter(|(_, l)| !l.is_paused) {
        let (silence, played) =
            (listener.player.silence_ms(world.now()), listener.player.delivered);
        assert_eq!(silence, 0, "page {page} was silent; {:?}", listener.troubles);
        assert!(played >= seconds / 2 - 4, "page {page} played {played} segments");
    }
}

#[test]
fn three_pages_play_two_minutes_and_take_two_thirds_from_each_other() {
    let seed = Seed::or(11);
    let mut world = three_pages(&seed);
    endow(&mut world, &[0, 1, 2]);
    world.run_for(120);
    assert_plays(&world, 120);
    let shares = [0, 1, 2].map(|page| share(&world, page));
    assert!(shares.iter().sum::<u64>() >= 3 * 60, "nine tenths of what is possible: {shares:?}");
    assert!(shares.iter().all(|share| *share >= 45), "whoever is drawn: {shares:?}");
}

#[test]
fn vouchers_add_up_to_the_chunks_served_and_settle_up_to_final() {
    let seed = Seed::or(12);
    let mut world = three_pages(&seed);
    endow(&mut world, &[0, 1, 2]);
    world.run_for(40);
    for listener in &mut world.listeners {
        listener.is_paused = true;
    }
    world.run_for(3);
    for page in [1, 2] {
        world.command(page, Command::Stop).unwrap();
    }
    world.run_for(3);
    for page in 0..3 {
        let view = world.listeners[page].snapshot();
        let earned = Amount::from_units(u128::from(view.delivery.chunks_served) * PRICE);
        assert_eq!(view.wallet.vouchers_in, earned, "page {page}: {view:#?}");
    }
    world.command(0, Command::Settle).unwrap();
    let mut levels = Vec::new();
    for _ in 0..40 {
        world.run_for(1);
        let settlements = world.listeners[0].snapshot().wallet.settlements;
        let least = settlements.iter().map(|settlement| settlement.level).min().unwrap();
        if levels.last() != Some(&least) {
            levels.push(least);
        }
    }
    let all = [None, Some(Level::Included), Some(Level::Settled), Some(Level::Final)];
    assert!(levels.iter().all(|level| all.contains(level)) && levels.is_sorted(), "{levels:?}");
    assert_eq!(levels.last(), Some(&Some(Level::Final)), "{levels:?}");
    let held = world.listeners[0].snapshot().wallet.vouchers_in;
    assert_eq!(held, Amount::ZERO, "what is settled is not held any more");
}

#[test]
fn a_peer_that_names_pools_by_the_hundred_keeps_nobody_elses_from_being_proven() {
    let seed = Seed::or(22);
    let mut world = three_pages(&seed);
    world.run_for(5);
    let mut names = 0_u64;
    let mut flood = |world: &mut World, seconds: u64| {
        for _ in 0..seconds {
            for _ in 0..200 {
                names += 1;
                let pool = PoolId(Hash::of(&[b"no such pool", &names.to_le_bytes()]));
                assert!(world.say(1, 0, &Frame::PoolRef(pool)));
            }
            world.run_for(1);
        }
    };
    flood(&mut world, 10);
    endow(&mut world, &[2]);
    flood(&mut world, 20);
    let view = world.listeners[0].snapshot();
    assert!(!view.wallet.vouchers_in.is_zero(), "{:?}", world.listeners[0].troubles);
    assert_plays(&world, 20);
}

#[test]
fn who_alters_bytes_is_cut_off_after_one_bad_chunk_and_nobody_plays_or_pays_it() {
    let seed = Seed::or(13);
    let mut world = World::new(seed.number(), PRICE);
    let polluter = world.open_page();
    world.listeners[polluter].is_polluter = true;
    world.run_for(6);
    for _ in 0..2 {
        world.open_page();
        world.run_for(1);
    }
    world.run_for(60);
    // That no bad byte is played is checked at every delivery.
    assert_plays(&world, 60);
    let polluted: Vec<_> =
        [1, 2].map(|page| world.listeners[page].snapshot().delivery.bad).to_vec();
    assert!(polluted.iter().all(|bad| *bad <= 1), "{polluted:?}");
    assert!(polluted.contains(&1), "the polluter was never asked");
    for page in [1, 2] {
        let view = world.listeners[page].snapshot();
        let linked = world.listeners[polluter].config().key.public();
        let is_cut = view.delivery.bad == 0 || view.peers.iter().all(|p| p.peer.0 != linked);
        assert!(is_cut, "page {page} still talks to the polluter");
    }
    assert_eq!(world.listeners[polluter].snapshot().wallet.vouchers_in, Amount::ZERO);
}

#[test]
fn an_origin_that_alters_the_map_is_refused_and_said_until_it_serves_the_right_one() {
    let seed = Seed::or(19);
    let mut world = World::new(seed.number(), PRICE);
    world.origin.alters_map = true;
    let page = world.open_page();
    world.run_for(6);
    let listener = &world.listeners[page];
    let (refused, played) = (listener.player.refused, listener.player.delivered);
    assert!(refused > 1 && played == 0, "{refused} maps refused, {played} segments played");
    assert_eq!(listener.troubles.get("map/not-signed"), Some(&refused));
    let problems = listener.snapshot().problems;
    assert!(problems.iter().any(|problem| problem.code == "map/not-signed"), "{problems:?}");
    world.origin.alters_map = false;
    world.run_for(10);
    // One may have been on its way.
    assert!(world.listeners[page].player.refused <= refused + 1);
    assert!(world.listeners[page].player.delivered > 2);
}

#[test]
fn playback_goes_on_while_the_tracker_is_dead_and_new_pages_are_met_when_it_is_back() {
    let seed = Seed::or(14);
    let mut world = three_pages(&seed);
    world.run_for(10);
    world.kill_tracker();
    let late = world.open_page();
    world.run_for(30);
    assert_plays(&world, 30);
    assert!(world.listeners[late].snapshot().peers.is_empty());
    assert_eq!(world.listeners[0].snapshot().delivery.tracker, Status::Down);
    world.start_tracker();
    world.run_for(70);
    assert_plays(&world, 100);
    let view = world.listeners[late].snapshot();
    assert_eq!(view.delivery.tracker, Status::Up, "{:?}", world.listeners[late].troubles);
    assert!(!view.peers.is_empty(), "{view:#?}");
}

#[test]
fn playback_goes_on_while_the_node_is_dead_and_its_chain_is_followed_when_it_is_back() {
    let seed = Seed::or(15);
    let mut world = three_pages(&seed);
    endow(&mut world, &[1, 2]);
    world.run_for(10);
    world.kill_gateway();
    world.run_for(40);
    assert_eq!(world.listeners[1].snapshot().chain.node, Status::Down);
    let before = world.listeners[1].snapshot().chain.settled;
    world.network.start(GATEWAY);
    world.run_for(20);
    assert_plays(&world, 60);
    let is_up = |w: &World| w.listeners[1].snapshot().chain.node == Status::Up;
    assert!(world.run_until(5, is_up), "one request may fail, not all");
    let view = world.listeners[1].snapshot();
    assert!(view.chain.settled.0 > before.0 + 30, "{:?}", view.chain);
}

#[test]
fn a_page_whose_disk_damaged_a_promise_pays_no_more_from_that_pool_and_plays_on() {
    let seed = Seed::or(20);
    let mut world = three_pages(&seed);
    endow(&mut world, &[1, 2]);
    world.run_for(20);
    let shown = world.listeners[2].snapshot().wallet.pool.unwrap();
    let (pool, promised) = (shown.pool, shown.promised.units());
    let held = |world: &World| [0, 1].map(|page| world.listeners[page].held_from(pool).units());
    world.kill_page(2, 0);
    world.run_for(1);
    assert!(held(&world).iter().sum::<u128>() > 0, "nothing was promised");
    let line = format!("payer/{}/", pool.0);
    let rows = &mut world.listeners[2].rows;
    let (_, row) = rows.iter_mut().find(|(name, _)| name.starts_with(&line)).unwrap();
    // The highest byte of the sum: 2^120 more was promised, if this is believed.
    row[16 + 8 + 15] ^= 1;
    world.load_page(2);
    world.run_for(30);
    // What was signed before it died and did not arrive is sent once more.
    let before = held(&world);
    assert!(before.iter().sum::<u128>() <= promised, "a frozen pool signs nothing");
    let troubles = &world.listeners[2].troubles;
    for code in ["storage/row-damaged", "payer/frozen-damaged"] {
        assert_eq!(troubles.get(code), Some(&1), "{code}: {troubles:?}");
    }
    assert_plays(&world, 30);
    world.command(2, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    world.run_for(30);
    let another = world.listeners[2].snapshot().wallet.pool.unwrap();
    assert!(another.pool != pool && !another.promised.is_zero(), "{another:?}");
    assert_eq!(held(&world), before);
}

#[test]
fn a_refused_pool_is_shown_once_and_opened_when_the_page_asks_again() {
    let seed = Seed::or(19);
    let mut world = World::new(seed.number(), PRICE);
    let page = world.open_page();
    let gift = |world: &World| {
        let account = world.listeners[page].snapshot().wallet.account;
        account.is_some_and(|account| account.balance.value.units() > 900_000)
    };
    world.run_for(3);
    world.command(page, Command::AskFaucet).unwrap();
    assert!(world.run_until(30, gift), "{:?}", world.listeners[page].troubles);
    // The balance is spent while it still looks as if it were there.
    let (token, to) = (Token::Operational, Address([7; 20]));
    let amount = Amount::from_units(900_000);
    world.command(page, Command::Transfer { token, to, amount }).unwrap();
    world.command(page, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    let refusal = |world: &World| world.listeners[page].snapshot().wallet.pool?.refusal;
    assert!(world.run_until(30, |world| refusal(world).is_some()));
    let refused = |world: &World| {
        let troubles = &world.listeners[page].troubles;
        let codes = ["node/transaction-refused", "wallet/insufficient"];
        codes.iter().filter_map(|code| troubles.get(code)).sum::<u64>()
    };
    assert_eq!(refused(&world), 1, "{:?}", world.listeners[page].troubles);
    world.command(page, Command::AskFaucet).unwrap();
    assert!(world.run_until(30, gift));
    world.run_for(30);
    assert_eq!(refused(&world), 1, "tried again unasked: {:?}", world.listeners[page].troubles);
    assert!(refusal(&world).is_some());
    world.command(page, Command::OpenPool(Amount::from_units(DEPOSIT))).unwrap();
    let is_open = world.run_until(30, |world| {
        world.listeners[page].snapshot().wallet.pool.is_some_and(|pool| pool.deposit.is_some())
    });
    assert!(is_open && refusal(&world).is_none(), "{:?}", world.listeners[page].troubles);
}

#[test]
fn playback_goes_on_when_the_page_that_serves_is_closed() {
    let seed = Seed::or(16);
    let mut world = three_pages(&seed);
    world.run_for(20);
    world.kill_page(0, 0);
    world.listeners[0].is_paused = true;
    world.run_for(40);
    assert_plays(&world, 60);
    world.load_page(0);
    world.listeners[0].is_paused = false;
    world.run_for(40);
    assert!(!world.listeners[0].snapshot().peers.is_empty());
}

#[test]
fn a_payer_that_vanishes_leaves_no_more_than_eight_chunks_unpaid() {
    let seed = Seed::or(17);
    let mut world = three_pages(&seed);
    endow(&mut world, &[1, 2]);
    world.run_for(20);
    world.kill_page(2, 0);
    world.listeners[2].is_paused = true;
    world.run_for(10);
    for page in [0, 1] {
        let view = world.listeners[page].snapshot();
        let served = u128::from(view.delivery.chunks_served) * PRICE;
        let unpaid = served.saturating_sub(view.wallet.vouchers_in.units());
        assert!(unpaid <= 8 * PRICE, "page {page} lost {unpaid}");
    }
    assert_plays(&world, 20);
}

#[test]
fn a_payer_that_crashes_again_and_again_never_promises_more_than_its_deposit() {
    let seed = Seed::or(18);
    let mut world = three_pages(&seed);
    endow(&mut world, &[1, 2]);
    let pool = world.listeners[2].snapshot().wallet.pool.unwrap().pool;
    for round in 0..8 {
        world.run_for(5);
        world.kill_page(2, round % 3);
        world.run_for(1);
        world.load_page(2);
        // A.5.13: what payees hold is at most what the payer's own rows say.
        world.run_for(5);
        let resumed = world.listeners[2].snapshot().wallet;
        assert_eq!(resumed.pool.as_ref().map(|view| view.pool), Some(pool), "round {round}");
        let held: u128 =
            [0, 1].map(|page| world.listeners[page].held_from(pool).units()).iter().sum();
        let promised = resumed.pool.unwrap().promised.units();
        assert!(held <= promised, "round {round}: payees hold {held} of {promised} promised");
        assert!(promised <= DEPOSIT);
    }
    let paid = world.listeners[2].snapshot().wallet.pool.unwrap().promised;
    assert!(paid.units() >= 20 * PRICE, "only {paid:?} was paid after all");
    assert!(world.listeners[2].troubles.keys().all(|code| !code.starts_with("payer/frozen")));
}
