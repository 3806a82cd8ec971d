//! Spoilt copies of honest inputs, the same in every run and on every platform, and the log of what decoders say of them.

use super::TARGETS;
use antiphon_core::crypto::Hash;

/// Spoils inputs by Marsaglia's xorshift64: the same ones on every platform.
#[derive(Clone, Debug)]
pub struct Spoiler {
    state: u64,
    spoilt: u64,
}

impl Default for Spoiler {
    fn default() -> Self {
        Self { state: 0x000A_4717_F0E5, spoilt: 0 }
    }
}

impl Spoiler {
    /// Spoils one of some honest inputs, or makes up another.
    pub fn one_of(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let (input, other) = (self.roll(inputs.len()), self.roll(inputs.len()));
        self.spoilt += 1;
        if self.spoilt % 16 == 1 {
            return (0..self.roll(200)).map(|_| self.byte()).collect();
        }
        self.spoil(&inputs[input], &inputs[other])
    }

    fn roll(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from((self.state >> 16) % below.max(1) as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).unwrap()
    }

    /// Changes an input in one to four of the ways that a fuzzer does.
    fn spoil(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len());
            match self.roll(8) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.byte()),
                2 => bytes.extend_from_slice(&other[self.roll(other.len() + 1)..]),
                3 if at + 4 <= bytes.len() => {
                    let huge = [u32::MAX, 1 << 31, 65_536, 257, 0][self.roll(5)];
                    bytes[at..at + 4].copy_from_slice(&huge.to_le_bytes());
                }
                4 => drop(bytes.drain(at..(at + self.roll(16)).min(bytes.len()))),
                5 => {
                    let end = (at + self.roll(32)).min(bytes.len());
                    let twice = bytes[at..end].to_vec();
                    bytes.splice(at..at, twice);
                }
                _ if at < bytes.len() => bytes[at] ^= self.byte().max(1),
                _ => bytes.push(self.byte()),
            }
        }
        bytes
    }
}

/// Feeds so many spoilt inputs to the decoders and returns what they were counted to and the hash of all verdicts in order:
/// two builds that answer one input differently have different hashes (ADVERSARIAL case 30, PROTOCOL A10.11).
///
/// Left out are machines, which run a hundred inputs in one, and what only nodes decode.
pub fn verdict_log(blobs: u32) -> (u32, Hash) {
    let decoders = TARGETS
        .iter()
        .filter(|target| !target.name.ends_with("_machine") && target.name != "node_messages");
    let decoders: Vec<_> = decoders.collect();
    let seeds: Vec<Vec<Vec<u8>>> = decoders
        .iter()
        .map(|target| (target.seeds)().into_iter().map(|(_, seed)| seed).collect())
        .collect();
    let (mut spoiler, mut log, mut accepted) = (Spoiler::default(), Hash::default(), 0);
    for (target, seeds) in (0..blobs).zip(decoders.iter().zip(&seeds).cycle()).map(|(_, pair)| pair)
    {
        let verdict = (target.run)(&spoiler.one_of(seeds));
        accepted += u32::from(verdict == "ok");
        log = Hash::of(&[&log.0, target.name.as_bytes(), verdict.as_bytes()]);
    }
    (accepted, log)
}
