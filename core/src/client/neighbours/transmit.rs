//! Puts what is said to one neighbour in one turn into one message: each costs both ends packets and a wake-up.
//!
//! Frames are a stream of bytes, so a receiver does not see where messages begin. What must be stored first is not said before a
//! later turn, so nothing overtakes a write.

use super::Output;
use crate::peer::{LinkId, frames::MAX_MESSAGE};
use alloc::vec::Vec;

/// Sends on a link, within the newest message to it if that has not left yet and has room.
pub(super) fn send(link: LinkId, bytes: Vec<u8>, out: &mut Vec<Output>) {
    let newest = out.iter_mut().rev().find(
        |output| matches!(output, Output::Send(to, _) | Output::CloseLink(to) if *to == link),
    );
    if let Some(Output::Send(_, message)) = newest
        && message.len().saturating_add(bytes.len()) <= MAX_MESSAGE
    {
        message.extend_from_slice(&bytes);
    } else {
        out.push(Output::Send(link, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::Bounded,
        delivery::chunk::{CHUNK, ChunkId},
        peer::frames::{ChunkBytes, Frame, messages},
    };
    use alloc::vec;

    const NEAR: LinkId = LinkId(1);
    const FAR: LinkId = LinkId(2);

    #[test]
    fn what_is_said_in_one_turn_is_one_message_for_each_link_in_the_order_it_was_said() {
        let mut out = Vec::new();
        for (link, bytes) in [(NEAR, vec![1]), (FAR, vec![2]), (NEAR, vec![3, 4])] {
            send(link, bytes, &mut out);
        }
        assert_eq!(out, [Output::Send(NEAR, vec![1, 3, 4]), Output::Send(FAR, vec![2])]);
    }

    #[test]
    fn what_has_no_room_begins_another_message_and_later_words_follow_it() {
        let mut out = Vec::new();
        for bytes in [vec![1], vec![2; MAX_MESSAGE], vec![3], vec![4]] {
            send(NEAR, bytes, &mut out);
        }
        let expected = [vec![1], vec![2; MAX_MESSAGE], vec![3, 4]].map(|it| Output::Send(NEAR, it));
        assert_eq!(out, expected);
    }

    #[test]
    fn nothing_is_added_to_what_was_said_before_a_link_closed() {
        let mut out = vec![Output::Send(NEAR, vec![1]), Output::CloseLink(NEAR)];
        send(NEAR, vec![2], &mut out);
        assert_eq!(out.last(), Some(&Output::Send(NEAR, vec![2])));
    }

    #[test]
    fn a_chunk_is_one_message_and_leaves_room_for_what_rides_on_it() {
        let id = ChunkId { sequence: u64::MAX, index: u16::MAX };
        let bytes = Bounded::try_from(vec![7; CHUNK]).unwrap();
        let frame = Frame::Chunk(ChunkBytes { id, bytes }).to_bytes();
        assert_eq!(messages(&frame).count(), 1);
        assert!(frame.len() + 512 <= MAX_MESSAGE, "{}", frame.len());
    }
}
