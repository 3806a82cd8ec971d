//! The byte stream between peers: however it is cut, it is the same frames or the same error.

use super::choice::Choices;
use antiphon_core::peer::frames::{
    Assembler, Frame, FrameError, LENGTH_BYTES, MAX_FRAME, MAX_MESSAGE,
};

/// The first 8 bytes say how the rest is cut into messages.
pub fn frames(data: &[u8]) -> &'static str {
    let mut choices = Choices::new(data);
    let cuts: Vec<usize> = choices.take(8).iter().map(|cut| usize::from(*cut)).collect();
    let stream = choices.rest();
    let whole = read(stream.chunks(MAX_MESSAGE));
    let mut pieces = Vec::new();
    let mut rest = stream;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (head, tail) =
            rest.split_at_checked(cut.saturating_mul(7).max(1)).unwrap_or((rest, &[]));
        pieces.push(head);
        rest = tail;
    }
    let (frames, error) = read(pieces);
    assert!((&frames, error) == (&whole.0, whole.1), "another cut, another meaning");
    let again: Vec<u8> = frames.iter().flat_map(Frame::to_bytes).collect();
    assert!(stream.starts_with(&again), "a second encoding");
    for frame in &frames {
        let bytes = frame.to_bytes();
        let inner = bytes.get(LENGTH_BYTES..).unwrap_or_default();
        assert!(Frame::from_bytes(inner).as_ref() == Ok(frame), "a frame that does not read back");
    }
    error.map_or("ok", |error| error.code())
}

/// Feeds messages until one is refused, as a link does.
fn read<'a>(messages: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<FrameError>) {
    let (mut assembler, mut frames) = (Assembler::default(), Vec::new());
    for message in messages {
        let result = assembler.push(message, &mut frames);
        assert!(assembler.held() <= MAX_FRAME + LENGTH_BYTES + MAX_MESSAGE, "it hoards bytes");
        if let Err(error) = result {
            return (frames, Some(error));
        }
        assert!(assembler.held() < MAX_FRAME + LENGTH_BYTES, "a whole frame waits");
    }
    (frames, None)
}
