//! Promises with ticks, and too many of them.

use crate::fuzz::world::world;
use antiphon_core::{
    amount::Amount,
    crypto::Signed,
    payment::{
        reservation::Overdraft,
        tick::{Ladder, Tick, Ticks},
        voucher::{Promise, Voucher},
    },
};

/// Evidence of two promises, one with ticks.
pub(super) fn overdraft() -> Overdraft {
    let world = world();
    let promises = vec![world.voucher(0, 3, 44).into(), ticked()];
    Overdraft { pool: world.pool(0), promises: promises.try_into().unwrap() }
}

/// A promise with the second tick of four.
pub(super) fn ticked() -> Promise {
    let (world, seq) = (world(), 4);
    let body = world.voucher(0, seq, 44).body;
    let mut ladder = Ladder::new(&world.peers[0], world.chain, (&body.pool, &body.target, seq), 4);
    let tick = ladder.preimage(2).map(|preimage| Tick { count: 2, preimage });
    let price = Amount::from_units(3);
    let ticks = Some(Ticks { anchor: ladder.anchor(), price, length: 4 });
    let voucher = Signed::new(&world.peers[0], world.chain, Voucher { ticks, ..body });
    Promise { voucher, tick }
}
