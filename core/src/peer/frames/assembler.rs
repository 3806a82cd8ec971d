//! Cuts frames into messages and puts them together again, in bounded memory.

use super::{Frame, FrameError, LENGTH_BYTES, MAX_FRAME, MAX_MESSAGE};
use alloc::vec::Vec;

/// Cuts the bytes of frames into messages of at most [`MAX_MESSAGE`] bytes.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunks(MAX_MESSAGE)
}

/// Puts messages together into frames. Holds at most one unfinished frame.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    held: Vec<u8>,
}

impl Assembler {
    /// Takes one message and appends the frames that it completes to `frames`.
    ///
    /// # Errors
    /// [`FrameError`]; frames before the faulty one were appended, and the stream cannot be read on.
    pub fn push(&mut self, message: &[u8], frames: &mut Vec<Frame>) -> Result<(), FrameError> {
        if message.len() > MAX_MESSAGE {
            return Err(FrameError::LongMessage);
        }
        self.held.extend_from_slice(message);
        let mut rest = self.held.as_slice();
        let result = loop {
            match split(rest) {
                Ok(Some((frame, after))) => match Frame::from_bytes(frame) {
                    Ok(frame) => {
                        frames.push(frame);
                        rest = after;
                    }
                    Err(error) => break Err(error),
                },
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let done = self.held.len().saturating_sub(rest.len());
        self.held.drain(..done);
        result
    }

    /// Returns how many bytes wait for the rest of their frame.
    pub const fn held(&self) -> usize {
        self.held.len()
    }
}

/// A whole frame without its length, and what follows it.
type Split<'a> = (&'a [u8], &'a [u8]);

/// Splits the first whole frame off; `None` if it is not whole yet.
fn split(bytes: &[u8]) -> Result<Option<Split<'_>>, FrameError> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*length);
    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
    if !(2..=MAX_FRAME).contains(&wanted) {
        return Err(FrameError::BadLength(length));
    }
    Ok(rest.split_at_checked(wanted))
}
