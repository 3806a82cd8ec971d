//! Settlement alone on a network of memory: every schedule comes from a seed, so every failure can be run again.

mod cases;
mod chain;
mod crash;
mod net;
mod twins;

use chain::Keys;
use net::Net;

const SECOND: u64 = 1000;

#[test]
fn four_honest_validators_settle_the_same_chain() {
    let mut net = Net::new(1, Keys::new(4));
    net.run_for(60 * SECOND);
    net.assert_agreement();
    assert!(net.least_settled() >= 45, "settled {}", net.least_settled());
}

#[test]
fn blocks_come_at_the_block_time_and_no_faster() {
    let mut net = Net::new(2, Keys::new(4));
    net.run_for(30 * SECOND);
    assert!((24..=30).contains(&net.least_settled()), "settled {}", net.least_settled());
}

#[test]
fn one_silent_validator_does_not_stop_the_others() {
    for silent in 0..4 {
        let mut net = Net::new(3, Keys::new(4));
        net.crash(silent);
        net.run_for(60 * SECOND);
        net.assert_agreement();
        let settled = net.settled_by(&[0, 1, 2, 3].map(|i| i != silent));
        assert!(settled >= 5, "without {silent}: {settled}");
    }
}

#[test]
fn an_equivocating_proposer_is_caught_and_splits_nothing() {
    for seed in 0..4 {
        let mut net = Net::new(seed, Keys::new(4));
        net.equivocator = Some(2);
        net.run_for(60 * SECOND);
        net.assert_agreement();
        assert!(net.settled_by(&[true, true, false, true]) >= 5, "seed {seed}");
        assert!(net.double_proposals > 0, "seed {seed}: somebody saw both blocks");
    }
}

#[test]
fn after_a_partition_all_settle_within_twelve_epochs() {
    for seed in 0..4 {
        let mut net = Net::new(seed, Keys::new(4));
        net.run_for(5 * SECOND);
        net.partition = Some(vec![0, 0, 1, 1, 1]);
        net.run_for(20 * SECOND);
        let (before, epoch) = (net.most_settled(), net.highest_epoch());
        net.partition = None;
        while net.least_settled() <= before {
            net.run_for(SECOND / 10);
            assert!(net.highest_epoch() <= epoch + 12, "seed {seed}: no settlement in 12 epochs");
        }
        net.assert_agreement();
    }
}

/// ADVERSARIAL case 5: one node alone has seen the last certificate, and is locked on it or about to be.
#[test]
fn a_certificate_that_one_node_alone_has_seen_stops_nobody_when_it_comes_to_light() {
    let mut hidden = 0;
    for seed in 0..8 {
        let mut net = Net::new(200 + seed, Keys::new(4));
        net.run_for(5 * SECOND);
        // Votes on the next block begin to be said: from then on one node hears all of them, the others none.
        let said = net.votes_said();
        while net.votes_said() == said {
            net.run_for(1);
        }
        net.listener = Some(0);
        net.run_for(SECOND);
        let seen: Vec<_> = (0..4).map(|node| net.highest_certified(node)).collect();
        hidden += u32::from(seen[1..].iter().all(|other| *other < seen[0]));
        net.listener = None;
        net.partition = Some(vec![0, 1, 1, 1, 1]);
        net.run_for(10 * SECOND);
        net.partition = None;
        let (before, epoch) = (net.least_settled(), net.highest_epoch());
        while net.least_settled() <= before + 1 {
            net.run_for(SECOND / 10);
            assert!(net.highest_epoch() <= epoch + 12, "seed {seed}: no settlement in 12 epochs");
        }
        net.assert_agreement();
    }
    assert!(hidden >= 2, "a certificate was hidden in {hidden} of 8 runs");
}

#[test]
fn asynchrony_with_loss_never_splits_the_chain() {
    for seed in 0..4 {
        let mut net = Net::new(100 + seed, Keys::new(4));
        (net.loss_percent, net.latency_ms) = (20, 1500);
        net.run_for(60 * SECOND);
        net.assert_agreement();
        (net.loss_percent, net.latency_ms) = (0, 50);
        let before = net.most_settled();
        net.run_for(60 * SECOND);
        net.assert_agreement();
        assert!(net.least_settled() > before, "seed {seed}: settles again");
    }
}

#[test]
fn a_node_without_a_key_follows_and_never_speaks() {
    let mut net = Net::new(5, Keys::new(4));
    net.add_follower();
    net.run_for(20 * SECOND);
    net.assert_agreement();
    assert!(net.settled_by(&[false, false, false, false, true]) >= 10);
    assert_eq!(net.sent_by(4), 0);
}

#[test]
fn a_latecomer_closes_a_gap_that_takes_many_answers() {
    let mut net = Net::new(6, Keys::new(4));
    net.run_for(200 * SECOND);
    // In order of sending, so that no vote which overtakes its block makes the follower ask by luck.
    net.latency_ms = 1;
    net.add_follower();
    // Less than half of what waiting for each answer's patience would take.
    net.run_for(10 * SECOND);
    net.assert_agreement();
    let (late, all) = (net.settled_by(&[false, false, false, false, true]), net.most_settled());
    assert!(all > 150 && late + 4 > all, "settled {late} of {all}");
}

#[test]
fn the_same_seed_gives_the_same_chain() {
    let run = |seed| {
        let mut net = Net::new(seed, Keys::new(4));
        net.loss_percent = 10;
        net.run_for(20 * SECOND);
        net.settled_ids(0)
    };
    assert_eq!(run(9), run(9));
}
