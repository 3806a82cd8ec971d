//! Guesses what transactions will touch, and puts those together that seem to touch the same.

use super::batch::Job;
use antiphon_core::{
    chain::transaction::{Message, SignedTransaction},
    crypto::AccountKey,
    id::{Address, DelayId, FieldId, PoolId},
};
use std::collections::BTreeMap;

/// Something that two transactions can have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Account(Address),
    Pool(PoolId),
    Field(FieldId),
    Delayed(DelayId),
    /// What is delayed by so many blocks stands on one page.
    Due(u64),
    /// Bonds, stakers and the roster hang together.
    Stake,
    /// What was burned is one row.
    Burned,
    /// What the sender says by itself (ALZA-7).
    Scope(String),
}

/// Returns the places of the jobs in groups without a common label, each group in order.
pub(super) fn groups(jobs: &[Job]) -> Vec<Vec<usize>> {
    let mut parents: Vec<usize> = (0..jobs.len()).collect();
    let mut owners: BTreeMap<Label, usize> = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        for label in labels(&job.tx) {
            let owner = *owners.entry(label).or_insert(place);
            join(&mut parents, owner, place);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for place in 0..jobs.len() {
        groups.entry(root(&mut parents, place)).or_default().push(place);
    }
    groups.into_values().collect()
}

/// Returns the first of a group, and shortens the way to it.
fn root(parents: &mut [usize], mut place: usize) -> usize {
    while let Some(parent) = parents.get(place).copied()
        && parent != place
    {
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(place) {
            *slot = above;
        }
        place = above;
    }
    place
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    if let Some(slot) = parents.get_mut(a.max(b)) {
        *slot = a.min(b);
    }
}

fn labels(tx: &SignedTransaction) -> Vec<Label> {
    let account = |key: &AccountKey| Label::Account(key.address());
    let mut labels = vec![account(&tx.body.sender)];
    labels.extend(tx.body.cosigners.iter().map(account));
    if !tx.body.scope.as_str().is_empty() {
        labels.push(Label::Scope(String::from(tx.body.scope.as_str())));
    }
    for message in tx.body.messages.iter() {
        match message {
            Message::Transfer { to, .. } => labels.push(Label::Account(*to)),
            Message::Exchange(exchange) => {
                labels.extend(exchange.to.iter().map(|part| Label::Account(part.address)));
            }
            Message::Delay(delay) => labels.push(Label::Due(delay.blocks)),
            Message::Cancel(delay) => labels.push(Label::Delayed(*delay)),
            // That it burns something, a settlement does not say.
            Message::Settle(promise) => labels.push(Label::Pool(promise.voucher.body.pool)),
            Message::Release(pool) => labels.push(Label::Pool(*pool)),
            Message::Field(act) => {
                labels.extend(act.field().map(Label::Field));
                // An open or amended field takes from members who need not sign the transaction.
                labels.extend(act.members().iter().map(|member| account(&member.key.into())));
            }
            Message::Report(overdraft) => {
                labels.extend([Label::Pool(overdraft.pool), Label::Burned]);
            }
            Message::Collect { pool, target } => {
                labels.extend([Label::Pool(*pool), Label::Account(*target)]);
            }
            // The pool's name follows from the sender.
            Message::CreatePool(_) => {}
            Message::Register(_)
            | Message::Bond { .. }
            | Message::Unbond { .. }
            | Message::Withdraw { .. }
            | Message::Rejoin => labels.push(Label::Stake),
            Message::Accuse { .. } => labels.extend([Label::Stake, Label::Burned]),
        }
    }
    labels
}
