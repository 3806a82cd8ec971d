//! Says again what was said before: by anybody, in another term, on another chain.

use super::Foe;
use std::{cell::RefCell, collections::VecDeque, rc::Rc};

/// Messages kept on a tape.
const MAX_TAPE: usize = 4096;
/// Old messages added to each new one.
const AGAIN: usize = 2;

/// What was heard. Clones are the same tape, so that one network's can be played to another.
pub type Tape = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// A node with a long memory.
#[derive(Debug)]
pub struct Replayer {
    tape: Tape,
    at: usize,
}

impl Replayer {
    /// Plays a tape, and records what the node says and hears on it.
    pub const fn new(tape: Tape) -> Self {
        Self { tape, at: 0 }
    }

    fn record(&self, bytes: &[u8]) {
        let mut tape = self.tape.borrow_mut();
        if tape.len() < MAX_TAPE {
            tape.push_back(bytes.to_vec());
        }
    }
}

impl Foe for Replayer {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        self.record(&bytes);
        let mut said = vec![bytes];
        let tape = self.tape.borrow();
        for _ in 0..AGAIN {
            said.push(tape[self.at % tape.len()].clone());
            self.at += 1;
        }
        said
    }

    fn hears(&mut self, _: usize, bytes: &[u8]) -> bool {
        self.record(bytes);
        true
    }
}
