//! ADVERSARIAL case 8: validators and a twin of one of them, in scripts of partitions. The proposer rotates, so which of
//! them has the twin is who leads. Every machine is honest; together the twins are an equivocator.
//!
//! Source: Bano et al., "Twins: BFT Systems Made Robust" (2020).

use super::{SECOND, chain::Keys, net::Net};

/// Scripts of four validators by default, and of seven; `TWINS=100000` runs as many of each as ADVERSARIAL asks for.
const SCRIPTS: u64 = 240;
const SCRIPTS_OF_SEVEN: u64 = 60;
/// Epochs of a script, each with its own partition.
const EPOCHS: u32 = 4;
/// Of so many scripts one is run on, to see that the chain goes on when the network heals.
const HEALED: u64 = 16;

#[test]
fn scripts_of_partitions_with_a_twin_never_split_the_chain() {
    run_scripts(4, SCRIPTS);
}

#[test]
fn nor_do_they_among_seven() {
    run_scripts(7, SCRIPTS_OF_SEVEN);
}

fn run_scripts(validators: u8, count: u64) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("SEED").unwrap_or(0);
    for script in first..first + number("TWINS").unwrap_or(count) {
        let mut net = Net::new(script + 1, Keys::new(validators));
        let members = u64::from(validators);
        net.add_twin(usize::try_from(script % members).unwrap());
        // All machines on two sides in each epoch, and how long each lasts.
        let mut bits = (script / members).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
        for _ in 0..EPOCHS {
            net.partition = Some((0..=validators).map(|node| (bits >> node & 1) as u8).collect());
            net.run_for(300 + (bits >> (validators + 1)) % 1800);
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
