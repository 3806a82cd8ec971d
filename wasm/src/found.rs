//! Answers to look-ups, as plain objects. Shapes: `js/src/found.ts`.

use crate::{
    object::{list, nullable, number, object, set},
    snapshot::{amount, level},
};
use antiphon_core::{
    chain::{
        header::Header,
        lookup::{
            AccountFound, BlockFound, BondFound, CheckpointFound, Found, PoolFound, Proven, Shown,
            Signed, StakersFound,
        },
        set::quorum,
        spec::Token,
        stake::{Staker, Standing},
        transaction::{Message, Part, SignedTransaction},
    },
    crypto::Hash,
    id::{Address, ChainId, PoolId},
    payment::reservation::{PoolState, PoolStatus},
    wallet::address::{text_of, to_text},
};
use wasm_bindgen::JsValue;

/// Writes any answer.
pub(crate) fn write(found: &Found) -> JsValue {
    match found {
        Found::Block(found) => block(found),
        Found::Blocks(all) => list(all.iter().map(|(proven, header)| {
            object([("proven", self::proven(proven)), ("header", self::header(header))])
        }))
        .into(),
        Found::Checkpoint(found) => checkpoint(found),
        Found::Account(found) => account(found),
        Found::Pool(found) => pool(found),
        Found::Field(found) => crate::field::found(found),
        Found::Stakers(found) => stakers(found),
        Found::Pools(found) => object([
            ("proven", proven(&found.proven)),
            ("from", number(found.from.0)),
            ("isWhole", found.is_whole.into()),
            ("pools", list(found.pools.iter().map(|(pool, _)| pool_id(pool))).into()),
        ]),
    }
}

pub(crate) fn proven(proven: &Proven) -> JsValue {
    object([
        ("level", level(proven.level)),
        ("height", number(proven.height.0)),
        ("block", hex(proven.block.0)),
        ("root", hex(proven.root)),
        ("time", number(proven.time)),
        ("isWitnessed", proven.is_witnessed.into()),
        ("head", number(proven.way.head.0)),
        ("certificate", nullable(proven.way.certificate.map(|height| number(height.0)))),
        ("links", number(proven.way.links)),
        ("parents", number(proven.way.parents)),
    ])
}

fn header(header: &Header) -> JsValue {
    object([
        ("height", number(header.height.0)),
        ("epoch", number(header.epoch.0)),
        ("time", number(header.time.0)),
        ("proposer", header.proposer_index.into()),
        ("parent", hex(header.parent.0)),
        ("checkpointBelow", hex(header.cp_link.0)),
        ("txRoot", hex(header.tx_root)),
        ("stateRoot", hex(header.state_root)),
        ("fieldRoot", hex(header.field_root)),
        ("validators", hex(header.validators_hash)),
        ("nextValidators", hex(header.next_validators_hash)),
        ("guardians", hex(header.guardians_hash)),
        ("nextGuardians", hex(header.next_guardians_hash)),
        ("carries", number(header.hcc.height.0)),
        ("carried", hex(header.carried)),
        ("nextOrder", hex(header.next_order)),
    ])
}

fn block(found: &BlockFound) -> JsValue {
    let chain = found.header.chain_id;
    let transactions = found
        .transactions
        .as_ref()
        .map(|all| list(all.iter().map(|signed| transaction(chain, signed))).into());
    object([
        ("proven", proven(&found.proven)),
        ("header", header(&found.header)),
        ("signed", nullable(found.signed.as_ref().map(signed))),
        ("transactions", nullable(transactions)),
    ])
}

fn signed(signed: &Signed) -> JsValue {
    let has_signed = |place: usize| signed.places.iter().any(|at| usize::from(*at) == place);
    let members = signed.validators.members.iter().enumerate();
    let members = members.map(|(place, one)| member(&one.key.0, one.weight, has_signed(place)));
    committee(signed.validators.since.0, signed.validators.total(), list(members).into())
}

fn checkpoint(found: &CheckpointFound) -> JsValue {
    let members = found.guardians.members.iter().enumerate().map(|(place, one)| {
        let is_in = found.certificate.as_ref().is_some_and(|held| held.signers.has(place));
        member(&one.key.0, one.weight, is_in)
    });
    let total = found.guardians.total();
    object([
        ("proven", proven(&found.proven)),
        ("header", header(&found.header)),
        ("guardians", committee(found.guardians.since.0, total, list(members).into())),
        ("hasCertificate", found.certificate.is_some().into()),
    ])
}

/// A set of members: weights are below 2^62, too many for a number.
fn committee(since: u64, total: Option<u64>, members: JsValue) -> JsValue {
    let total = total.unwrap_or_default();
    object([
        ("since", number(since)),
        ("total", JsValue::from(total)),
        ("quorum", JsValue::from(quorum(total))),
        ("members", members),
    ])
}

fn member(key: &[u8], weight: u64, has_signed: bool) -> JsValue {
    object([
        ("key", hex::encode(key).into()),
        ("weight", JsValue::from(weight)),
        ("hasSigned", has_signed.into()),
    ])
}

fn account(found: &AccountFound) -> JsValue {
    object([
        ("proven", proven(&found.proven)),
        ("address", address(&found.address)),
        ("exists", found.exists.into()),
        ("sequence", number(found.account.sequence)),
        ("operational", amount(found.account.balance(Token::Operational))),
        ("staking", amount(found.account.balance(Token::Staking))),
        ("staker", nullable(found.staker.as_ref().map(staker))),
        ("bonds", list(found.bonds.iter().map(bond)).into()),
        ("hasAllBonds", found.has_all_bonds.into()),
        ("path", path(&found.shown)),
    ])
}

fn bond(found: &BondFound) -> JsValue {
    let leaving = found
        .bond
        .leaving
        .iter()
        .map(|part| object([("amount", amount(part.amount)), ("until", number(part.until.0))]));
    object([
        ("staker", address(&found.staker)),
        ("amount", amount(found.bond.amount)),
        ("leaving", list(leaving).into()),
        ("due", amount(found.due)),
    ])
}

fn staker(staker: &Staker) -> JsValue {
    let standing = match staker.standing {
        Standing::Good => "good",
        Standing::Idle => "idle",
        Standing::Tombstoned => "tombstoned",
    };
    object([
        ("guardian", hex::encode(staker.guardian.0).into()),
        ("validator", nullable(staker.validator.map(|key| hex::encode(key.0).into()))),
        ("total", amount(staker.total)),
        ("standing", standing.into()),
        ("seen", number(staker.seen.0)),
    ])
}

fn stakers(found: &StakersFound) -> JsValue {
    let all = found.stakers.iter().map(|(owner, row)| {
        let object = staker(row);
        set(&object, "address", address(owner));
        object
    });
    object([
        ("proven", proven(&found.proven)),
        ("stakers", list(all).into()),
        ("hasAll", found.has_all.into()),
    ])
}

fn pool(found: &PoolFound) -> JsValue {
    object([
        ("proven", proven(&found.proven)),
        ("pool", pool_id(&found.pool)),
        ("state", nullable(found.state.as_ref().map(pool_state))),
        ("path", path(&found.shown)),
    ])
}

fn pool_state(state: &PoolState) -> JsValue {
    object([
        ("creator", address(&Address::of(&state.creator))),
        ("resource", hex(state.resource.0)),
        ("deposit", amount(state.deposit)),
        ("collateral", amount(state.collateral)),
        ("paid", amount(state.paid_total)),
        ("end", number(state.end_height.0)),
        ("payee", nullable(state.only.as_ref().map(|only| address(&only.payee)))),
        ("purpose", nullable(state.only.as_ref().map(|only| only.purpose.as_str().into()))),
        ("isOpen", (state.status == PoolStatus::Open).into()),
        ("isInsolvent", matches!(state.status, PoolStatus::Insolvent(_)).into()),
    ])
}

pub(crate) fn path(shown: &Shown) -> JsValue {
    let turns = shown.turns.iter().map(|turn| {
        object([
            ("sibling", hex(turn.sibling)),
            ("isRight", turn.is_right.into()),
            ("node", hex(turn.node)),
        ])
    });
    object([("key", hex(shown.key.0)), ("leaf", hex(shown.leaf)), ("turns", list(turns).into())])
}

fn transaction(chain: ChainId, signed: &SignedTransaction) -> JsValue {
    let body = &signed.body;
    object([
        ("id", hex(body.id(chain).0)),
        ("sender", text_of(&body.sender).into()),
        ("cosigners", list(body.cosigners.iter().map(|key| text_of(key).into())).into()),
        ("sequence", number(body.sequence)),
        ("fee", amount(body.max_fee)),
        ("scope", body.scope.as_str().into()),
        ("messages", list(body.messages.iter().map(|one| message(chain, one))).into()),
    ])
}

fn message(chain: ChainId, message: &Message) -> JsValue {
    let (kind, fields) = match message {
        Message::Transfer { token: kind, to, amount: sum } => (
            "transfer",
            vec![("token", token(*kind)), ("to", address(to)), ("amount", amount(*sum))],
        ),
        Message::Exchange(exchange) => {
            let parts = |side: &[Part]| -> JsValue {
                let one = |part: &Part| {
                    object([("address", address(&part.address)), ("amount", amount(part.amount))])
                };
                list(side.iter().map(one)).into()
            };
            let (from, to) = (parts(&exchange.from), parts(&exchange.to));
            ("exchange", vec![("token", token(exchange.token)), ("from", from), ("to", to)])
        }
        Message::Delay(delay) => {
            let fields = vec![
                ("token", token(delay.token)),
                ("to", address(&delay.to)),
                ("amount", amount(delay.amount)),
                ("blocks", number(delay.blocks)),
                ("guard", nullable(delay.guard.as_ref().map(address))),
            ];
            ("delay", fields)
        }
        Message::Cancel(delay) => ("cancel", vec![("delay", hex(delay.0))]),
        Message::CreatePool(terms) => (
            "createPool",
            vec![("pool", pool_id(&terms.id(chain))), ("amount", amount(terms.deposit))],
        ),
        Message::Settle(promise) => {
            let sum = amount(promise.worth().unwrap_or_default());
            ("settle", vec![("pool", pool_id(&promise.voucher.body.pool)), ("amount", sum)])
        }
        Message::Release(pool) => ("release", vec![("pool", pool_id(pool))]),
        Message::Field(act) => {
            let field = act.field_on(chain).map(|field| hex(field.0));
            (act.kind(), vec![("field", nullable(field))])
        }
        Message::Report(overdraft) => ("report", vec![("pool", pool_id(&overdraft.pool))]),
        Message::Collect { pool, target } => {
            ("collect", vec![("pool", pool_id(pool)), ("to", address(target))])
        }
        Message::Register(registration) => {
            ("register", vec![("amount", amount(registration.bond))])
        }
        Message::Bond { staker, amount: sum } => {
            ("bond", vec![("staker", address(staker)), ("amount", amount(*sum))])
        }
        Message::Unbond { staker, amount: sum } => {
            ("unbond", vec![("staker", address(staker)), ("amount", amount(*sum))])
        }
        Message::Withdraw { staker } => ("withdraw", vec![("staker", address(staker))]),
        Message::Rejoin => ("rejoin", Vec::new()),
        Message::Accuse { staker, .. } => ("accuse", vec![("staker", address(staker))]),
    };
    let object = object([("kind", kind.into())]);
    for (field, value) in fields {
        set(&object, field, value);
    }
    object
}

pub(crate) fn token(token: Token) -> JsValue {
    match token {
        Token::Staking => "staking",
        Token::Operational => "operational",
    }
    .into()
}

pub(crate) fn hex(hash: Hash) -> JsValue {
    hash.to_hex().into()
}

fn pool_id(pool: &PoolId) -> JsValue {
    hex(pool.0)
}

pub(crate) fn address(address: &Address) -> JsValue {
    to_text(address).into()
}
