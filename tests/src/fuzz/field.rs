//! Rows, files and acts of payment fields: each has one encoding, and no act makes or loses money.

use super::{
    choice::Choices,
    decoder::{round_trip, verdict},
    world::world,
};
use antiphon_core::{
    amount::Amount,
    chain::state::MAX_VALUE,
    codec::{Bounded, encode},
    crypto::{Hash, PublicKey, SecretKey, Signed},
    id::{Address, FieldId, Height},
    payment::field::{
        Amendment, Brought, Climb, FieldAct, FieldEvidence, FieldPayment, FieldProof, FieldTerms,
        MAX_FIELD_PROOF, MAX_SEALED, Member, PaymentEvidence, Receipt, RoundState, Seal,
        SealedState,
        escrow::{Change, ClosedField, FieldError, FieldKeys, FieldState, Scene, members_digest},
        round_leaf,
    },
};
use std::sync::LazyLock;

/// Longest act that is read, in bytes.
const MAX_ACT: usize = 24 * 1024;
/// Longest evidence that is read, in bytes: the largest sealed state with its keys.
const MAX_EVIDENCE: usize = 2 * MAX_SEALED;

/// A field of three on the honest chain.
struct Field {
    keys: Vec<SecretKey>,
    members: FieldKeys,
    field: FieldState,
    id: FieldId,
}

static FIELD: LazyLock<Field> = LazyLock::new(|| {
    let world = world();
    let mut keys: Vec<_> = world.peers.iter().chain([&world.key]).take(3).cloned().collect();
    keys.sort_by_key(|key| Address::of(&key.public()));
    let terms = terms(&keys);
    let signatures: Vec<_> = keys.iter().map(|key| terms.sign(world.chain, key)).collect();
    let change = terms.open(world.chain, &signatures, &scene(&keys, 3, 20)).unwrap();
    let id = terms.id(world.chain).unwrap();
    Field { keys, members: change.keys.unwrap(), field: change.field, id }
});

fn terms(keys: &[SecretKey]) -> FieldTerms {
    let deposit = Amount::from_units(100);
    let members: Vec<_> = keys.iter().map(|key| Member { key: key.public(), deposit }).collect();
    let rules = world().spec.field;
    FieldTerms {
        nonce: 1,
        members: members.try_into().unwrap(),
        dispute: rules.min_dispute,
        response: rules.min_response,
        bond: Amount::from_units(101),
        until: Height(1000),
        aggregate: None,
    }
}

/// The sender is a member, or nobody.
fn scene(keys: &[SecretKey], who: usize, height: u64) -> Scene<'static> {
    let spec = &world().spec;
    let by = keys.get(who).map_or(Address([9; 20]), |key| Address::of(&key.public()));
    let (rules, inclusion_margin) = (&spec.field, spec.pool.inclusion_margin);
    Scene { rules, inclusion_margin, height: Height(height), by, fee: spec.fee }
}

/// The first byte says what the rest is: a field's row, its members, a sealed state, a proof, evidence, an act, with its
/// sender and how many blocks later it comes, or a file about a payment.
pub fn fields(data: &[u8]) -> &'static str {
    let mut choices = Choices::new(data);
    match choices.below(7) {
        0 => {
            verdict(round_trip::<FieldState>(choices.rest(), MAX_VALUE).map(|field| {
                (field.held(), field.annulled_at(Height(9)), field.closed_at(Height(9)))
            }))
        }
        1 => verdict(round_trip::<FieldKeys>(choices.rest(), MAX_VALUE)),
        2 => verdict(round_trip::<SealedState>(choices.rest(), MAX_SEALED).map(|sealed| {
            let (field, members) = (&FIELD.field, &FIELD.members);
            let checked = field.check(members, &sealed, Height(20));
            assert!(checked.is_err() || sealed == self::sealed(5), "a state that nobody signed");
        })),
        3 => verdict(round_trip::<FieldProof>(choices.rest(), MAX_FIELD_PROOF).map(|proof| {
            let (honest, root) = self::proof();
            assert!(proof.verify(&root).is_err() || proof == honest, "a payment that nobody made");
        })),
        4 => verdict(round_trip::<FieldEvidence>(choices.rest(), MAX_EVIDENCE).map(|evidence| {
            let is_honest = [two_receipts(), all_signed()].contains(&evidence);
            let shown = evidence.verify(world().chain);
            assert!(shown.is_err() || is_honest, "a false accusation");
        })),
        6 => {
            let (file, (_, root)) = (choices.rest(), proof());
            let brought = match Brought::read(file) {
                Ok(brought) => brought,
                Err(error) => return error.code(),
            };
            let is_shown = brought.height() == Height(7) && brought.under(&root).is_ok();
            assert!(!is_shown || file == payment_file(), "a payment that nobody made");
            "ok"
        }
        _ => {
            let (who, later) = (choices.below(4), u64::from(choices.byte()));
            verdict(round_trip::<FieldAct>(choices.rest(), MAX_ACT).map(|act| {
                let honest = (0..6).map(self::act).collect::<Vec<_>>().contains(&act);
                let before = &FIELD.field;
                let done = apply(&act, &scene(&FIELD.keys, who, 21 + later));
                let Ok(change) = done else { return };
                let needs_no_seal = matches!(
                    act,
                    FieldAct::Challenge { .. }
                        | FieldAct::SoloClose { state: None, .. }
                        | FieldAct::Post(_)
                );
                assert!(honest || needs_no_seal, "what nobody signed was done");
                assert!(change.field.best.rank() >= before.best.rank(), "A10.8");
                let sum = |list: &[(Address, Amount)]| list.iter().map(|(_, a)| a.units()).sum();
                let (taken, paid): (u128, u128) = (sum(&change.takes), sum(&change.pays));
                let held = |field: &FieldState| field.held().unwrap().units();
                assert!(held(before) + taken == held(&change.field) + paid, "A10.1");
            }))
        }
    }
}

fn apply(act: &FieldAct, scene: &Scene<'_>) -> Result<Change, FieldError> {
    let (field, keys) = (&FIELD.field, &FIELD.members);
    // The ledger looks the row up by this.
    if act.field() != Some(FIELD.id) {
        return Err(FieldError::WrongField);
    }
    match act {
        FieldAct::Open { .. } => Err(FieldError::WrongField),
        FieldAct::Close { state, seal } => field.close(keys, state, seal, scene),
        FieldAct::SoloClose { state, .. } => field.solo_close(keys, state.as_deref(), scene),
        FieldAct::Post(sealed) => field.post(keys, sealed, scene),
        FieldAct::Challenge { round, .. } => field.challenge(keys, *round, scene),
        FieldAct::Enforce(_) => field.enforce(keys, scene),
        FieldAct::Amend { amendment, signatures } => {
            field.amend(keys, amendment, signatures, scene)
        }
    }
}

fn state(round: u32, is_final: bool) -> RoundState {
    let balances = [90, 110, 100].map(Amount::from_units).to_vec();
    let balances = Bounded::try_from(balances).unwrap();
    RoundState { round, balances, is_final, ..FIELD.field.best.clone() }
}

fn seal(state: RoundState) -> SealedState {
    let keys = FIELD.keys.iter();
    let signatures: Vec<_> = keys.map(|key| key.sign(world().chain, &state)).collect();
    SealedState { state, signatures: signatures.try_into().unwrap() }
}

fn sealed(round: u32) -> SealedState {
    seal(state(round, false))
}

/// One act of each kind that an open field takes, or does not take yet.
fn act(kind: usize) -> FieldAct {
    let field = FIELD.id;
    match kind {
        0 => FieldAct::SoloClose { field, state: Some(Box::new(sealed(5))) },
        1 => FieldAct::Challenge { field, round: 5 },
        2 => FieldAct::Post(Box::new(sealed(5))),
        3 => {
            let SealedState { state, signatures } = seal(state(6, true));
            FieldAct::Close { state, seal: Seal::Each(signatures) }
        }
        4 => {
            let members = terms(&FIELD.keys).members;
            let last = state(5, false);
            let amendment = Amendment { last, members, until: Height(1000), aggregate: None };
            let keys = FIELD.keys.iter();
            let signatures: Vec<_> = keys.map(|key| key.sign(world().chain, &amendment)).collect();
            FieldAct::Amend { amendment, signatures: signatures.try_into().unwrap() }
        }
        _ => FieldAct::Enforce(field),
    }
}

fn payment() -> Signed<FieldPayment> {
    let body = FieldPayment {
        field: FIELD.id,
        version: 0,
        round: 1,
        payer: 0,
        payee: 1,
        amount: Amount::from_units(10),
        sequence: 0,
    };
    Signed::new(&FIELD.keys[0], world().chain, body)
}

fn proof() -> (FieldProof, Hash) {
    let payment = payment();
    let leaf = payment.leaf();
    let tx_root = round_leaf(1, &leaf);
    let alone = |leaf| Climb::of(&[leaf], 0).unwrap();
    let closed = ClosedField {
        field: FIELD.id,
        version: 0,
        round: 1,
        tx_root,
        payments: 1,
        members: members_digest(&FIELD.members),
    };
    let root = closed.leaf();
    let (in_round, in_field, in_block) = (alone(leaf), alone(tx_root), alone(root));
    (FieldProof { payment, in_round, round_root: leaf, in_field, closed, in_block }, root)
}

fn payment_file() -> Vec<u8> {
    let (proof, field_root) = proof();
    let keys = FIELD.members.clone();
    PaymentEvidence { height: Height(7), field_root, proof, keys }.to_file(world().chain)
}

fn two_receipts() -> FieldEvidence {
    let word = |byte| {
        let (field, payment) = (FIELD.id, Hash([byte; 32]));
        let body = Receipt { field, version: 0, round: 1, index: 0, payment };
        Signed::new(&FIELD.keys[0], world().chain, body)
    };
    let key: PublicKey = FIELD.keys[0].public();
    FieldEvidence::Receipts { key, pair: Box::new([word(1), word(2)]) }
}

fn all_signed() -> FieldEvidence {
    FieldEvidence::Sealed { keys: FIELD.members.clone(), sealed: Box::new(sealed(5)) }
}

/// Honest inputs, each with the name of its file.
pub(super) fn seeds() -> super::seed::Seeds {
    let with = |kind: u8, bytes: Vec<u8>| [vec![kind], bytes].concat();
    let acted = |kind| [vec![5, 0, 0], encode(&act(kind))].concat();
    vec![
        ("row", with(0, encode(&FIELD.field))),
        ("members", with(1, encode(&FIELD.members))),
        ("sealed", with(2, encode(&sealed(5)))),
        ("proof", with(3, encode(&proof().0))),
        ("receipts", with(4, encode(&two_receipts()))),
        ("all-signed", with(4, encode(&all_signed()))),
        ("solo-close", acted(0)),
        ("challenge", acted(1)),
        ("post", acted(2)),
        ("close", acted(3)),
        ("amend", acted(4)),
        ("enforce", acted(5)),
        ("payment-file", with(6, payment_file())),
    ]
}
