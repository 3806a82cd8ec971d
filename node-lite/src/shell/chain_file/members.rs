//! Who is in a chain from the start: a node's public part as `antiphon init` writes it, and the rows of the chain file.

use super::{Refusal, amount, refuse};
use antiphon_core::{
    chain::{
        set::{Guardian, Validator},
        spec::GenesisStaker,
    },
    crypto::{
        Hash, PublicKey,
        bls::{BlsPublicKey, BlsSignature},
        hash_tagged,
    },
    id::{Address, ChainId},
    wallet::address,
};
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// The tag of the scope in which guardians of a chain that has no id yet prove their keys.
const SCOPE_TAG: &str = "chain/v1/genesis-possession";

/// Returns in whose name a guardian of genesis proves possession: the chain's id contains its keys, so the proof can
/// only name the chain by its name.
pub fn possession_scope(chain_name: &str) -> ChainId {
    ChainId(hash_tagged(SCOPE_TAG, ChainId(Hash::default()), chain_name.as_bytes()))
}

/// What a node shows of itself so that a chain can begin with it: the file `public.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublicPart {
    /// What people call the node.
    pub node: String,
    /// The chain for which its guardian's proof was made.
    pub chain_name: String,
    /// Its id among nodes.
    pub peer: String,
    /// The address that owns what it stakes.
    pub owner: String,
    /// If it is to settle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<PublicValidator>,
    /// If it is to finalise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian: Option<PublicGuardian>,
}

/// A validator's public part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicValidator {
    /// Its Ed25519 key, 64 hexadecimal digits.
    pub key: String,
}

/// A guardian's public part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicGuardian {
    /// Its BLS key, 192 hexadecimal digits.
    pub key: String,
    /// Its proof of possession, 192 hexadecimal digits.
    pub possession: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValidatorRow {
    key: Spanned<String>,
    weight: u64,
    /// For people.
    #[serde(rename = "node")]
    _node: Option<String>,
    #[serde(rename = "peer")]
    _peer: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardianRow {
    key: Spanned<String>,
    weight: u64,
    owner: Option<Spanned<String>>,
    possession: Option<Spanned<String>>,
    #[serde(rename = "node")]
    _node: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StakerRow {
    owner: Spanned<String>,
    guardian: Spanned<String>,
    possession: Spanned<String>,
    validator: Option<Spanned<String>>,
    bond: Spanned<String>,
    /// For people.
    #[serde(rename = "node")]
    _node: Option<String>,
    #[serde(rename = "peer")]
    _peer: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRow {
    pub(super) address: Spanned<String>,
    pub(super) staking: Spanned<String>,
    pub(super) operational: Spanned<String>,
}

fn bytes<const N: usize>(text: &Spanned<String>) -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    match hex::decode_to_slice(text.get_ref(), &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => refuse(text, format!("not {} hexadecimal digits", N.saturating_mul(2))),
    }
}

pub(super) fn validators(
    rows: &Spanned<Vec<Spanned<ValidatorRow>>>,
) -> Result<Vec<Validator>, Refusal> {
    let mut members: Vec<Validator> = Vec::new();
    for row in rows.get_ref() {
        let ValidatorRow { key, weight, .. } = row.get_ref();
        let member = Validator { key: PublicKey(bytes(key)?), weight: *weight };
        if members.iter().any(|other| other.key == member.key) {
            return refuse(key, "this validator is in the set already");
        }
        if *weight == 0 {
            return refuse(row, "a validator without weight");
        }
        members.push(member);
    }
    members.sort_by_key(|member| member.key);
    Ok(members)
}

/// Who vouches that a guardian has its key (A2.11).
#[derive(Clone, Copy, Debug)]
pub(super) enum Possession<'a> {
    /// Its own proof, in the name of a chain.
    Proven(&'a str),
    /// The chain before, which registered it: whoever begins from the snapshot compares the set with that one.
    Inherited,
}

pub(super) fn guardians(
    by: Possession<'_>,
    rows: &Spanned<Vec<Spanned<GuardianRow>>>,
) -> Result<Vec<Guardian>, Refusal> {
    let mut members: Vec<Guardian> = Vec::new();
    for row in rows.get_ref() {
        let GuardianRow { key, weight, owner, possession, .. } = row.get_ref();
        let member = Guardian { key: BlsPublicKey(bytes(key)?), weight: *weight };
        if members.iter().any(|other| other.key == member.key) {
            return refuse(key, "this guardian is in the set already");
        }
        if *weight == 0 {
            return refuse(row, "a guardian without weight");
        }
        match (by, owner, possession) {
            (Possession::Proven(name), Some(owner), Some(possession)) => {
                check_possession(possession_scope(name), &member.key, owner, possession)?;
            }
            (Possession::Proven(_), _, _) => {
                return refuse(row, "a guardian needs an owner and a proof of possession");
            }
            (Possession::Inherited, _, _) => {}
        }
        members.push(member);
    }
    members.sort_by_key(|member| member.key);
    Ok(members)
}

pub(super) fn stakers(
    chain_name: &str,
    rows: &[Spanned<StakerRow>],
) -> Result<Vec<GenesisStaker>, Refusal> {
    let scope = possession_scope(chain_name);
    let mut stakers: Vec<GenesisStaker> = Vec::new();
    for row in rows {
        let StakerRow { owner, guardian, possession, validator, bond, .. } = row.get_ref();
        let staker = GenesisStaker {
            owner: address::parse(owner.get_ref()).or_else(|error| refuse(owner, error))?,
            guardian: BlsPublicKey(bytes(guardian)?),
            validator: validator.as_ref().map(bytes).transpose()?.map(PublicKey),
            bond: amount(bond)?,
        };
        let twice = stakers.iter().any(|other| {
            other.owner == staker.owner
                || other.guardian == staker.guardian
                || (staker.validator.is_some() && other.validator == staker.validator)
        });
        if twice {
            return refuse(row, "its owner or one of its keys is another staker's already");
        }
        check_possession(scope, &staker.guardian, owner, possession)?;
        stakers.push(staker);
    }
    Ok(stakers)
}

/// A2.11: without the proof, a key made from others' keys could sign in their name.
fn check_possession(
    scope: ChainId,
    key: &BlsPublicKey,
    owner: &Spanned<String>,
    possession: &Spanned<String>,
) -> Result<(), Refusal> {
    let address: Address = address::parse(owner.get_ref()).or_else(|error| refuse(owner, error))?;
    let proof = BlsSignature(bytes(possession)?);
    key.check_registration(scope, address, &proof).or_else(|error| {
        let what = "the proof of possession is not of this key, owner and chain name";
        refuse(possession, format!("{what}: {error}"))
    })
}
