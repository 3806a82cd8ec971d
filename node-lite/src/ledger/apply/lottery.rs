//! The rows of mix, lottery and rules, and the money of the lottery. Source: PROTOCOL A3; AELF-30.

use super::{Session, TxError};
use crate::storage::Storage;
use antiphon_core::{
    chain::{
        certificate::FinalityCertificate,
        lottery::{Draw, LotteryRules, Outcome},
        set::{GuardianSet, quorum, total_weight},
        spec::Token,
        stake::{Staker, Standing},
        state::StateKey,
        upgrade::Upgrade,
    },
    codec::Bounded,
    crypto::{Hash, bls::BlsPublicKey},
    id::Address,
};

impl<S: Storage> Session<'_, S> {
    /// Returns the guardian's key of this block's proposer.
    pub(in crate::ledger) fn beacon_key(&mut self) -> Result<Option<BlsPublicKey>, TxError> {
        let proposer = self.proposer;
        let Some(owner) = self.owner_of(&proposer)? else { return Ok(None) };
        let staker = self.get::<Staker>(&StateKey::staker(self.keys, &owner))?;
        Ok(staker.map(|staker| staker.guardian))
    }

    pub(in crate::ledger) fn mix(&mut self) -> Result<Hash, TxError> {
        Ok(self.get(&StateKey::beacon(self.keys))?.unwrap_or_default())
    }

    pub(in crate::ledger) fn put_mix(&mut self, mix: Hash) -> Result<(), TxError> {
        self.put(StateKey::beacon(self.keys), mix)
    }

    pub(in crate::ledger) fn lottery_draw(&mut self) -> Result<Draw, TxError> {
        Ok(self.get(&StateKey::draw(self.keys))?.unwrap_or_default())
    }

    pub(in crate::ledger) fn upgrade(&mut self) -> Result<Upgrade, TxError> {
        Ok(self.get(&StateKey::upgrade(self.keys))?.unwrap_or_default())
    }

    pub(in crate::ledger) fn put_upgrade(&mut self, upgrade: Upgrade) -> Result<(), TxError> {
        self.put(StateKey::upgrade(self.keys), upgrade)
    }

    /// Notes who takes part, and pays the proposer for every signature beyond a quorum (A3.1).
    pub(in crate::ledger) fn enter_lottery(
        &mut self,
        rules: LotteryRules,
        certificate: &FinalityCertificate,
        guardians: Hash,
        set: &GuardianSet,
    ) -> Result<(), TxError> {
        let mut bits = vec![0_u8; set.members.len().div_ceil(8)];
        let mut weight = 0_u64;
        for (place, member) in set.members.iter().enumerate() {
            if !certificate.signers.has(place) {
                continue;
            }
            weight = weight.saturating_add(member.weight);
            if let Some(byte) = bits.get_mut(place / 8) {
                *byte |= 1 << (place % 8);
            }
        }
        let total = total_weight(set.members.iter().map(|member| member.weight));
        let total = total.ok_or(TxError::BadAmount)?;
        let bonus = rules.bonus(weight, quorum(total), total);
        if !bonus.is_zero() {
            self.mint(bonus)?;
            let proposer = Address::of(&self.proposer);
            self.credit(&proposer, Token::Operational, bonus)?;
        }
        let draw = self.lottery_draw()?;
        let pot = draw.rolled.checked_add(rules.pot.saturating_sub(bonus));
        let draw = Draw {
            checkpoint: certificate.height,
            guardians,
            participants: Bounded::try_from(bits).map_err(|_| TxError::BadAmount)?,
            rolled: pot.ok_or(TxError::BadAmount)?,
        };
        self.put(StateKey::draw(self.keys), draw)
    }

    /// Nobody showed a certificate in time: the pot waits for the next draw.
    pub(in crate::ledger) fn roll_over(
        &mut self,
        rules: LotteryRules,
        draw: Draw,
    ) -> Result<(), TxError> {
        let rolled = draw.rolled.checked_add(rules.pot).ok_or(TxError::BadAmount)?;
        self.put(StateKey::draw(self.keys), Draw { rolled, ..draw })
    }

    /// Pays the winners as stakers are paid, so that who bonds with them has a part in it. Who was tombstoned meanwhile wins
    /// nothing, and only what is paid is minted (A3.5).
    pub(in crate::ledger) fn pay_winners(
        &mut self,
        draw: Draw,
        outcome: &Outcome,
    ) -> Result<(), TxError> {
        let mut rolled = outcome.rolled;
        for key in &outcome.winners {
            let owner = self.get::<Address>(&StateKey::guardian_key(self.keys, key))?;
            let staker = match owner {
                Some(owner) => self.get::<Staker>(&StateKey::staker(self.keys, &owner))?,
                None => None,
            };
            let is_standing = |staker: &Staker| staker.standing != Standing::Tombstoned;
            let rewarded = staker.filter(is_standing).and_then(|s| s.rewarded(outcome.prize));
            match owner.zip(rewarded) {
                Some((owner, rewarded)) => {
                    self.mint(outcome.prize)?;
                    self.put(StateKey::staker(self.keys, &owner), rewarded)?;
                }
                None => rolled = rolled.checked_add(outcome.prize).ok_or(TxError::BadAmount)?,
            }
        }
        self.put(StateKey::draw(self.keys), Draw { participants: Bounded::new(), rolled, ..draw })
    }
}
