//! ADVERSARIAL case 7 for settlement: a validator dies at every single write, before or after it is on the disk.
//!
//! The network asserts at every send that no honest validator says two different things for one slot.

use super::{
    SECOND,
    chain::Keys,
    net::{Crash, Net},
};

/// Writes in the first seconds: enough to meet votes, proposals and epoch changes of every validator.
const WRITES: u64 = 16;

#[test]
fn a_validator_that_dies_at_any_write_never_says_two_things() {
    for write in 1..=WRITES {
        for written in [false, true] {
            let node = usize::try_from(write % 4).unwrap();
            let mut net = Net::new(write, Keys::new(4));
            net.crash = Some(Crash { node, write, written });
            net.run_for(20 * SECOND);
            assert!(net.crashed, "write {write} of node {node} was reached");
            net.assert_agreement();
            assert!(net.least_settled() >= 4, "write {write}, written {written}");
        }
    }
}
