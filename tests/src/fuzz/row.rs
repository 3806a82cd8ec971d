//! What a disk gives back: rows of the payer, the payee and the light client, torn, swapped or from another device.

use super::{
    choice::Choices,
    world::{self, CLOCK, DEPOSIT, PRICE, world},
};
use antiphon_core::{
    amount::Amount,
    chain::light::{self, Anchor, File, Light},
    codec::encode,
    id::{Address, Height},
    payment::{
        payee::{self, Payee, PayeePolicy},
        payer::{self, DeviceId, Payer, PoolRecord},
        voucher::Promise,
    },
    row::{self, Row},
    time::Moment,
};
use std::collections::BTreeMap;

/// This installation.
pub(super) const DEVICE: DeviceId = DeviceId([6; 16]);

/// What the honest rows say was promised to a neighbour.
pub(super) const PROMISED: u128 = 30;

/// What is promised to this listener by the voucher it holds.
const HELD: u128 = 44;

/// A name and sealed bytes.
type OnDisk = (String, Vec<u8>);

/// Returns what is on disk of a row.
pub(super) fn sealed(name: &str, bytes: Vec<u8>) -> OnDisk {
    (String::from(name), row::seal(world().chain, name, bytes))
}

/// Returns rows as machines get them.
pub(super) fn read(rows: impl IntoIterator<Item = OnDisk>) -> Vec<Row> {
    row::unseal_all(world().chain, rows)
}

/// Returns the rows that an honest disk gives back.
pub(super) fn honest() -> Vec<OnDisk> {
    let world = world();
    let terms = world::terms(&world.key, world.stream, CLOCK.0);
    let pool = terms.id(world.chain);
    let record = PoolRecord { device: DEVICE, terms };
    let target = Address::of(&world.peers[0].public());
    let target: String = target.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let (checkpoint, guardians) = (world.checkpoints[1].clone(), world.spec.guardians.clone());
    let kept = light::Kept { anchor: Anchor::Genesis, checkpoint, guardians };
    vec![
        sealed(&format!("payer/{}", pool.0), encode(&record)),
        sealed(
            &format!("payer/{}/{target}", pool.0),
            encode(&(DEVICE, 3_u64, Amount::from_units(PROMISED), 0_u8)),
        ),
        sealed(
            &format!("payee/{}", world.pool(0).0),
            encode(&Promise::from(world.voucher(0, 3, HELD))),
        ),
        sealed("light/trust", kept.to_bytes()),
    ]
}

/// Rows as a damaged disk would give them back.
pub fn stored_rows(data: &[u8]) -> &'static str {
    let mut choices = Choices::new(data);
    let honest = honest();
    let mut rows = BTreeMap::new();
    while !choices.is_empty() && rows.len() < 8 {
        let Some((name, bytes)) = choices.of(&honest).cloned() else { continue };
        let name = if choices.below(8) == 0 {
            String::from_utf8_lossy(&choices.spoil(name.into_bytes())).into_owned()
        } else {
            name
        };
        let bytes = if choices.below(3) == 0 { bytes } else { choices.spoil(bytes) };
        rows.insert(name, bytes);
    }
    let rows: Vec<_> = rows.into_iter().collect();
    check_payer(&honest, &rows);
    check_payee(&honest, &rows);
    check_light(&rows);
    "ok"
}

/// No damaged row changes an amount: a pool is signed for only if each of its rows is as it was written, and from the
/// sums that they say; else it is frozen and nothing is signed.
fn check_payer(honest: &[OnDisk], rows: &[OnDisk]) {
    let world = world();
    let terms = world::terms(&world.key, world.stream, CLOCK.0);
    let pool = terms.id(world.chain);
    let Ok(state) = terms.open(&world.spec.pool, Height(20)) else { return };
    let ours: Vec<_> = rows.iter().filter(|(name, _)| Payer::owns(name)).cloned().collect();
    // A name may have been damaged into another one of the same pool.
    let own_name = format!("payer/{}", pool.0);
    let is_of_pool = |(name, _): &&OnDisk| name.starts_with(&own_name);
    let is_whole = ours.iter().filter(is_of_pool).all(|row| honest.contains(row))
        && ours.iter().any(|(name, _)| *name == own_name);
    let written = if ours.iter().filter(is_of_pool).count() > 1 { PROMISED } else { 0 };
    let read = read(ours.iter().cloned());
    let mut payer = Payer::new(world.chain, world.key.clone(), DEVICE, world.spec.pool, read);
    let mut out = Vec::new();
    let adopted = payer.adopt(pool, state, Height(20), &mut out);
    payer.handle(Moment::ZERO, payer::Input::Tip(Height(20)), &mut out);
    let target = Address::of(&world.peers[0].public());
    assert_eq!(adopted.is_ok(), is_whole, "{adopted:?}");
    if is_whole {
        assert_eq!(payer.promised(pool), Amount::from_units(written), "another sum than written");
    }
    let price = Amount::from_units(150);
    for paid in 1..4 {
        let wanted = Amount::from_units(written + paid * price.units());
        let answer = payer.pay(pool, target, price, &mut out);
        assert_eq!(answer.ok(), (is_whole && wanted <= DEPOSIT).then_some(wanted));
        while let Some(output) = out.pop() {
            match output {
                payer::Output::Store(token, ..) => {
                    payer.handle(Moment::ZERO, payer::Input::Stored(token), &mut out);
                }
                payer::Output::Voucher(_, voucher) => assert_eq!(voucher.body.cum, wanted),
                payer::Output::Create(_) => {}
            }
        }
    }
    assert_eq!(payer.latest(pool, target).is_some(), is_whole, "signs for a frozen pool");
}

/// No damaged row changes an amount: a payee settles what it was promised, or freezes the pool.
fn check_payee(honest: &[OnDisk], rows: &[OnDisk]) {
    let world = world();
    let pool = world.pool(0);
    let ours: Vec<_> = rows.iter().filter(|(name, _)| Payee::owns(name)).cloned().collect();
    let own_name = format!("payee/{}", pool.0);
    let row = ours.iter().find(|(name, _)| *name == own_name);
    let is_whole = row.is_some_and(|row| honest.contains(row));
    let policy = PayeePolicy::for_price(PRICE, Amount::from_units(1));
    let read = read(ours.iter().cloned());
    let mut payee = Payee::new(world.chain, world.address(), world.spec.pool, policy, read);
    let terms = world::terms(&world.peers[0], world.stream, 0);
    let Ok(state) = terms.open(&world.spec.pool, Height(20)) else { return };
    let proof = payee::Proof {
        state,
        paid: Default::default(),
        height: Height(20),
        level: antiphon_core::chain::Level::Settled,
    };
    let held: Amount = payee.view().iter().map(|book| book.held).sum();
    assert_eq!(held, Amount::from_units(if is_whole { HELD } else { 0 }), "not what was written");
    let peer = world.peer(0);
    assert!(payee.set_terms(peer, world.stream, PRICE).is_ok());
    let mut out = Vec::new();
    payee.handle(Moment::ZERO, payee::Input::Tip(Height(20)), &mut out);
    payee.handle(Moment::ZERO, payee::Input::Offered(peer, pool), &mut out);
    payee.handle(Moment::ZERO, payee::Input::Proven(pool, Box::new(proof)), &mut out);
    out.clear();
    payee.settle(&mut out);
    let honest_voucher = world.voucher(0, 3, HELD);
    let expected = is_whole.then(|| payee::Output::Settle(honest_voucher.clone().into()));
    assert!(out.iter().eq(&expected), "settles something else: {out:?}");
    out.clear();
    // The same voucher again is worth nothing to a payee that has it, or that cannot know whether it had it.
    let again = encode(&honest_voucher.to_compact());
    payee.handle(Moment::ZERO, payee::Input::Voucher(peer, again), &mut out);
    let is_refused = matches!(out[..], [payee::Output::Fault(..)]);
    assert_eq!(is_refused, row.is_some(), "{out:?}");
}

/// A light client verifies what it stored like anything else.
fn check_light(rows: &[OnDisk]) {
    let world = world();
    let stored = rows.iter().find(|(name, _)| name == "light/trust");
    let mut light = Light::new(light::Config {
        chain: world.chain,
        anchor: Anchor::Genesis,
        skipping: light::Skipping::Off,
        witnesses: 0,
    });
    let mut out = Vec::new();
    let read = read(stored.cloned()).pop().and_then(|(_, bytes)| bytes.ok());
    let loaded = light::Input::Loaded(light::Stored { trust: read, fork: None });
    light.handle(Moment::ZERO, CLOCK, loaded, &mut out);
    let spec =
        light::Input::Fetched(light::Source::NODE, File::Spec(world.chain), encode(&world.spec));
    light.handle(Moment::ZERO, CLOCK, spec, &mut out);
    super::light::check_heads(&light);
}
