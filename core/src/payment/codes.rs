//! Each refusal of this engine says its own code, and one that wraps another says that one's. All codes are held against a
//! golden list in `tests/scenarios/codes.rs`, by their sources.

use super::{
    field::{FieldRulesError, SealError, TermsError, escrow::FieldError},
    gift, member,
    reservation::{CollectError, OpenError, ReleaseError, ReportError, RulesError, SettleError},
    tick::TickError,
};
use crate::codec::DecodeError;

#[test]
fn refusals_of_fields_say_their_codes() {
    assert_eq!(FieldError::Closing.code(), "field/closing");
    assert_eq!(FieldError::Seal(SealError::Aggregate).code(), SealError::Aggregate.code());
    assert_eq!(SealError::Aggregate.code(), "field/bad-aggregate-signature");
    assert_eq!(FieldRulesError::Empty.code(), "field/rules-empty");
    assert_eq!(TermsError::Unsorted.code(), "field/members-unsorted");
}

#[test]
fn refusals_of_members_say_their_codes() {
    assert_eq!(member::Fault::TwoStates.code(), "member/two-states");
    assert_eq!(member::Freeze::RolledBack.code(), "member/frozen-rolled-back");
    assert_eq!(member::JoinError::Exists.code(), "member/field-exists");
    assert_eq!(member::PayError::TooLittle.code(), "member/too-little");
    let frozen = member::PayError::Frozen(member::Freeze::Damaged);
    assert_eq!(frozen.code(), "member/frozen-damaged");
    assert_eq!(member::CloseError::Nothing.code(), "member/nothing-to-close");
    assert_eq!(member::AmendError::TooManyMembers.code(), "member/too-many-members");
    assert_eq!(member::ProveError::NotClosed.code(), "member/not-closed");
}

#[test]
fn refusals_of_pools_gifts_and_ticks_say_their_codes() {
    assert_eq!(OpenError::NoDeposit.code(), "pool/no-deposit");
    assert_eq!(ReleaseError::Closed.code(), "pool/closed");
    assert_eq!(CollectError::Solvent.code(), "pool/solvent");
    assert_eq!(ReportError::OnePayee.code(), "overdraft/one-payee");
    assert_eq!(RulesError::NoDuration.code(), "pool/rules-no-duration");
    assert_eq!(SettleError::WrongPool.code(), "pool/wrong-pool");
    assert_eq!(gift::Refusal::TooLittle.code(), "gift/too-little");
    assert_eq!(gift::Refusal::Malformed(DecodeError::Trailing).code(), "gift/malformed");
    assert_eq!(TickError::BadPreimage.code(), "tick/bad-preimage");
}
