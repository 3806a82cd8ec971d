//! What one supernode sends another.

use super::{
    choice::Choices,
    world::{CLOCK, INTERVAL, world},
};
use antiphon_core::{
    chain::{certificate::Certificate, header::Header},
    codec::{self, encode},
    id::Height,
    time::Moment,
};
use antiphon_node::{
    bft::{self, Bft, message::MAX_MESSAGE},
    guardian::{self, Gossip, GuardianMachine},
};
use std::time::Duration;

/// A message of settlement or of finality, for two nodes that follow the chain from genesis.
pub fn node_messages(data: &[u8]) -> &'static str {
    let mut choices = Choices::new(data);
    if choices.below(2) == 0 { settlement(choices.rest()) } else { finality(choices.rest()) }
}

fn settlement(bytes: &[u8]) -> &'static str {
    let message = match codec::decode::<bft::message::Message>(bytes, MAX_MESSAGE) {
        Ok(message) => message,
        Err(error) => return error.code(),
    };
    assert!(encode(&message) == bytes, "a second encoding");
    let world = world();
    let config = bft::Config {
        order: world.spec.order,
        chain: world.chain,
        validators: world.spec.validators.clone(),
        checkpoint_interval: INTERVAL,
        block_time: Duration::from_millis(1000),
        delta: Duration::from_millis(100),
        drift: world.spec.drift,
        origin_ms: CLOCK.0,
    };
    let start = bft::Start {
        root: Header::genesis(&world.spec, world.tree.root()),
        certificate: Certificate::genesis(),
        recent: Vec::new(),
        record: None,
        kept: Vec::new(),
    };
    let mut out = Vec::new();
    let Some(mut node) = Bft::new(Moment::ZERO, config, start, None, &mut out) else {
        return "no node";
    };
    for from in [0, 3, u16::MAX] {
        node.handle(Moment::ZERO, bft::Input::Message(from, message.clone()), &mut out);
    }
    assert!(out.len() <= 16, "{} outputs of three messages", out.len());
    assert!(node.root().height == Height(0), "settles a block that nobody certified");
    "ok"
}

fn finality(bytes: &[u8]) -> &'static str {
    let message = match codec::decode::<guardian::Message>(bytes, MAX_MESSAGE) {
        Ok(message) => message,
        Err(error) => return error.code(),
    };
    assert!(encode(&message) == bytes, "a second encoding");
    let (world, start) = (world(), guardian::Start::default());
    let set = world.spec.guardians.clone();
    // Small sets flood, large ones go in rounds; a byte of the message decides which this one is.
    let flooded = bytes.last().map_or(0, |last| usize::from(*last % 2) * guardian::MAX_FLOODED);
    let gossip = Gossip { flooded, ..Gossip::default() };
    let config = guardian::Config { chain: world.chain, interval: INTERVAL, gossip };
    let Some(mut node) = GuardianMachine::new(config, set, None, start) else {
        return "no node";
    };
    let mut out = Vec::new();
    node.handle(Moment::ZERO, guardian::Input::Neighbours(vec![0, 1, 2]), &mut out);
    for header in world.headers.iter().filter(|header| header.height.0 % INTERVAL == 0) {
        node.handle(
            Moment::ZERO,
            guardian::Input::Settled(Box::new(header.clone()), None),
            &mut out,
        );
    }
    for from in 0..3 {
        let input = guardian::Input::Message(from, message.clone());
        node.handle(Moment::ZERO, input, &mut out);
    }
    assert!(out.len() <= 16, "{} outputs of three messages", out.len());
    let mut honest = world.checkpoints.iter().map(|held| &held.header);
    let is_honest = node.certificate().is_none_or(|certificate| {
        honest.any(|header| (header.id(), header.height) == (certificate.block, certificate.height))
    });
    assert!(is_honest, "finalises what nobody signed");
    "ok"
}
