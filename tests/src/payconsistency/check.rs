//! What must hold after every step, after every block, and at the end.

use super::{
    actor::{Actor, MAX_EXPOSURE},
    model::{HONEST, Model},
};
use crate::sim::genesis;
use antiphon_core::{
    chain::spec::Token,
    id::{Address, FieldId, PoolId},
    payment::{
        field::{Member, escrow::FieldStatus},
        member::{FieldView, Phase, Standing},
        reservation::PoolStatus,
    },
};

/// After every step: nobody who keeps the rules has promised more than it locked, or risks more than it said.
pub(super) fn all(model: &mut Model) {
    for actor in &model.actors {
        promises(model, actor);
        for book in actor.payee().view() {
            // After a crash it does not know yet what it was paid; the chain does.
            let paid = model.till.paid(book.pool, actor.address()).cum.units();
            let promised = book.held.units() + book.paid.units();
            let exposure = promised.saturating_sub(paid);
            assert!(exposure <= MAX_EXPOSURE, "{exposure} at risk in one pool (A10.7)");
        }
    }
    for (field, (terms, watch)) in &mut model.fields {
        let of = |member: &Member| {
            let actor = model.actors.iter().find(|actor| actor.address() == member.address());
            actor.map(|actor| &actor.fields)
        };
        watch.look(*field, terms.members.iter().map(of));
    }
}

/// Notes what all who are awake are shown as money: nothing of that may be lost, whatever is shown later.
pub(super) fn show(model: &mut Model) {
    for actor in &mut model.actors {
        for view in actor.fields.view() {
            let shown = actor.shown.entry(view.id).or_default();
            *shown = committed(&view).max(*shown);
        }
    }
}

/// The highest round that is shown as money.
fn committed(view: &FieldView) -> u32 {
    let committed = view.payments.iter().filter(|paid| paid.standing == Standing::Committed);
    committed.map(|paid| paid.round).max().unwrap_or(0)
}

/// A6.15: what the chain enforces is no older than what any member was shown as money.
pub(super) fn enforced(model: &Model, field: FieldId) {
    let Some(state) = model.till.field(field) else { return };
    if !matches!(state.status, FieldStatus::Closed { .. }) {
        return;
    }
    for actor in &model.actors {
        let Some(view) = actor.field(field) else { continue };
        let held = actor.shown.get(&field).copied().unwrap_or(0).max(committed(&view));
        let enforced = state.best.round;
        assert!(held <= enforced, "round {enforced} was enforced, {held} is shown as money");
        // What a round that came too late has put in its place is not what was paid.
        let is_seen = view.phase == Phase::Closed;
        let shown = if is_seen { view.round } else { enforced };
        assert!(shown <= enforced, "round {enforced} was enforced, {shown} is held");
    }
}

/// A10.7: the sum over targets of the higher of what was signed and what was paid is within the deposit.
fn promises(model: &Model, actor: &Actor) {
    for pool in &actor.pools {
        let Some(state) = model.till.pool(*pool) else { continue };
        let targets = model.actors.iter().map(Actor::address);
        let sum: u128 = targets.map(|target| promised(model, actor, *pool, target)).sum();
        let deposit = state.deposit.units();
        assert!(sum <= deposit, "{sum} promised of {deposit}");
    }
}

fn promised(model: &Model, actor: &Actor, pool: PoolId, target: Address) -> u128 {
    let signed = actor.spoken.get(&(pool, target)).map_or(0, |(_, cum)| *cum);
    let paid = model.till.paid(pool, target).cum.units();
    assert!(paid <= signed, "the chain paid {paid}, and {signed} was signed");
    signed
}

/// After every block (A10.1, A10.6).
pub(super) fn money(model: &Model) {
    let all = (HONEST as u128 + 2) * genesis::ENDOWMENT;
    for token in Token::ALL {
        assert_eq!(model.till.count(token), all, "{token:?} was made or lost");
    }
    for pool in model.till.pools() {
        let Some(state) = model.till.pool(pool) else { continue };
        assert!(state.paid_total <= state.deposit);
    }
}

/// At the end: every pool is closed or insolvent, no honest payer's is, and nobody who kept the rules lost more than its exposure in any pool.
pub(super) fn ended(model: &Model) {
    for pool in model.till.pools() {
        let status = model.till.pool(pool).map(|state| state.status);
        assert!(status.is_none_or(|status| status != PoolStatus::Open), "a pool is left over");
    }
    for pool in model.actors.iter().flat_map(|actor| &actor.pools) {
        let status = model.till.pool(*pool).map(|state| state.status);
        let is_insolvent = matches!(status, Some(PoolStatus::Insolvent(_)));
        assert!(!is_insolvent, "who keeps the rules loses no collateral");
    }
    for field in model.fields.keys() {
        let status = model.till.field(*field).map(|state| state.status);
        let is_open = |status| !matches!(status, FieldStatus::Closed { .. });
        assert!(!status.is_some_and(is_open), "a field is left over: {status:?}");
        enforced(model, *field);
    }
    for actor in &model.actors {
        for (pool, given) in &actor.given {
            let lost = given.saturating_sub(model.till.paid(*pool, actor.address()).cum.units());
            assert!(lost <= MAX_EXPOSURE, "{lost} of {given} lost in one pool (A5.15)");
        }
    }
}
