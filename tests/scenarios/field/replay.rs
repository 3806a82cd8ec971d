//! Nothing that was signed for something else counts. A0.1, A0.2, A6.8 to A6.10.

use super::case::{Case, TOWER};
use antiphon_core::{
    chain::transaction::{Message, decode_transaction},
    codec::{self, DecodeError},
    crypto::{Hash, SecretKey, Signature, Tagged},
    id::{ChainId, FieldId},
    payment::field::{FieldAct, RoundState, SealedState},
};
use antiphon_node::ledger::TxError;

/// Every way to take a seal from elsewhere, with what the chain says to it.
#[test]
fn a_seal_counts_only_for_its_chain_field_version_round_and_words() {
    let mut case = Case::open();
    let stale = case.sealed(3, [250, 150, 200]);
    assert_eq!(case.solo_close(0, &stale), None);
    let good = case.state(7, [20, 380, 200]);
    let signed = |signed: &dyn Fn(usize) -> Signature| SealedState {
        state: good.clone(),
        signatures: (0..3).map(signed).collect::<Vec<_>>().try_into().unwrap(),
    };
    let keys = case.keys.clone();
    let chain = case.chain;
    let of = |state: &RoundState| {
        let state = state.clone();
        let keys = keys.clone();
        move |who: usize| keys[who].sign(chain, &state)
    };
    let foreign = ChainId(Hash([8; 32]));
    let words = |tag: &'static str| {
        let digest = antiphon_core::crypto::hash_tagged(tag, chain, &codec::encode(&good));
        let keys = keys.clone();
        move |who: usize| keys[who].sign_digest(digest)
    };
    let cases: Vec<(&str, SealedState)> = vec![
        ("another chain", signed(&|who| keys[who].sign(foreign, &good))),
        (
            "another field",
            signed(&of(&RoundState { field: FieldId(Hash([9; 32])), ..good.clone() })),
        ),
        ("another version", signed(&of(&RoundState { version: 1, ..good.clone() }))),
        ("another round", signed(&of(&RoundState { round: 6, ..good.clone() }))),
        ("a final state", signed(&of(&RoundState { is_final: true, ..good.clone() }))),
        ("another tree", signed(&of(&RoundState { tx_root: Hash([1; 32]), ..good.clone() }))),
        ("terms", signed(&words("field/v1/terms"))),
        ("a receipt", signed(&words("field/v1/receipt"))),
        ("a voucher", signed(&words("pool/v1/voucher"))),
        ("the digest of nothing", signed(&|who| keys[who].sign_digest(Hash::default()))),
        ("permuted", signed(&|who| keys[(who + 1) % 3].sign(chain, &good))),
        ("one of them twice", signed(&|who| keys[who.min(1)].sign(chain, &good))),
    ];
    let posts: Vec<_> = cases
        .iter()
        .map(|(_, sealed)| case.sign(TOWER, FieldAct::Post(Box::new(sealed.clone()))))
        .collect();
    let refused = case.settle(posts);
    assert_eq!(refused.len(), cases.len());
    for ((what, _), error) in cases.iter().zip(refused) {
        assert_eq!(error.code(), "field/bad-signature", "{what}");
    }
    let whole = case.seal(good.clone());
    let mut few = whole.clone();
    few.signatures = whole.signatures[..2].to_vec().try_into().unwrap();
    assert_eq!(case.post(TOWER, &few), Some("field/signature-count"));
    let mut many = whole.clone();
    many.signatures = [&whole.signatures[..], &whole.signatures[..1]].concat().try_into().unwrap();
    assert_eq!(case.post(TOWER, &many), Some("field/signature-count"));
    assert_eq!(case.till.field(case.field).unwrap().best, stale.state, "nothing has changed");
    assert_eq!(case.post(TOWER, &whole), None, "and the good one is taken");
}

/// Whoever cannot pay is refused before a signature is checked.
#[test]
fn signatures_are_checked_only_for_who_can_pay_for_it() {
    let mut case = Case::open();
    let stale = case.sealed(3, [250, 150, 200]);
    assert_eq!(case.solo_close(0, &stale), None);
    let mut forged = case.sealed(7, [20, 380, 200]);
    forged.state.payments = 9;
    let poor = SecretKey::from_bytes(&[77; 32]);
    let tx = case.till.sign(&poor, Message::Field(Box::new(FieldAct::Post(Box::new(forged)))));
    let refused = case.settle(vec![tx]);
    assert_eq!(refused.first().map(TxError::code), Some("tx/too-poor"));
}

#[test]
fn an_act_with_a_byte_more_or_less_is_none() {
    let mut case = Case::open();
    let act = FieldAct::Post(Box::new(case.sealed(7, [20, 380, 200])));
    let tx = case.sign(TOWER, act.clone());
    let bytes = tx.to_bytes();
    assert_eq!(decode_transaction(&bytes), Ok(tx));
    assert_eq!(decode_transaction(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing));
    for cut in 0..bytes.len() {
        assert_eq!(decode_transaction(&bytes[..cut]), Err(DecodeError::Truncated));
    }
    let encoded = codec::encode(&Message::Field(Box::new(act)));
    let longer = [&encoded[..], &[0]].concat();
    assert_eq!(codec::decode::<Message>(&longer, 4096), Err(DecodeError::Trailing));
}

/// One digest a type: nothing that is signed in a field is something else of it, too.
#[test]
fn every_signed_object_of_a_field_has_its_own_tag() {
    use antiphon_core::payment::field::{Amendment, FieldPayment, FieldTerms, Receipt};
    let tags = [FieldTerms::TAG, Amendment::TAG, FieldPayment::TAG, Receipt::TAG, RoundState::TAG];
    let distinct: std::collections::BTreeSet<_> = tags.iter().collect();
    assert_eq!(distinct.len(), tags.len());
}
