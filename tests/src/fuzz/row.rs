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
    },
    time::Moment,
};
use std::collections::BTreeMap;

/// This installation.
pub(super) const DEVICE: DeviceId = DeviceId([6; 16]);

/// What the honest rows say was promised to a neighbour.
pub(super) const PROMISED: u128 = 30;

type Row = (String, Vec<u8>);

/// Returns the rows that an honest disk gives back.
pub(super) fn honest() -> Vec<Row> {
    let world = world();
    let terms = world::terms(&world.key, world.stream, CLOCK.0);
    let pool = terms.id(world.chain);
    let record = PoolRecord { device: DEVICE, terms };
    let target = Address::of(&world.peers[0].public());
    let target: String = target.0.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        (format!("payer/{}", pool.0), encode(&record)),
        (
            format!("payer/{}/{target}", pool.0),
            encode(&(DEVICE, 3_u64, Amount::from_units(PROMISED))),
        ),
        (format!("payee/{}", world.pool(0).0), world.voucher(0, 3, 44).to_bytes()),
        (String::from("light/checkpoint"), encode(&world.checkpoints[1])),
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
    check_payee(&rows);
    check_light(&rows);
    "ok"
}

/// A payer never signs beyond its deposit, and never for a pool of which a row is not what this device wrote.
fn check_payer(honest: &[Row], rows: &[Row]) {
    let world = world();
    let ours = || rows.iter().filter(|(name, _)| Payer::owns(name)).cloned();
    let mut payer = Payer::new(world.chain, world.key.clone(), DEVICE, world.spec.pool, ours());
    let terms = world::terms(&world.key, world.stream, CLOCK.0);
    let pool = terms.id(world.chain);
    let Ok(state) = terms.open(&world.spec.pool, Height(20)) else { return };
    let mut out = Vec::new();
    let adopted = payer.adopt(pool, state, Height(20), &mut out);
    payer.handle(Moment::ZERO, payer::Input::Tip(Height(20)), &mut out);
    let target = Address::of(&world.peers[0].public());
    let mut promised = Amount::ZERO;
    for _ in 0..4 {
        out.clear();
        let Ok(sum) = payer.pay(pool, target, Amount::from_units(150), &mut out) else { continue };
        promised = promised.max(sum);
        for output in std::mem::take(&mut out) {
            if let payer::Output::Store(token, ..) = output {
                payer.handle(Moment::ZERO, payer::Input::Stored(token), &mut out);
            }
        }
    }
    assert!(promised <= DEPOSIT && payer.promised(pool) <= DEPOSIT, "promised beyond the deposit");
    let is_whole = honest.first().is_some_and(|(_, terms)| ours().any(|(_, row)| row == *terms));
    assert!(adopted.is_err() || is_whole, "signs for a pool whose terms are torn or missing");
}

/// A payee believes a row only once the chain named the pool's creator.
fn check_payee(rows: &[Row]) {
    let world = world();
    let ours = rows.iter().filter(|(name, _)| Payee::owns(name)).cloned();
    let policy = PayeePolicy::for_price(PRICE, Amount::from_units(1));
    let mut payee = Payee::new(world.chain, world.address(), world.spec.pool, policy, ours);
    let terms = world::terms(&world.peers[0], world.stream, 0);
    let Ok(state) = terms.open(&world.spec.pool, Height(20)) else { return };
    let proof = payee::Proof {
        state,
        paid: Default::default(),
        height: Height(20),
        level: antiphon_core::chain::Level::Settled,
    };
    let mut out = Vec::new();
    payee.handle(Moment::ZERO, payee::Input::Tip(Height(20)), &mut out);
    payee.handle(Moment::ZERO, payee::Input::Proven(world.pool(0), proof), &mut out);
    payee.settle(&mut out);
    let creator = world.peers[0].public();
    for output in out {
        if let payee::Output::Settle(voucher) = output {
            assert!(voucher.verify(world.chain, &creator).is_ok(), "settles what nobody signed");
        }
    }
}

/// A light client verifies what it stored like anything else.
fn check_light(rows: &[Row]) {
    let world = world();
    let stored = rows.iter().find(|(name, _)| name == "light/checkpoint");
    let mut light = Light::new(world.chain, Anchor::Genesis);
    let mut out = Vec::new();
    let loaded = light::Input::Loaded(stored.map(|(_, bytes)| bytes.clone()));
    light.handle(Moment::ZERO, CLOCK, loaded, &mut out);
    let spec = light::Input::Fetched(File::Spec(world.chain), encode(&world.spec));
    light.handle(Moment::ZERO, CLOCK, spec, &mut out);
    super::light::check_heads(&light);
}
