//! The English list of BIP-39, in half of its bytes.
//!
//! ```text
//! word:  1 | letters shared with the word before (2 bits) | how far the next letter is beyond the one there (5 bits)   the other letters
//! ```
//!
//! The list is in order and no two words share their first four letters, so each is said by its difference; a letter is below
//! 128. It is written so when this is compiled: what a page downloads is 2 kB smaller after gzip.

/// The list, a word a line.
const ENGLISH: &str = include_str!("english.txt");

/// Letters of the longest word.
pub(super) const MAX_LETTERS: usize = 8;

/// A word, followed by zeros.
pub(super) type Word = [u8; MAX_LETTERS];

const BYTES: usize = pack(&mut [0; ENGLISH.len()]);

/// The packed list.
static PACKED: [u8; BYTES] = {
    let mut packed = [0; BYTES];
    pack(&mut packed);
    packed
};

/// The first byte of a word is not below this.
const HEAD: u8 = 0x80;
const SHARED_SHIFT: u8 = 5;
const STEP: u8 = 0x1f;
/// Where a word has no letter.
const BEFORE_A: u8 = b'a' - 1;

/// Writes the packed list where there is room for it, and returns how long it is.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "it runs when this is compiled, and would not compile"
)]
const fn pack(out: &mut [u8]) -> usize {
    let list = ENGLISH.as_bytes();
    let mut word = [BEFORE_A; MAX_LETTERS];
    let (mut at, mut to) = (0, 0);
    while at < list.len() {
        let (mut letter, mut head) = (0, HEAD);
        while list[at + letter] == word[letter] {
            letter += 1;
            head += 1 << SHARED_SHIFT;
        }
        out[to] = head | (list[at + letter] - word[letter]);
        let first = letter;
        while list[at + letter] != b'\n' {
            word[letter] = list[at + letter];
            if letter > first {
                out[to + letter - first] = word[letter];
            }
            letter += 1;
        }
        to += letter - first;
        at += letter + 1;
        while letter < MAX_LETTERS {
            word[letter] = BEFORE_A;
            letter += 1;
        }
    }
    to
}

/// Every word, in order.
pub(super) struct List {
    rest: &'static [u8],
    word: Word,
}

impl List {
    pub(super) const fn new() -> Self {
        Self { rest: &PACKED, word: [0; MAX_LETTERS] }
    }
}

impl Iterator for List {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let (head, rest) = self.rest.split_first()?;
        let others = rest.iter().position(|byte| *byte >= HEAD).unwrap_or(rest.len());
        let (others, rest) = rest.split_at_checked(others)?;
        self.rest = rest;
        let shared = usize::from(head >> SHARED_SHIFT & 3);
        let mut letters = self.word.iter_mut().skip(shared);
        if let Some(first) = letters.next() {
            *first = BEFORE_A.max(*first).wrapping_add(head & STEP);
        }
        let mut others = others.iter();
        for letter in letters {
            *letter = others.next().copied().unwrap_or_default();
        }
        Some(self.word)
    }
}

/// Returns the letters of a word.
pub(super) fn letters(word: &Word) -> &str {
    let text = word.split(|letter| *letter == 0).next().unwrap_or_default();
    core::str::from_utf8(text).unwrap_or_default()
}
