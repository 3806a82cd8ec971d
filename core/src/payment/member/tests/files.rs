//! One payment of a closed field, shown to anybody as a file.

use super::*;
use crate::{
    codec,
    payment::field::{
        FieldEvidence, FieldFile, FieldFileError, Paid, PaymentEvidence, SealError,
        escrow::{self, ClosedField},
    },
};

/// A0.9: what a closed field paid, as a file that whoever has the header checks alone.
#[test]
fn one_payment_of_a_closed_field_is_a_file_that_names_both_and_nobody_else_can_be_put_into_it() {
    let mut table = Room::open(3);
    table.pay(0, 1, 7).unwrap();
    table.close_round().unwrap();
    let (field, me) = (table.field, 2);
    let file = |table: &Room, header: (Height, Hash), closed: &[ClosedField]| {
        let closed = &codec::encode(&closed.to_vec());
        let made = table.machines[me].payment_evidence(field, (1, 0), header, closed)?;
        let file = FieldFile { chain: CHAIN, evidence: FieldEvidence::Payment(Box::new(made)) };
        let FieldEvidence::Payment(made) = &file.evidence else { panic!("a payment") };
        assert_eq!(made.to_file(CHAIN), file.to_bytes(), "one encoding");
        table.machines[me].payment_file(field, (1, 0), header, closed).map(|_| file)
    };
    assert_eq!(table.machines[me].closed_at(field), Err(ProveError::NotClosed));
    table.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    table.block();
    let (state, _) = table.escrow.clone().unwrap();
    let at = table.machines[me].closed_at(field).unwrap();
    let closed = state.closed_at(at).unwrap();
    let header = |closed: &[ClosedField]| (at, escrow::field_root(closed));
    let other = ClosedField { field: FieldId(Hash([255; 32])), ..closed };
    let both = [closed, other];
    let good = file(&table, header(&both), &both).unwrap();
    let shown = good.verify().unwrap();
    let paid = Paid {
        payer: table.address(0),
        payee: table.address(1),
        amount: Amount::from_units(7),
        height: at,
        field_root: escrow::field_root(&both),
    };
    assert_eq!((shown.field, shown.round, shown.paid), (field, 1, Some(paid)));
    // What the node tells is not believed.
    let wrong = |error| Err(ProveError::File(error));
    assert_eq!(file(&table, header(&[other]), &both), wrong(FieldFileError::NoPayment));
    assert_eq!(file(&table, header(&both), &[other]), Err(ProveError::NotTold));
    let nowhere = table.machines[me].payment_evidence(
        field,
        (1, 1),
        header(&both),
        &codec::encode(&both.to_vec()),
    );
    assert_eq!(nowhere, Err(ProveError::NoPayment));
    // As many as a node tells of one block, and not a byte more.
    let others = (0..4095_u32)
        .map(|n| ClosedField { field: FieldId(Hash::of(&[&n.to_le_bytes()])), ..closed });
    let mut most: Vec<ClosedField> = [closed].into_iter().chain(others).collect();
    most.sort_unstable_by_key(|closed| closed.field);
    assert!(file(&table, header(&most), &most).is_ok());
    let longer = [codec::encode(&most), vec![0]].concat();
    let longer = table.machines[me].payment_evidence(field, (1, 0), header(&most), &longer);
    assert_eq!(longer, Err(ProveError::NotTold));
    // What is written of a sealed state alone is the first of all files.
    let sealed = table.machines[me].sealed_file(field).unwrap();
    assert_eq!(sealed, table.machines[me].files(field)[0].to_bytes());
    // Nor is what whoever brings a file says.
    type Change = fn(&mut PaymentEvidence);
    let foes: [(&str, Change, FieldFileError); 6] = [
        (
            "another sum",
            |it| it.proof.payment.body.amount = Amount::from_units(8),
            FieldFileError::NoPayment,
        ),
        ("another payee", |it| it.proof.payment.body.payee = 2, FieldFileError::NoPayment),
        ("another field root", |it| it.field_root = Hash([1; 32]), FieldFileError::NoPayment),
        ("members moved", |it| it.keys = moved(&it.keys), FieldFileError::OtherMembers),
        ("a member more", |it| it.keys = more(&it.keys), FieldFileError::OtherMembers),
        ("other members", |it| it.proof.closed.members = Hash([1; 32]), FieldFileError::NoPayment),
    ];
    for (what, change, error) in foes {
        let mut bad = good.clone();
        let FieldEvidence::Payment(evidence) = &mut bad.evidence else { panic!("a payment") };
        change(evidence);
        assert_eq!(bad.verify(), Err(error), "{what}");
    }
    let elsewhere = FieldFile { chain: ChainId::default(), ..good };
    assert_eq!(elsewhere.verify(), Err(SealError::Signature { place: 0 }.into()));
}

fn moved(keys: &escrow::FieldKeys) -> escrow::FieldKeys {
    let mut keys = keys.to_vec();
    keys.swap(1, 2);
    Bounded::try_from(keys).unwrap()
}

fn more(keys: &escrow::FieldKeys) -> escrow::FieldKeys {
    let mut all = keys.to_vec();
    all.push(keys[0]);
    Bounded::try_from(all).unwrap()
}
