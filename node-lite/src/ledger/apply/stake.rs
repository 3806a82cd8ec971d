//! What stakers and those who bond with them may do, and what a checkpoint does with them.
//!
//! Source: PROTOCOL A2.11, A4; ALLA-1, ALZA-11, 12, 14, 15. A staker is on the roster while its bonds weigh enough to be a
//! guardian's and it is not tombstoned.

use super::{Session, TxError};
use crate::storage::Storage;
use antiphon_core::{
    amount::Amount,
    chain::{
        offence::{Accused, Evidence, EvidenceError, Known, Offence, Shown},
        set::ValidatorSet,
        spec::Token,
        stake::{Bond, Candidate, MAX_PAGES, RosterPage, StakeRules, Staker, Standing},
        state::{StateKey, Supply},
        transaction::Registration,
    },
    codec::Bounded,
    crypto::PublicKey,
    id::Address,
};

impl<S: Storage> Session<'_, S> {
    fn rules(&self) -> Result<StakeRules, TxError> {
        self.spec.stake.clone().ok_or(TxError::NoStaking)
    }

    fn staker(&mut self, address: &Address) -> Result<Staker, TxError> {
        self.get(&StateKey::staker(self.keys, address))?.ok_or(TxError::NoStaker)
    }

    fn bond_of(&mut self, owner: &Address, staker: &Address) -> Result<Bond, TxError> {
        Ok(self.get(&StateKey::bond(self.keys, owner, staker))?.unwrap_or_default())
    }

    pub(super) fn register(
        &mut self,
        sender: &Address,
        registration: &Registration,
    ) -> Result<(), TxError> {
        let Registration { guardian, possession, validator, bond } = registration;
        let least = self.rules()?.min_guardian;
        if *bond < least {
            return Err(TxError::BondTooSmall { bond: *bond, least });
        }
        let guardian_row = StateKey::guardian_key(self.keys, guardian);
        let validator_row = validator.map(|key| StateKey::validator_key(self.keys, &key));
        let staker_row = StateKey::staker(self.keys, sender);
        let mut taken = self.get::<Staker>(&staker_row)?.is_some();
        for row in [Some(guardian_row), validator_row].into_iter().flatten() {
            taken |= self.get::<Address>(&row)?.is_some();
        }
        if taken {
            return Err(TxError::Registered);
        }
        let proven = guardian.check_registration(self.chain, *sender, possession);
        proven.map_err(TxError::Possession)?;
        for row in [Some(guardian_row), validator_row].into_iter().flatten() {
            self.put(row, *sender)?;
        }
        self.put(staker_row, Staker::new(*guardian, *validator, self.height))?;
        self.bond(sender, sender, *bond)
    }

    pub(super) fn bond(
        &mut self,
        owner: &Address,
        address: &Address,
        amount: Amount,
    ) -> Result<(), TxError> {
        self.rules()?;
        let (bond, staker) = self.claim(owner, address)?;
        if staker.standing == Standing::Tombstoned {
            return Err(TxError::NoStaker);
        }
        let bond = bond.increased(amount)?;
        let total = staker.total.checked_add(amount).ok_or(TxError::BadAmount)?;
        self.spend(owner, Token::Staking, amount)?;
        self.put_bond(owner, address, bond)?;
        self.put_staker(address, Staker { total, ..staker })
    }

    pub(super) fn unbond(
        &mut self,
        owner: &Address,
        address: &Address,
        amount: Amount,
    ) -> Result<(), TxError> {
        let until = self.height.plus(self.rules()?.unbond);
        let (bond, staker) = self.claim(owner, address)?;
        let bond = bond.decreased(amount, until)?;
        let total = staker.total.checked_sub(amount).ok_or(TxError::BadAmount)?;
        self.put_bond(owner, address, bond)?;
        self.put_staker(address, Staker { total, ..staker })
    }

    pub(super) fn withdraw(&mut self, owner: &Address, address: &Address) -> Result<(), TxError> {
        let (bond, staker) = self.claim(owner, address)?;
        let (bond, out) = bond.withdrawn(self.height);
        self.put_bond(owner, address, bond)?;
        self.put_staker(address, staker)?;
        self.credit(owner, Token::Staking, out)
    }

    pub(super) fn rejoin(&mut self, sender: &Address) -> Result<(), TxError> {
        let staker = self.staker(sender)?;
        if staker.standing == Standing::Tombstoned {
            return Err(TxError::NoStaker);
        }
        let seen = self.height;
        self.put_staker(sender, Staker { standing: Standing::Good, seen, ..staker })
    }

    /// A4.2, A4.3: the own bond pays, bonded or leaving; the reporter gets a little of it, the rest is burned.
    pub(super) fn accuse(
        &mut self,
        reporter: &Address,
        address: &Address,
        evidence: &Evidence,
    ) -> Result<(), TxError> {
        let rules = self.rules()?;
        let keys = self.staker(address)?;
        let accused = Accused { validator: keys.validator.as_ref(), guardian: &keys.guardian };
        let shown = self.judge(evidence, accused)?;
        let bit = 1_u8 << shown.offence as u8;
        let too_old = self.height > shown.height.plus(rules.evidence);
        if keys.punished & bit != 0 || too_old || shown.height >= self.height {
            return Err(TxError::EvidenceSpent);
        }
        let percent = match shown.offence {
            Offence::TwoProposals => rules.proposal_penalty,
            Offence::TwoVotes | Offence::Unlocked | Offence::TwoShares | Offence::OtherBranch => {
                100
            }
        };
        let (bond, staker) = self.claim(address, address)?;
        let (bond, penalty) = bond.slashed(percent);
        let bounty = Amount::from_units(penalty.taken.units() / 100).min(rules.bounty);
        self.put_bond(address, address, bond)?;
        let punished = staker.punished | bit;
        let total = staker.total.saturating_sub(penalty.bonded);
        let standing = Standing::Tombstoned;
        self.put_staker(address, Staker { total, standing, punished, ..staker })?;
        self.credit(reporter, Token::Staking, bounty)?;
        self.burn(Token::Staking, penalty.taken.saturating_sub(bounty))
    }

    /// A2.14: a sum names its signers only if each key in it was proven to be somebody's, ever.
    fn judge(&mut self, evidence: &Evidence, accused: Accused<'_>) -> Result<Shown, TxError> {
        let mut guardians = None;
        if let Evidence::Checkpoints(branches) = evidence {
            for key in branches.carried() {
                if self.get::<Address>(&StateKey::guardian_key(self.keys, key))?.is_none() {
                    return Err(EvidenceError::WrongSet.into());
                }
            }
            if branches.needs_current() {
                guardians = self.ledger.guardians_above(&self.parent)?;
            }
        }
        let interval = self.spec.checkpoint_interval;
        let known = Known { chain: self.chain, interval, guardians: guardians.as_ref() };
        Ok(evidence.judge(known, accused)?)
    }

    /// Pays a bond its part of the rewards. What the caller gets back it must put, changed or not.
    fn claim(&mut self, owner: &Address, address: &Address) -> Result<(Bond, Staker), TxError> {
        let (bond, staker) = (self.bond_of(owner, address)?, self.staker(address)?);
        let (bond, staker, due) = bond.claimed(&staker);
        self.put_bond(owner, address, bond.clone())?;
        self.put_staker(address, staker.clone())?;
        if !due.is_zero() {
            self.credit(owner, Token::Operational, due)?;
        }
        Ok((bond, staker))
    }

    fn put_bond(&mut self, owner: &Address, staker: &Address, bond: Bond) -> Result<(), TxError> {
        self.put(StateKey::bond(self.keys, owner, staker), bond)
    }

    /// Writes a staker, and puts it on the roster or takes it off where that follows.
    fn put_staker(&mut self, address: &Address, staker: Staker) -> Result<(), TxError> {
        let least = self.rules()?.min_guardian;
        let listed = |s: &Staker| s.total >= least && s.standing != Standing::Tombstoned;
        let was = self.staker(address).is_ok_and(|before| listed(&before));
        let is = listed(&staker);
        self.put(StateKey::staker(self.keys, address), staker)?;
        match (was, is) {
            (false, true) => self.enlist(address),
            (true, false) => self.strike(address),
            (true, true) | (false, false) => Ok(()),
        }
    }

    fn page(&mut self, number: u32) -> Result<RosterPage, TxError> {
        Ok(self.get(&StateKey::roster(self.keys, number))?.unwrap_or_default())
    }

    fn put_page(&mut self, number: u32, page: Vec<Address>) -> Result<(), TxError> {
        let page: RosterPage = Bounded::try_from(page).map_err(|_| TxError::RosterFull)?;
        self.put(StateKey::roster(self.keys, number), page)
    }

    fn enlist(&mut self, address: &Address) -> Result<(), TxError> {
        for number in 0..MAX_PAGES {
            let mut page = self.page(number)?.into_vec();
            page.push(*address);
            match self.put_page(number, page) {
                Err(TxError::RosterFull) => {}
                done => return done,
            }
        }
        Err(TxError::RosterFull)
    }

    fn strike(&mut self, address: &Address) -> Result<(), TxError> {
        for number in 0..MAX_PAGES {
            let mut page = self.page(number)?.into_vec();
            let before = page.len();
            page.retain(|listed| listed != address);
            if page.len() < before {
                return self.put_page(number, page);
            }
        }
        Ok(())
    }

    /// Notes that this block's proposer is not silent.
    pub(in crate::ledger) fn note_proposal(&mut self) -> Result<(), TxError> {
        let proposer = self.proposer;
        if let Some(address) = self.owner_of(&proposer)? {
            let staker = self.staker(&address)?;
            let seen = self.height;
            self.put(StateKey::staker(self.keys, &address), Staker { seen, ..staker })?;
        }
        Ok(())
    }

    pub(super) fn owner_of(&mut self, key: &PublicKey) -> Result<Option<Address>, TxError> {
        self.get(&StateKey::validator_key(self.keys, key))
    }

    /// At a checkpoint: sets validators aside that were silent for too long, then pays the others (ALZA-11, ALZA-14).
    pub(in crate::ledger) fn judge_term(&mut self, acting: &ValidatorSet) -> Result<(), TxError> {
        let rules = self.rules()?;
        let candidates = self.candidates()?;
        let network = Amount::checked_sum(candidates.iter().map(|c| c.total));
        let (pot, network) = (rules.pot(self.height), network.unwrap_or_default());
        for member in acting.members.iter() {
            let Some(address) = self.owner_of(&member.key)? else { continue };
            let staker = self.staker(&address)?;
            if staker.standing != Standing::Good {
                continue;
            }
            if self.height.0.saturating_sub(staker.seen.0) > rules.inactivity {
                self.put_staker(&address, Staker { standing: Standing::Idle, ..staker })?;
                continue;
            }
            // RW = pot · SONO / SONET, rounded down; only what is paid is minted.
            let share = pot.units().saturating_mul(staker.total.units());
            let reward = Amount::from_units(share.checked_div(network.units()).unwrap_or(0));
            if let Some(rewarded) = staker.rewarded(reward) {
                self.put_staker(&address, rewarded)?;
                self.mint(reward)?;
            }
        }
        Ok(())
    }

    /// Returns everybody on the roster.
    pub(in crate::ledger) fn candidates(&mut self) -> Result<Vec<Candidate>, TxError> {
        let mut candidates = Vec::new();
        for number in 0..MAX_PAGES {
            for address in self.page(number)?.iter() {
                let staker = self.staker(address)?;
                let own = self.bond_of(address, address)?.amount;
                let Staker { guardian, validator, total, standing, .. } = staker;
                let address = *address;
                candidates.push(Candidate { address, guardian, validator, own, total, standing });
            }
        }
        Ok(candidates)
    }

    fn supply(&mut self) -> Result<Supply, TxError> {
        Ok(self.get(&StateKey::supply(self.keys))?.unwrap_or_default())
    }

    /// Destroys what was taken from a row.
    pub(super) fn burn(&mut self, token: Token, amount: Amount) -> Result<(), TxError> {
        if amount.is_zero() {
            return Ok(());
        }
        let mut supply = self.supply()?;
        let burned = supply.burned.get_mut(token.index()).ok_or(TxError::BadAmount)?;
        *burned = burned.checked_add(amount).ok_or(TxError::BadAmount)?;
        self.put(StateKey::supply(self.keys), supply)
    }

    /// A3.4: only the operational token has a way to be minted.
    pub(super) fn mint(&mut self, amount: Amount) -> Result<(), TxError> {
        let mut supply = self.supply()?;
        let [staking, operational] = supply.minted;
        let operational = operational.checked_add(amount).ok_or(TxError::BadAmount)?;
        supply.minted = [staking, operational];
        self.put(StateKey::supply(self.keys), supply)
    }
}
