//! What a field's part of the machine borrows while it handles one input.

use super::{
    MemberPolicy, Output,
    record::Row,
    wire::{Envelope, Letter},
};
use crate::{
    codec,
    crypto::{Hash, SecretKey, Signature},
    id::{Address, ChainId, FieldId, Height},
    payment::{StoreToken, payer::DeviceId},
    table::Table,
    time::Moment,
};
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// Writes under way, by token.
#[derive(Debug, Default)]
pub(super) struct Writes {
    next: u64,
    waiting: Table<StoreToken, (FieldId, Row)>,
}

/// One input's turn.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) chain: ChainId,
    pub(super) key: &'a SecretKey,
    pub(super) device: DeviceId,
    pub(super) policy: &'a MemberPolicy,
    pub(super) now: Moment,
    pub(super) tip: Height,
    pub(super) writes: &'a mut Writes,
    pub(super) out: &'a mut Vec<Output>,
}

impl Writes {
    /// Returns what a write was for; it is over.
    pub(super) fn done(&mut self, token: StoreToken) -> Option<(FieldId, Row)> {
        self.waiting.remove(&token)
    }

    /// Forgets every write of a field.
    pub(super) fn forget(&mut self, field: &FieldId) {
        self.waiting.retain(|_, (of, _)| of != field);
    }

    const fn token(&mut self) -> StoreToken {
        let token = StoreToken(self.next);
        self.next = self.next.saturating_add(1);
        token
    }
}

impl Turn<'_> {
    /// Orders a row to be written; its `Stored` is for the field.
    pub(super) fn store(&mut self, field: FieldId, row: Row, record: &impl BorshSerialize) {
        let token = self.writes.token();
        self.writes.waiting.insert(token, (field, row));
        self.out.push(Output::Store(token, row.name(&field), Some(codec::encode(record))));
    }

    /// Orders a row to be removed.
    pub(super) fn remove(&mut self, field: FieldId, row: Row) {
        let token = self.writes.token();
        self.out.push(Output::Store(token, row.name(&field), None));
    }

    /// Orders a message to be sent.
    pub(super) fn send(&mut self, to: Address, field: FieldId, letter: Letter) {
        self.out.push(Output::Send(to, Envelope { field, letter }.to_bytes()));
    }

    /// Says that the view has changed.
    pub(super) fn changed(&mut self) {
        if self.out.last() != Some(&Output::Changed) {
            self.out.push(Output::Changed);
        }
    }

    /// Returns the last block that may begin a version which is proposed now.
    pub(super) fn until(&self) -> Height {
        self.tip.plus(self.policy.amend_within)
    }

    /// Signs a digest.
    pub(super) fn sign(&self, digest: Hash) -> Signature {
        self.key.sign_digest(digest)
    }
}
