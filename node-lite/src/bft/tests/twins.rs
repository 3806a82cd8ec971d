//! ADVERSARIAL case 8: four validators and a twin of one of them, in scripts of partitions. The proposer rotates, so which
//! of the four has the twin is who leads. Every machine is honest; together the twins are an equivocator.
//!
//! Source: Bano et al., "Twins: BFT Systems Made Robust" (2020).

use super::{SECOND, chain::Keys, net::Net};

/// Scripts run by default; `TWINS=100000` runs as many as ADVERSARIAL asks for.
const SCRIPTS: u64 = 240;
/// Epochs of a script, each with its own partition.
const EPOCHS: u32 = 4;
/// Of so many scripts one is run on, to see that the chain goes on when the network heals.
const HEALED: u64 = 16;

#[test]
fn scripts_of_partitions_with_a_twin_never_split_the_chain() {
    let scripts = std::env::var("TWINS").ok().and_then(|text| text.parse().ok());
    let first = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    for script in first..first + scripts.unwrap_or(SCRIPTS) {
        let mut net = Net::new(script + 1, Keys::new(4));
        let twin = (script % 4) as usize;
        net.add_twin(twin);
        // Five machines on two sides in each epoch: 16 ways, and how long each lasts.
        let mut bits = (script / 4).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
        for _ in 0..EPOCHS {
            net.partition = Some([0, 1, 2, 3, 4].map(|node| (bits >> node & 1) as u8));
            net.run_for(300 + (bits >> 5) % 1800);
            bits = bits.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1);
        }
        net.partition = None;
        let before = net.most_settled();
        net.run_for(SECOND);
        net.assert_agreement();
        if script % HEALED == 0 {
            net.run_for(30 * SECOND);
            net.assert_agreement();
            assert!(net.least_settled() > before, "script {script}: the chain goes on");
        }
    }
}
