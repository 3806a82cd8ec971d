//! Routes between who wants one payment of a closed field as a file, and the chain that must bear it out.
//!
//! ```text
//! Prove --where was it closed?--> look-up of the header --> leaves, of the node --> file, verified --> Shown
//! ```
//!
//! Source: PROTOCOL A0.9, A6.10.

use super::{Asker, Client, Exhibit, Found, LookupId, Output, PaymentAt, Query, Question};
use crate::{
    chain::lookup::{MAX_LOOKUPS, Proven},
    crypto::Hash,
    id::{FieldId, Height},
};
use alloc::{boxed::Box, vec::Vec};

/// As many files are made as look-ups may be under way.
const BUSY: &str = "lookup/busy";
/// The chain is not known yet, or the node does not say.
const NOT_READY: &str = "lookup/not-ready";
const UNREACHABLE: &str = "lookup/unreachable";

/// A file on its way.
#[derive(Clone, Debug)]
pub(super) enum Draft {
    /// The header is looked up from which the payment is proven.
    Wanted(PaymentAt),
    /// The header is proven, and the node is asked what it commits.
    Proven(PaymentAt, Proven, Hash),
}

impl Client {
    /// Begins to make a file of one payment.
    pub(super) fn prove(&mut self, id: LookupId, payment: PaymentAt, out: &mut Vec<Output>) {
        let closed = self.purse.as_ref().map(|purse| purse.fields.closed_at(payment.field));
        match closed {
            Some(Ok(height)) => self.draft(id, Draft::Wanted(payment), height, out),
            Some(Err(error)) => out.push(Output::Lost(id, error.code())),
            None => out.push(Output::Lost(id, NOT_READY)),
        }
    }

    /// Looks up the header of a block, for a file.
    fn draft(&mut self, id: LookupId, draft: Draft, height: Height, out: &mut Vec<Output>) {
        if self.drafts.len() >= MAX_LOOKUPS || self.drafts.iter().any(|(known, _)| *known == id) {
            return out.push(Output::Lost(id, BUSY));
        }
        self.drafts.push((id, draft));
        self.look_up(id, Question::Blocks(height), out);
    }

    pub(super) fn take_draft(&mut self, id: LookupId) -> Option<Draft> {
        let at = self.drafts.iter().position(|(known, _)| *known == id)?;
        Some(self.drafts.swap_remove(at).1)
    }

    /// The header of a file's block is proven.
    pub(super) fn draft_found(
        &mut self,
        id: LookupId,
        draft: Draft,
        found: &Found,
        out: &mut Vec<Output>,
    ) {
        let Found::Blocks(blocks) = found else { return };
        // The first is the block that was asked for.
        let Some((proven, header)) = blocks.first() else { return };
        match draft {
            Draft::Wanted(payment) => {
                self.drafts.push((id, Draft::Proven(payment, *proven, header.field_root)));
                self.ask_node(Asker::Exhibit(id), Query::Closed(header.height.0), out);
            }
            Draft::Proven(..) => {}
        }
    }

    /// The node told which fields a block closed, or did not. Nothing of it is believed: the file that is made of it must lead
    /// to the header.
    pub(super) fn told_closed(&mut self, id: LookupId, told: Option<&[u8]>, out: &mut Vec<Output>) {
        let Some(Draft::Proven(payment, proven, root)) = self.take_draft(id) else { return };
        let Some(bytes) = told else { return out.push(Output::Lost(id, UNREACHABLE)) };
        let at = (payment.round, payment.index);
        let Some(purse) = &self.purse else { return };
        let under = (proven.height, root);
        match purse.fields.payment_file(payment.field, at, under, bytes) {
            Ok((shown, file)) => {
                out.push(Output::Shown(id, Box::new(Exhibit { proven, shown, file })));
            }
            Err(error) => out.push(Output::Lost(id, error.code())),
        }
    }

    /// Returns the newest state of a field that all have signed as a file of evidence, for anybody who may need it.
    pub fn evidence(&self, field: FieldId) -> Option<Vec<u8>> {
        self.purse.as_ref()?.fields.sealed_file(field)
    }
}
