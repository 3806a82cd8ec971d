//! Keeps transactions with a deadline out of the blocks it proposes, and passes none on (A1.24).

use super::Foe;
use antiphon_core::chain::transaction::{Message, decode_transaction};
use antiphon_node::supernode::wire::Wire;

/// A proposer to whom nobody can settle.
#[derive(Debug)]
pub struct Censor;

impl Foe for Censor {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        vec![bytes]
    }

    fn hears(&mut self, _: usize, bytes: &[u8]) -> bool {
        let Ok(Wire::Transaction(tx)) = Wire::decode(bytes) else { return true };
        let Ok(tx) = decode_transaction(&tx) else { return true };
        !tx.body.messages.iter().any(|message| matches!(message, Message::Settle(_)))
    }
}
