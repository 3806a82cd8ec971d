//! What a node's shell answers to listeners: light files, proofs, submissions, the faucet.

use super::{genesis, network::Network};
use antiphon_core::{
    amount::Amount,
    chain::{
        light::File,
        proof::{MAX_KEYS, StateProofs},
        spec::Token,
        state::StateKey,
        transaction::{Message, SignedTransaction, Transaction, decode_transaction},
    },
    client::{HttpAnswer, Query},
    codec::{self, Bounded, Text},
    crypto::SecretKey,
    id::{Address, BlockId, FieldId, Height},
    payment::{
        field::{MAX_SEALED, SealedState},
        telling::Rank,
    },
};
use antiphon_node::{light, storage::Storage as _, tower};

/// URL of the node's light files.
pub const NODE: &str = "http://node";
/// What the faucet gives.
pub const GIFT: u128 = 1_000_000;

/// An answer to a query.
#[derive(Debug)]
pub enum Answer {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A refusal with a code.
    Refused(i32),
    /// None.
    Nothing,
}

/// Returns a light file as node `at` serves it.
pub fn light_file(network: &Network, at: usize, path: &str) -> Option<HttpAnswer> {
    let machine = network.node(at)?;
    let disk = network.disk(at);
    let mut parts = path.trim_start_matches("/light/").split('/');
    let (kind, name) = (parts.next()?, parts.next().unwrap_or_default());
    let file = match kind {
        "tip" => Some(File::Tip),
        "news" => Some(File::News),
        _ => light::named(kind, name),
    };
    let unsettled = |id: &BlockId| {
        let headers = machine.unsettled_headers();
        headers.iter().find(|header| header.id() == *id).map(codec::encode)
    };
    let settled = |file: &File| light::find(disk, &network.spec, file).unwrap();
    let body = file.and_then(|file| {
        if file == File::Tip {
            return Some(codec::encode(&machine.tip()));
        }
        if file == File::News {
            return Some(codec::encode(&machine.news()));
        }
        let pending = if let File::Header(id) = &file { unsettled(id) } else { None };
        pending.or_else(|| settled(&file))
    });
    let Some(body) = body else { return Some(HttpAnswer { status: 404, body: Vec::new() }) };
    Some(HttpAnswer { status: 200, body })
}

/// Answers as a tower does, or as its foe, that is told a state by a page.
pub fn told(sealed: &[u8], tower: fn(FieldId, Rank) -> Answer) -> Answer {
    let sealed: SealedState = codec::decode(sealed, MAX_SEALED).unwrap();
    tower(sealed.state.field, sealed.state.rank())
}

/// Answers a query as node `at` does.
pub fn answer(network: &mut Network, at: usize, query: Query) -> Answer {
    let Some(machine) = network.node(at) else { return Answer::Nothing };
    match query {
        Query::Prove { height, keys } => {
            let keys: Bounded<StateKey, MAX_KEYS> = codec::decode(&keys, 1 << 16).unwrap();
            match machine.prove(Height(height), &keys) {
                Ok(proofs) => Answer::Bytes(codec::encode(&StateProofs::try_from(proofs).unwrap())),
                Err(_) => Answer::Refused(-32003),
            }
        }
        Query::Submit(bytes) => {
            let tx = decode_transaction(&bytes).unwrap();
            match network.submit(at, tx) {
                Ok(id) => Answer::Bytes(id.0.0.to_vec()),
                Err(error) => {
                    network.refusals.push(error);
                    Answer::Refused(-32002)
                }
            }
        }
        Query::Closed(height) => {
            let (disk, chain) = (network.disk(at), network.spec.state_chain());
            let newest = disk.version_at(machine.status().settled).unwrap().unwrap();
            match tower::closed_in(disk, newest, chain, Height(height)).unwrap() {
                Some(closed) => Answer::Bytes(codec::encode(&closed)),
                None => Answer::Refused(-32004),
            }
        }
        // It is no tower.
        Query::Watch(_) => Answer::Refused(-32005),
        Query::Faucet(to) => {
            let gift = Message::Transfer {
                token: Token::Operational,
                to,
                amount: Amount::from_units(GIFT),
            };
            let tx = transaction(network, at, &genesis::account(0), gift);
            match network.submit(at, tx) {
                Ok(id) => Answer::Bytes(id.0.0.to_vec()),
                Err(_) => Answer::Refused(-32002),
            }
        }
    }
}

/// Signs a transaction of one message on what node `at` has settled.
pub fn transaction(
    network: &Network,
    at: usize,
    key: &SecretKey,
    message: Message,
) -> SignedTransaction {
    let machine = network.node(at).unwrap();
    let (reference_height, reference_block) = machine.reference();
    let sequence = machine.next_sequence(&Address::of(&key.public())).unwrap();
    let body = Transaction {
        sender: key.public().into(),
        sequence,
        reference_height,
        reference_block,
        scope: Text::try_from("").unwrap(),
        max_fee: network.spec.fee,
        cosigners: Bounded::new(),
        messages: Bounded::try_from(vec![message]).unwrap(),
    };
    SignedTransaction::new(key, network.spec.chain_id(), body)
}
