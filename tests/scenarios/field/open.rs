//! Enrolment, several fields of one account, members who come and go. ADVERSARIAL 26; A6.8, A6.14.

use super::case::{BOND, Case, DEPOSITS, TOWER, keys, open_act, spec, terms};
use antiphon_core::{
    amount::Amount,
    chain::{spec::Token, transaction::Message},
    codec::Bounded,
    crypto::{SecretKey, merkle},
    id::{Address, Height},
    payment::field::{
        Amendment, FieldAct, Member, RoundState, Seal, SealedState,
        escrow::{FieldStatus, field_root},
    },
};
use antiphon_node::tower::closed_in;
use antiphon_tests::sim::{genesis::FEE, till::Till};

#[test]
fn one_hundred_are_locked_for_one_field_of_sixty_and_not_for_two() {
    for swapped in [false, true] {
        let (spec, keys) = (spec(), keys());
        let chain = spec.chain_id();
        let mut till = Till::new(spec);
        let total = till.count(Token::Operational);
        // A key that begins with 100, given by the tower.
        let poor = SecretKey::from_bytes(&[77; 32]);
        let address = Address::of(&poor.public());
        let (token, amount) = (Token::Operational, Amount::from_units(100));
        let tx = till.sign(&keys[TOWER], Message::Transfer { token, to: address, amount });
        assert_eq!(till.settle(vec![tx]), []);
        let fields = [0, 1].map(|other: usize| {
            let pair = [poor.clone(), keys[other].clone()];
            let terms = terms(&pair, &[60, 500]);
            (terms.id(chain).unwrap(), open_act(chain, &terms, &pair))
        });
        let mut txs: Vec<_> = [2, 3]
            .into_iter()
            .zip(&fields)
            .map(|(by, (_, act))| till.sign(&keys[by], Message::Field(Box::new(act.clone()))))
            .collect();
        if swapped {
            txs.reverse();
        }
        let refused = till.settle(txs);
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].1.code(), "tx/too-poor");
        assert_eq!(till.balance(&address, token), 40, "locks never exceed what is there");
        let open = fields.iter().filter(|(id, _)| till.field(*id).is_some()).count();
        assert_eq!(open, 1, "the other one left nothing behind");
        assert_eq!(till.count(token), total, "A10.1");
    }
}

#[test]
fn a_forged_signature_a_missing_one_and_a_second_opening_lock_nothing() {
    let mut case = Case::open();
    let again = terms(&case.keys[..3], &DEPOSITS);
    let chain = case.chain;
    let act = open_act(chain, &again, &case.keys[..3]);
    assert_eq!(case.act(TOWER, act), Some("tx/field-exists"));
    let mut other = again;
    other.nonce = 2;
    let FieldAct::Open { terms, signatures } = open_act(chain, &other, &case.keys[..3]) else {
        panic!()
    };
    let before = [0, 1, 2].map(|who| case.gain(who));
    for place in 0..3 {
        let mut forged = signatures.clone().into_vec();
        forged[place] = other.sign(chain, &case.keys[TOWER]);
        let signatures = Bounded::try_from(forged).unwrap();
        let act = FieldAct::Open { terms: terms.clone(), signatures };
        assert_eq!(case.act(TOWER, act), Some("field/bad-signature"));
    }
    let mut cheaper = terms.clone();
    cheaper.bond = Amount::from_units(BOND - 1);
    let act = open_act(chain, &cheaper, &case.keys[..3]);
    assert_eq!(case.act(TOWER, act), Some("field/bond-too-small"));
    assert_eq!([0, 1, 2].map(|who| case.gain(who)), before);
    assert!(case.till.field(other.id(chain).unwrap()).is_none());
    let act = FieldAct::Open { terms, signatures };
    assert_eq!(case.act(TOWER, act), None);
}

#[test]
fn a_closed_field_is_in_its_header_and_its_id_is_never_used_again() {
    let mut case = Case::open();
    assert_eq!(case.till.head().field_root, merkle::root(&[]), "nothing was closed");
    let state = RoundState { is_final: true, ..case.state(9, [10, 390, 200]) };
    let SealedState { state, signatures } = case.seal(state);
    assert_eq!(case.act(TOWER, FieldAct::Close { state, seal: Seal::Each(signatures) }), None);
    let header = case.till.head().clone();
    let field = case.till.field(case.field).unwrap();
    assert_eq!(field.status, FieldStatus::Closed { at: header.height });
    let closed = field.closed_at(header.height).unwrap();
    assert_eq!(header.field_root, field_root(&[closed]));
    let disk = case.till.disk();
    let listed = |height| closed_in(disk, u64::MAX, case.chain, height).unwrap();
    assert_eq!(listed(header.height), Some(vec![closed]), "as a node lists it");
    assert_eq!(listed(Height(header.height.0 - 1)), Some(Vec::new()));
    assert_eq!(listed(Height(99)), None);
    assert_eq!([0, 1, 2].map(|who| case.gain(who)), [-90, 90, 0]);
    let act = open_act(case.chain, &terms(&case.keys[..3], &DEPOSITS), &case.keys[..3]);
    assert_eq!(case.act(TOWER, act), Some("tx/field-exists"));
    assert_eq!(case.till.head().field_root, merkle::root(&[]), "nothing else was closed");
}

/// A member joins at the boundary of a round, or not at all.
#[test]
fn nobody_joins_in_the_middle_of_a_round() {
    let mut case = Case::open();
    let five = case.sealed(5, [90, 310, 200]);
    assert_eq!(case.challenge(2, 5), None);
    assert_eq!(case.post(1, &five), None);
    let joined = |case: &Case, last: RoundState| {
        let mut members: Vec<_> = case.keys[..4]
            .iter()
            .zip([90, 310, 200, 50])
            .map(|(key, units)| Member { key: key.public(), deposit: Amount::from_units(units) })
            .collect();
        members.sort_by_key(Member::address);
        let members = Bounded::try_from(members).unwrap();
        Amendment { last, members, until: Height(1000), aggregate: None }
    };
    let sign = |case: &Case, amendment: &Amendment, by: &[usize]| {
        let signatures: Vec<_> =
            by.iter().map(|who| case.keys[*who].sign(case.chain, amendment)).collect();
        let signatures = Bounded::try_from(signatures).unwrap();
        FieldAct::Amend { amendment: amendment.clone(), signatures }
    };
    // In the middle of round 6 the last state is another one than the chain could enforce.
    let half = joined(&case, case.state(5, [80, 320, 200]));
    let act = sign(&case, &half, &[0, 1, 2, 3]);
    assert_eq!(case.act(TOWER, act), Some("field/not-higher"));
    let good = joined(&case, five.state.clone());
    let act = sign(&case, &good, &[0, 1, 2]);
    assert_eq!(case.act(TOWER, act), Some("field/signature-count"), "the joiner did not sign");
    let act = sign(&case, &good, &[0, 1, 3, 3]);
    assert_eq!(case.act(TOWER, act), Some("field/bad-signature"), "a member did not sign");
    assert_eq!(case.gain(3), 0, "locked nothing");
    let act = sign(&case, &good, &[0, 1, 2, 3]);
    assert_eq!(case.act(TOWER, act), None);
    let field = case.till.field(case.field).unwrap();
    assert_eq!((field.best.version, field.best.round, field.best.balances.len()), (1, 5, 4));
    assert_eq!(case.gain(3), -50);
    // What was signed by the members before is no state of theirs any more.
    let six = case.sealed(6, [90, 310, 200]);
    assert_eq!(case.solo_close(0, &six), Some("field/wrong-version"));
    let spent = FEE as i128 * 4;
    assert_eq!(case.gain(1), -300 - BOND as i128 - spent + spent, "its post was paid for");
}
