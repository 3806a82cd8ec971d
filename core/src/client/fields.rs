//! Routes between the payment fields, the chain, and the members wherever they can be reached.

use super::{Client, Now, Output};
use crate::{id::PeerId, peer::frames::Parcel};
use alloc::vec::Vec;

impl Client {
    pub(super) fn field_heard(&mut self, _: Now, _: PeerId, _: Parcel, _: &mut Vec<Output>) {}
}
