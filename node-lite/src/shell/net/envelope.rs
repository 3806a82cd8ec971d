//! What gossip carries: a slot of time before each message, so that a message may be said again and yet goes round once.
//!
//! ```text
//! slot u32 LE | message            id: SHA-256 of all of it
//! ```
//!
//! Machines repeat what may have been lost, byte for byte. Gossip forgets what it has seen only after a minute, so a
//! repetition needs an id of its own: that of its slot. A slot far from the present is not passed on, so a stranger who
//! replays old messages finds each spread at most once a slot.

use libp2p::gossipsub::{Message, MessageId};

/// Length of a slot in milliseconds. Chosen here: as long as a guardian waits before it repeats a share.
const SLOT_MS: u64 = 2000;
/// Slots by which two honest clocks may differ, in-flight time included. Chosen here: twenty seconds, twice the drift
/// that a header may have (A1.11), and far below the minute for which gossip remembers ids.
const MAX_SKEW: u32 = 10;
/// Bytes before the message.
pub(super) const HEAD: usize = 4;

/// Puts a message into the present slot.
pub(super) fn seal(now_ms: u64, message: &[u8]) -> Vec<u8> {
    [&slot(now_ms).to_le_bytes()[..], message].concat()
}

/// Returns the message in an envelope of about the present.
pub(super) fn open(now_ms: u64, envelope: &[u8]) -> Option<&[u8]> {
    let (head, message) = envelope.split_first_chunk::<HEAD>()?;
    let skew = u32::from_le_bytes(*head).abs_diff(slot(now_ms));
    (skew <= MAX_SKEW).then_some(message)
}

/// Names an envelope by its content.
pub(super) fn id(message: &Message) -> MessageId {
    MessageId::new(&antiphon_core::crypto::Hash::of(&[&message.data]).0)
}

fn slot(now_ms: u64) -> u32 {
    let slots = now_ms.checked_div(SLOT_MS).unwrap_or(0);
    u32::try_from(slots).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn a_message_is_one_within_its_slot_and_another_in_the_next() {
        assert_eq!(seal(NOW, b"vote"), seal(NOW + 1999, b"vote"));
        assert_ne!(seal(NOW, b"vote"), seal(NOW + 2000, b"vote"));
        assert_ne!(seal(NOW, b"vote"), seal(NOW, b"veto"));
        assert_eq!(open(NOW, &seal(NOW, b"vote")), Some(&b"vote"[..]));
    }

    #[test]
    fn what_is_more_than_twenty_seconds_off_is_not_passed_on() {
        let old = seal(NOW, b"vote");
        assert!(open(NOW + 20_000, &old).is_some() && open(NOW - 20_000, &old).is_some());
        assert_eq!(open(NOW + 22_000, &old), None);
        assert_eq!(open(NOW - 22_000, &old), None);
        assert_eq!(open(NOW, &[1, 2, 3]), None);
    }
}
