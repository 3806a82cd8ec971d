//! Neighbours that are let go for somebody new, between whole clients. Issue 5 "neighbour refresh".

use antiphon_core::peer::frames::ByeReason;
use antiphon_tests::sim::{Seed, world::World};

/// Pages; every other one gives nothing.
const PAGES: usize = 8;

/// Returns the first page that let another go, with that one.
fn parted(world: &World) -> Option<(usize, usize)> {
    world.listeners.iter().enumerate().find_map(|(page, listener)| {
        let crowded = listener.goodbyes.iter().find(|(_, why)| *why == ByeReason::Crowded);
        crowded.map(|(other, _)| (page, *other))
    })
}

#[test]
fn who_gives_nothing_is_told_goodbye_and_nobody_is_silent_or_banned_for_it() {
    let mut world = World::new(Seed::or(58).number(), 0);
    for page in 0..PAGES {
        world.open_page_with(|config| {
            // Each dials one, and answers three.
            config.max_links = 4;
            config.upload.is_enabled = page % 2 == 0;
        });
        world.run_for(1);
    }
    assert!(world.run_until(600, |world| parted(world).is_some()), "nobody is let go");
    let (page, other) = parted(&world).unwrap();
    assert!(other % 2 == 1, "{other} gives, and {page} let it go");
    world.run_for(1);
    assert!(!world.listeners[page].is_linked(other), "it hung up");
    assert!(!world.listeners[other].is_linked(page), "the other has noticed");
    let is_consoled =
        |world: &World| (0..PAGES).any(|new| new != other && world.listeners[page].is_linked(new));
    assert!(world.run_until(60, is_consoled), "somebody new has its place");
    for (page, listener) in world.listeners.iter().enumerate() {
        assert_eq!(listener.player.silence_ms(world.now()), 0, "page {page}");
        assert!(listener.snapshot().bans.is_empty(), "page {page}: {:?}", listener.troubles);
    }
}
