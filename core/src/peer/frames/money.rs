//! Vouchers on the wire. Here they are bytes; `payment` reads them.

use crate::codec::Bounded;

/// Longest voucher. A signed one of PROTOCOL A5.9 with all its fields has below 200 bytes.
pub const MAX_VOUCHER_BYTES: usize = 256;

/// The canonical bytes of a voucher.
pub type Voucher = Bounded<u8, MAX_VOUCHER_BYTES>;
