//! Says nothing.

use super::Foe;

/// A node that is heard by nobody.
#[derive(Debug)]
pub struct Silent;

impl Foe for Silent {
    fn says(&mut self, _: usize, _: Vec<u8>) -> Vec<Vec<u8>> {
        Vec::new()
    }
}
