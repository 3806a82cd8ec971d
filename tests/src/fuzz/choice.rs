//! Turns a fuzzer's bytes into choices, so that a machine can be driven by them.

/// Bytes that are read as choices, one after another. After the last, every choice is 0.
#[derive(Clone, Debug)]
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the next byte.
    pub(crate) const fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Returns a number below `count`, or 0 if there is none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()).checked_rem(count).unwrap_or(0)
    }

    /// Returns one of the items.
    pub(crate) fn of<'b, T>(&mut self, items: &'b [T]) -> Option<&'b T> {
        let at = self.below(items.len());
        items.get(at)
    }

    /// Returns the next `count` bytes, or what is left.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        head
    }

    /// Returns everything that is left.
    pub(crate) const fn rest(&mut self) -> &'a [u8] {
        let rest = self.0;
        self.0 = &[];
        rest
    }

    /// Spoils honest bytes in one of the ways that a liar would.
    pub(crate) fn spoil(&mut self, mut honest: Vec<u8>) -> Vec<u8> {
        let at = usize::from(u16::from_le_bytes([self.byte(), self.byte()]));
        let at = at.checked_rem(honest.len()).unwrap_or(0);
        match self.below(4) {
            0 => {
                if let Some(byte) = honest.get_mut(at) {
                    *byte ^= self.byte().max(1);
                }
            }
            1 => honest.truncate(at),
            2 => honest.extend_from_slice(self.take(8)),
            _ => honest = self.take(64).to_vec(),
        }
        honest
    }
}
