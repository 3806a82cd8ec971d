//! The parameters of fields, part of the chain spec. Source: PROTOCOL A6.11, A6.13.

use borsh::{BorshDeserialize, BorshSerialize};

/// Parameters of fields, in blocks. Hashed into the chain id with the rest of the chain spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FieldRules {
    /// Shortest `T_disp` that a field may ask for, at least `2·M_incl` (A6.13).
    pub min_dispute: u64,
    /// Longest `T_disp`: how long one member can hold the others' money.
    pub max_dispute: u64,
    /// Shortest `T_resp`, at least `2·M_incl` (A6.13).
    pub min_response: u64,
    /// Longest `T_resp`.
    pub max_response: u64,
}

/// Why rules would let a dispute be lost by who is honest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldRulesError {
    /// `T_disp < 2·M_incl`.
    #[error("the shortest dispute is shorter than two inclusion margins")]
    DisputeTooShort,
    /// `T_resp < 2·M_incl`.
    #[error("the shortest response is shorter than two inclusion margins")]
    ResponseTooShort,
    /// A greatest is below its least.
    #[error("no dispute or no response is allowed")]
    Empty,
}

impl FieldRulesError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DisputeTooShort => "field/rules-dispute-too-short",
            Self::ResponseTooShort => "field/rules-response-too-short",
            Self::Empty => "field/rules-empty",
        }
    }
}

impl FieldRules {
    /// Milliseconds of the longest dispute by default. Chosen here: a week.
    const LONGEST_MS: u64 = 7 * 24 * 3_600_000;

    /// Returns the defaults for a chain with this inclusion margin (`M_incl`, in blocks) and a block every `block_ms`: the
    /// least that is sound, and at most a week for either wait.
    pub fn for_chain(inclusion_margin: u64, block_ms: u64) -> Self {
        let least = inclusion_margin.saturating_mul(2);
        let most = Self::LONGEST_MS.checked_div(block_ms).unwrap_or(0).max(least);
        Self { min_dispute: least, max_dispute: most, min_response: least, max_response: most }
    }

    /// Checks the rules against the inclusion margin of the chain that uses them, that of its pools.
    ///
    /// # Errors
    /// [`FieldRulesError`], one variant an inequality.
    pub const fn check(&self, inclusion_margin: u64) -> Result<(), FieldRulesError> {
        let least = inclusion_margin.saturating_mul(2);
        if self.min_dispute < least {
            return Err(FieldRulesError::DisputeTooShort);
        }
        if self.min_response < least {
            return Err(FieldRulesError::ResponseTooShort);
        }
        if self.max_dispute < self.min_dispute || self.max_response < self.min_response {
            return Err(FieldRulesError::Empty);
        }
        Ok(())
    }
}

/// Returns by how many blocks posts may move a deadline of a field with so many members: `(n+1)·M_incl` (A6.11).
pub const fn longest_extension(inclusion_margin: u64, members: usize) -> u64 {
    let parts = (members as u64).saturating_add(1);
    inclusion_margin.saturating_mul(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_least_that_is_sound() {
        let rules = FieldRules::for_chain(16, 1000);
        assert_eq!(rules.check(16), Ok(()));
        let check = |change: fn(&mut FieldRules)| {
            let mut rules = rules;
            change(&mut rules);
            rules.check(16)
        };
        assert_eq!(check(|r| r.min_dispute -= 1), Err(FieldRulesError::DisputeTooShort));
        assert_eq!(check(|r| r.min_response -= 1), Err(FieldRulesError::ResponseTooShort));
        assert_eq!(check(|r| r.max_dispute = r.min_dispute - 1), Err(FieldRulesError::Empty));
        assert_eq!(check(|r| r.max_response = r.min_response - 1), Err(FieldRulesError::Empty));
        assert_eq!(check(|r| r.max_dispute = r.min_dispute), Ok(()), "one length is a length");
        assert_eq!(check(|r| r.max_response = r.min_response), Ok(()));
        assert_eq!(rules.max_dispute, 604_800, "a week");
    }

    #[test]
    fn posts_move_a_deadline_by_a_margin_a_member_and_one() {
        assert_eq!(longest_extension(16, 3), 64);
    }
}
