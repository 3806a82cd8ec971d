//! Vouchers and what members of a field say to each other. Here they are bytes; `payment` reads them.

use crate::codec::Bounded;

/// Longest voucher. A signed one of PROTOCOL A5.9 with all its fields has below 200 bytes.
pub const MAX_VOUCHER_BYTES: usize = 256;

/// Longest message of a field, as its members' machine makes them; a tracker relays it whole.
pub const MAX_PARCEL: usize = crate::payment::member::wire::MAX_LETTER;

/// What one member of a payment field says to another.
pub type Parcel = Bounded<u8, MAX_PARCEL>;

/// The canonical bytes of a voucher.
pub type Voucher = Bounded<u8, MAX_VOUCHER_BYTES>;
