//! The root machine between a player, an origin, a node, a tracker and neighbours, each honest, lying or silent.

mod network;
mod run;

use super::choice::Choices;
use run::Run;

/// Inputs in one run.
const MAX_STEPS: usize = 256;

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Segments that were delivered.
    pub delivered: u64,
    /// Verified bytes from neighbours.
    pub from_peers: u64,
    /// Chunks served to neighbours.
    pub served: u64,
    /// What vouchers promise to neighbours.
    pub promised: u128,
    /// What neighbours' vouchers promise.
    pub earned: u128,
    /// Height of the newest final block.
    pub final_height: u64,
    /// Look-ups that were answered with a proof.
    pub found: u64,
}

/// Drives a client; the bytes say what everybody else does, and when.
pub fn client_machine(data: &[u8]) -> &'static str {
    client_outcome(data);
    "ok"
}

/// Drives a client and tells what came of it.
pub fn client_outcome(data: &[u8]) -> Outcome {
    let mut choices = Choices::new(data);
    let mut run = Run::new(&mut choices);
    let mut steps = 0;
    while !choices.is_empty() && steps < MAX_STEPS {
        run.step(&mut choices);
        steps += 1;
    }
    run.outcome()
}
