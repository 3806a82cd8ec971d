//! Turns what was noticed into evidence that others can check, and keeps it (A4.1, A4.2).

use super::{Fault, Supernode};
use crate::{
    bft,
    guardian::{self, Share},
    offence::{Charge, MAX_OFFENCES, Offender, Seen},
    storage::{Storage, StorageError, Write},
};
use antiphon_core::{
    chain::{
        certificate::FinalityCertificate,
        offence::{Branches, Evidence, SignedShare, Vouched},
        set::GuardianSet,
        state::StateKey,
    },
    codec::Bounded,
    crypto::Hash,
};

/// Sets up to this size come along with sums of theirs, so that the evidence outlives them. Two fit into a transaction.
const MAX_CARRIED: usize = 64;

impl<S: Storage> Supernode<S> {
    /// Keeps what a fault shows, unless it is known or too much is; and what stopped finality, for good.
    pub(super) fn note_offence(&mut self, fault: &Fault) {
        if let Fault::Guardian(guardian::Fault::Halted(certificate, _)) = fault {
            self.batch.push(Write::Contradiction(certificate.clone()));
        }
        // A store that cannot be read stops the node at the next block; evidence is not what it stops for.
        let Ok(Some(seen)) = self.offence_of(fault) else { return };
        if self.offences.len() < MAX_OFFENCES && self.offences.insert(seen.id()) {
            self.batch.push(Write::Offence(Box::new(seen)));
        }
    }

    fn offence_of(&self, fault: &Fault) -> Result<Option<Seen>, StorageError> {
        match fault {
            Fault::Bft(fault) => self.validator_offence(fault),
            Fault::Guardian(guardian::Fault::TwoShares(pair)) => self.two_shares(pair),
            Fault::Guardian(guardian::Fault::Halted(certificate, _)) => {
                self.two_certificates(certificate)
            }
            Fault::Guardian(guardian::Fault::BadMessage(_) | guardian::Fault::Forged(_))
            | Fault::Block(..)
            | Fault::Malformed(_)
            | Fault::Stopped(_) => Ok(None),
        }
    }

    fn validator_offence(&self, fault: &bft::Fault) -> Result<Option<Seen>, StorageError> {
        let (set, index) = match fault {
            bft::Fault::TwoProposals(pair) => {
                let [one, _] = pair.as_ref();
                (one.header.validators_hash, one.header.proposer_index)
            }
            bft::Fault::TwoVotes(pair) => {
                let [one, _] = pair.as_ref();
                (one.vote.validators_hash, one.index)
            }
            bft::Fault::Unlocked(index, pair) => {
                let [one, _] = pair.as_ref();
                (one.vote.body.validators_hash, *index)
            }
            bft::Fault::BadMessage(_) | bft::Fault::Halted(..) => return Ok(None),
        };
        let set = self.ledger.store().validators(&set)?;
        let key = set.and_then(|set| Some(set.members.get(usize::from(index))?.key));
        let seen = fault.evidence().zip(key);
        Ok(seen.map(|(evidence, key)| one(evidence, Offender::Validator(key))))
    }

    fn two_shares(&self, pair: &[Share; 2]) -> Result<Option<Seen>, StorageError> {
        let [first, _] = pair;
        let set = self.ledger.store().guardians(&first.vote.guardians_hash)?;
        let key = set.and_then(|set| Some(set.members.get(usize::from(first.index))?.key));
        let vouched = pair.each_ref().map(|share| {
            let Share { vote, signature, .. } = share.clone();
            Vouched::Share(SignedShare { vote, signature })
        });
        let branches = Branches { vouched, headers: Bounded::new() };
        let evidence = Evidence::Checkpoints(Box::new(branches));
        Ok(key.map(|key| one(evidence, Offender::Guardian(key))))
    }

    /// Two certificates of one height: whoever is in both is guilty (A2.18).
    fn two_certificates(&self, other: &FinalityCertificate) -> Result<Option<Seen>, StorageError> {
        let store = self.ledger.store();
        let newest = self.guardian.certificate().filter(|held| held.height == other.height);
        let own = match newest {
            Some(held) => Some(held.clone()),
            None => store.certificate(other.height)?,
        };
        let (Some(own), Some(settled)) = (own, store.settled(other.height)?) else {
            return Ok(None);
        };
        let guardians = settled.block.signed.header.guardians_hash;
        let Some(set) = store.guardians(&guardians)? else { return Ok(None) };
        let members = set.members.iter().enumerate();
        let both = members.filter(|(at, _)| own.signers.has(*at) && other.signers.has(*at));
        let offenders: Vec<_> = both.map(|(_, member)| Offender::Guardian(member.key)).collect();
        let vouched = [vouched(own, &set), vouched(other.clone(), &set)];
        let branches = Branches { vouched, headers: Bounded::new() };
        let evidence = Evidence::Checkpoints(Box::new(branches));
        let offenders = Bounded::try_from(offenders).ok();
        Ok(offenders.map(|offenders| Seen { evidence, offenders }))
    }

    /// Returns every offence that this node has seen, with the staker behind each offender, where there is one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn offences(&self) -> Result<Vec<Charge>, StorageError> {
        let (tip, _) = self.tip_block();
        let chain = self.ledger.state_chain();
        let staker = |offender: &Offender| {
            let row = match offender {
                Offender::Validator(key) => StateKey::validator_key(chain, key),
                Offender::Guardian(key) => StateKey::guardian_key(chain, key),
            };
            self.ledger.owner(&tip, &row)
        };
        let name = |seen: Seen| {
            let stakers: Result<_, _> = seen.offenders.iter().map(staker).collect();
            Ok(Charge { stakers: stakers?, seen })
        };
        self.ledger.store().offences()?.into_iter().map(name).collect()
    }
}

/// Returns the names of the offences that a store holds.
pub(super) fn names(
    store: &impl Storage,
) -> Result<std::collections::BTreeSet<Hash>, StorageError> {
    Ok(store.offences()?.iter().map(Seen::id).collect())
}

fn one(evidence: Evidence, offender: Offender) -> Seen {
    let offenders = Bounded::try_from(vec![offender]).unwrap_or_default();
    Seen { evidence, offenders }
}

fn vouched(certificate: FinalityCertificate, set: &GuardianSet) -> Vouched {
    if set.members.len() <= MAX_CARRIED {
        Vouched::Sum(certificate, Box::new(set.clone()))
    } else {
        Vouched::CurrentSum(certificate)
    }
}
