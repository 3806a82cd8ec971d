//! Registrations, bonds and what they cost: ADVERSARIAL case 14, and the money of case 17.

use super::chain::{Chain, address, key, spec};
use crate::ledger::{ChainSpec, GenesisError, genesis};
use antiphon_core::{
    amount::Amount,
    chain::{
        certificate::{Counts, FinalityCertificate, FinalityVote, Signers, Vote},
        offence::{Branches, Evidence, SignedShare, Vouched},
        set::{Guardian, GuardianSet},
        spec::{GenesisStaker, Token},
        stake::{Bond, MAX_LEAVING, StakeRules, StakeRulesError, Staker, Standing, elect},
        state::{StateKey, Supply},
        transaction::{Message, Registration, SignedTransaction},
    },
    codec::Bounded,
    crypto::{
        Hash, Signed, Tagged as _,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    id::{BlockId, ChainId, Height},
};

/// What accounts 1 and 2 have of each token.
const START: u128 = 1_000_000;

#[test]
fn who_proves_its_key_becomes_a_staker() {
    let mut chain = Chain::of(staking());
    let tx = register(&chain, 1, &guardian(7), |_| {});
    chain.settle(vec![tx]);
    let staker: Staker = chain.row(&StateKey::staker(chain.id, &address(1))).unwrap();
    assert_eq!((staker.total, staker.standing), (units(500), Standing::Good));
    assert_eq!(chain.account(1).balance(Token::Staking), units(START - 500));
}

#[test]
fn rogue_registrations_are_refused() {
    let other_chain = ChainId(Hash([9; 32]));
    let infinity = {
        let mut bytes = [0; 96];
        bytes[0] = 0x40;
        BlsPublicKey(bytes)
    };
    let off_curve = BlsPublicKey([1; 96]);
    type Change<'a> = &'a dyn Fn(&mut Registration);
    let wrong: [(&str, Change<'_>); 6] = [
        // A proof that was made for another owner, and one for another chain.
        ("bls/bad-signature", &|r| {
            r.possession = guardian(7).prove_possession(staking().chain_id(), address(2));
        }),
        ("bls/bad-signature", &|r| {
            r.possession = guardian(7).prove_possession(other_chain, address(1));
        }),
        ("bls/bad-point", &|r| r.guardian = infinity),
        ("bls/not-on-curve", &|r| r.guardian = off_curve),
        ("stake/registered", &|r| r.guardian = guardian(1).public()),
        ("stake/bond-too-small", &|r| r.bond = units(99)),
    ];
    for (code, change) in wrong {
        let chain = Chain::of(staking());
        let tx = register(&chain, 1, &guardian(7), change);
        assert_eq!(refusal(&chain, tx), Some(code));
    }
    let chain = Chain::of(staking());
    let forged = |r: &mut Registration| r.possession = BlsSignature([0xff; 96]);
    let tx = register(&chain, 1, &guardian(7), forged);
    assert!(refusal(&chain, tx).is_some_and(|code| code.starts_with("bls/")));
}

#[test]
fn a_key_is_registered_once_even_after_its_staker_has_left() {
    let mut chain = Chain::of(staking());
    chain.settle(vec![register(&chain, 1, &guardian(7), |_| {})]);
    let leave = Message::Unbond { staker: address(1), amount: units(500) };
    chain.settle(vec![chain.tx(1, 2, vec![leave])]);
    let again = register(&chain, 2, &guardian(7), |r| r.validator = None);
    assert_eq!(refusal(&chain, again), Some("stake/registered"));
    let validator = register(&chain, 2, &guardian(8), |r| r.validator = Some(key(1).public()));
    assert_eq!(refusal(&chain, validator), Some("stake/registered"));
}

#[test]
fn a_bond_comes_back_after_the_unbonding_time_and_not_a_block_before() {
    let mut chain = Chain::of(staking());
    let (staker, amount) = (address(3), units(40));
    chain.settle(vec![chain.tx(1, 1, vec![Message::Bond { staker, amount }])]);
    chain.settle(vec![chain.tx(1, 2, vec![Message::Unbond { staker, amount }])]);
    let until = chain.head.0.plus(rules().unbond);
    assert_eq!(chain.account(1).balance(Token::Staking), units(START - 40));
    while chain.head.0.plus(2) < until {
        chain.settle(vec![]);
    }
    chain.settle(vec![chain.tx(1, 3, vec![Message::Withdraw { staker }])]);
    assert_eq!(chain.account(1).balance(Token::Staking), units(START - 40), "one block early");
    chain.settle(vec![chain.tx(1, 4, vec![Message::Withdraw { staker }])]);
    assert_eq!(chain.account(1).balance(Token::Staking), units(START));
    let bond: Bond = chain.row(&StateKey::bond(chain.id, &address(1), &staker)).unwrap();
    assert!(bond.is_empty());
}

#[test]
fn nobody_takes_out_what_is_not_there() {
    let mut chain = Chain::of(staking());
    let (staker, amount) = (address(3), units(40));
    let unbond = |amount| vec![Message::Unbond { staker, amount }];
    assert_eq!(refusal(&chain, chain.tx(1, 1, unbond(units(1)))), Some("stake/too-little"));
    let nobody = Message::Bond { staker: address(2), amount };
    assert_eq!(refusal(&chain, chain.tx(1, 1, vec![nobody])), Some("stake/no-staker"));
    let poor = Message::Bond { staker, amount: units(START + 1) };
    assert_eq!(refusal(&chain, chain.tx(1, 1, vec![poor])), Some("tx/too-poor"));
    chain.settle(vec![chain.tx(1, 1, vec![Message::Bond { staker, amount }])]);
    let parts: Vec<Message> = (0..=MAX_LEAVING).flat_map(|_| unbond(units(1))).collect();
    assert_eq!(refusal(&chain, chain.tx(1, 2, parts)), Some("stake/too-many-leaving"));
}

#[test]
fn who_reports_itself_still_loses_almost_everything() {
    let mut chain = Chain::of(staking());
    chain.settle(vec![register(&chain, 1, &guardian(7), |r| r.bond = units(10_000))]);
    for _ in 0..4 {
        chain.settle(vec![]);
    }
    let evidence = two_votes(chain.id, 1, 3);
    let before = chain.account(1).balance(Token::Staking).units();
    let accuse = |evidence| Message::Accuse { staker: address(1), evidence };
    chain.settle(vec![chain.tx(1, 2, vec![accuse(evidence.clone())])]);
    let after = chain.account(1).balance(Token::Staking).units();
    assert_eq!(after - before, 50, "B_MAX, below a hundredth of 10000");
    let supply: Supply = chain.row(&StateKey::supply(chain.id)).unwrap();
    assert_eq!(supply.burned, [units(9_950), Amount::ZERO]);
    // The same offence is not paid for twice, and another one finds nothing that is left.
    let again = chain.tx(1, 3, vec![accuse(evidence)]);
    assert_eq!(refusal(&chain, again), Some("offence/spent"));
    let more = Message::Bond { staker: address(1), amount: units(1) };
    assert_eq!(refusal(&chain, chain.tx(2, 1, vec![more])), Some("stake/no-staker"));
}

#[test]
fn what_is_leaving_is_punished_too_and_old_offences_are_not() {
    let mut chain = Chain::of(staking());
    chain.settle(vec![register(&chain, 1, &guardian(7), |_| {})]);
    let leave = Message::Unbond { staker: address(1), amount: units(500) };
    chain.settle(vec![chain.tx(1, 2, vec![leave])]);
    let old = two_votes(chain.id, 1, 1);
    let accuse = |evidence| Message::Accuse { staker: address(1), evidence };
    while chain.head.0 < Height(1 + rules().evidence) {
        chain.settle(vec![]);
    }
    let late = chain.tx(2, 1, vec![accuse(old)]);
    assert_eq!(refusal(&chain, late), Some("offence/spent"));
    let ahead = chain.tx(2, 1, vec![accuse(two_votes(chain.id, 1, 99))]);
    assert_eq!(refusal(&chain, ahead), Some("offence/spent"), "a height that is still to come");
    chain.settle(vec![chain.tx(2, 1, vec![accuse(two_votes(chain.id, 1, 20))])]);
    let bond: Bond = chain.row(&StateKey::bond(chain.id, &address(1), &address(1))).unwrap();
    assert_eq!(bond.held(), Some(Amount::ZERO));
}

#[test]
fn two_shares_of_one_height_cost_everything() {
    let mut chain = Chain::of(staking());
    chain.settle(vec![register(&chain, 1, &guardian(7), |_| {})]);
    chain.settle(vec![]);
    let share = |block: u8| {
        let vote = FinalityVote {
            guardians_hash: Hash([1; 32]),
            height: Height(1),
            block: BlockId(Hash([block; 32])),
        };
        let signature = guardian(7).sign(vote.digest(chain.id));
        Vouched::Share(SignedShare { vote, signature })
    };
    let branches = Branches { vouched: [share(1), share(2)], headers: Bounded::default() };
    let evidence = Evidence::Checkpoints(Box::new(branches));
    let innocent = Message::Accuse { staker: address(3), evidence: evidence.clone() };
    assert_eq!(refusal(&chain, chain.tx(2, 1, vec![innocent])), Some("offence/bad-signature"));
    chain.settle(vec![chain.tx(2, 1, vec![Message::Accuse { staker: address(1), evidence }])]);
    let staker: Staker = chain.row(&StateKey::staker(chain.id, &address(1))).unwrap();
    assert_eq!((staker.total, staker.standing), (Amount::ZERO, Standing::Tombstoned));
}

/// A4.5, ADVERSARIAL case 15: certificates are evidence against everybody in both, and a set of ones own against nobody.
#[test]
fn two_certificates_cost_everybody_who_signed_both() {
    let mut chain = Chain::of(staking());
    chain.settle(vec![register(&chain, 1, &guardian(7), |_| {})]);
    chain.settle(vec![]);
    let accuse = |members: &[u8], current: bool| {
        let pair = [1, 2].map(|block| sum(chain.id, members, block));
        let vouched = pair.map(|(certificate, set)| {
            if current {
                Vouched::CurrentSum(certificate)
            } else {
                Vouched::Sum(certificate, Box::new(set))
            }
        });
        let branches = Branches { vouched, headers: Bounded::default() };
        let evidence = Evidence::Checkpoints(Box::new(branches));
        move |owner: u8| Message::Accuse { staker: address(owner), evidence: evidence.clone() }
    };
    let refused = |message| refusal(&chain, chain.tx(2, 1, vec![message]));
    assert_eq!(refused(accuse(&[1, 9], false)(3)), Some("offence/wrong-set"), "9 is nobody's");
    assert_eq!(refused(accuse(&[1], false)(1)), Some("offence/bad-signature"), "not in them");
    assert_eq!(refused(accuse(&[1, 7], true)(1)), Some("offence/bad-signature"), "another set");
    // Of genesis' set, which the chain commits now, and of one that came along.
    assert_eq!(refused(accuse(&[1], true)(3)), None);
    let both = accuse(&[1, 7], false);
    let tx = chain.tx(2, 1, vec![both(3), both(1)]);
    chain.settle(vec![tx]);
    for owner in [1, 3] {
        let staker: Staker = chain.row(&StateKey::staker(chain.id, &address(owner))).unwrap();
        assert_eq!((staker.total, staker.standing), (Amount::ZERO, Standing::Tombstoned));
    }
    let again = chain.tx(2, 2, vec![both(1)]);
    assert_eq!(refusal(&chain, again), Some("offence/spent"));
}

/// A certificate of these guardians on a block at height 1, with their set.
fn sum(chain: ChainId, members: &[u8], block: u8) -> (FinalityCertificate, GuardianSet) {
    let mut keys: Vec<_> = members.iter().map(|n| guardian(*n)).collect();
    keys.sort_by_key(BlsSecretKey::public);
    let public: Vec<_> = keys.iter().map(BlsSecretKey::public).collect();
    let weight = 1_000;
    let all = public.iter().map(|key| Guardian { key: *key, weight }).collect::<Vec<_>>();
    let set = GuardianSet {
        since: Height(0),
        members: Bounded::try_from(all).unwrap(),
        aggregate: BlsPublicKey::aggregate(&public).unwrap(),
    };
    let (height, block) = (Height(1), BlockId(Hash([block; 32])));
    let vote = FinalityVote { guardians_hash: set.hash(chain), height, block };
    let shares: Vec<_> = keys.iter().map(|key| key.sign(vote.digest(chain))).collect();
    let signature = BlsSignature::aggregate(&shares).unwrap();
    let signers = Signers::Counts(Counts::new(vec![1; members.len()]).unwrap());
    (FinalityCertificate { height, block, signers, signature }, set)
}

#[test]
fn a_chain_without_staking_takes_no_stake() {
    let chain = Chain::new();
    let bond = Message::Bond { staker: address(3), amount: units(1) };
    assert_eq!(refusal(&chain, chain.tx(1, 1, vec![bond])), Some("stake/none"));
}

#[test]
fn a_spec_whose_sets_are_not_those_of_its_stakers_is_refused() {
    let wrong = |change: &dyn Fn(&mut ChainSpec)| {
        let mut spec = staking();
        change(&mut spec);
        genesis(&spec).unwrap_err()
    };
    let heavier = wrong(&|spec| {
        let mut stakers = spec.stakers.clone().into_vec();
        stakers[0].bond = units(1_001);
        spec.stakers = Bounded::try_from(stakers).unwrap();
    });
    assert_eq!(heavier, GenesisError::WrongSets);
    assert_eq!(wrong(&|spec| spec.stake = None), GenesisError::NoRules);
    let twice = wrong(&|spec| {
        let stakers = [spec.stakers[0].clone(), spec.stakers[0].clone()];
        spec.stakers = Bounded::try_from(stakers.to_vec()).unwrap();
    });
    assert_eq!(twice, GenesisError::Twice);
    let heavy = wrong(&|spec| {
        let mut accounts = spec.accounts.clone().into_vec();
        accounts[0].balances[0] = units(1 << 62);
        spec.accounts = Bounded::try_from(accounts).unwrap();
    });
    assert_eq!(heavy, GenesisError::TooHeavy);
    let short = wrong(&|spec| spec.stake = Some(StakeRules { unbond: 29, ..rules() }));
    assert_eq!(short, GenesisError::Rules(StakeRulesError::UnbondTooShort));
    let many = wrong(&|spec| spec.stake = Some(StakeRules { guardians: 5121, ..rules() }));
    assert_eq!(many, GenesisError::Rules(StakeRulesError::BadCommittee));
}

fn register(
    chain: &Chain,
    n: u8,
    guardian: &BlsSecretKey,
    change: impl FnOnce(&mut Registration),
) -> SignedTransaction {
    let mut registration = Registration {
        guardian: guardian.public(),
        possession: guardian.prove_possession(chain.id, address(n)),
        validator: Some(key(n).public()),
        bond: units(500),
    };
    change(&mut registration);
    chain.tx(n, 1, vec![Message::Register(Box::new(registration))])
}

fn refusal(chain: &Chain, tx: SignedTransaction) -> Option<&'static str> {
    chain.built(vec![tx]).refused.first().map(|(_, error)| error.code())
}

/// Votes of validator `n` for two blocks at one height.
fn two_votes(chain: ChainId, n: u8, height: u64) -> Evidence {
    let vote = |block: u8| Vote {
        validators_hash: Hash([1; 32]),
        height: Height(height),
        block: BlockId(Hash([block; 32])),
    };
    let signed = [1, 2].map(|block| Signed::new(&key(n), chain, vote(block)));
    Evidence::Votes(Box::new(signed))
}

fn units(units: u128) -> Amount {
    Amount::from_units(units)
}

pub(in crate::ledger) fn guardian(n: u8) -> BlsSecretKey {
    BlsSecretKey::from_seed(&[n; 32]).unwrap()
}

fn rules() -> StakeRules {
    StakeRules {
        committee: 1,
        guardians: 4,
        min_validator: units(1_000),
        min_guardian: units(100),
        unbond: 40,
        evidence: 25,
        inactivity: 1_000,
        proposal_penalty: 5,
        bounty: units(50),
        mint: Bounded::default(),
        lottery: None,
    }
}

/// A chain with one validator, whose owner is account 3.
pub(in crate::ledger) fn staking() -> ChainSpec {
    let staker = GenesisStaker {
        owner: address(3),
        guardian: guardian(1).public(),
        validator: Some(key(0).public()),
        bond: units(1_000),
    };
    let (validators, guardians) = elect(&rules(), Height(0), &[staker.candidate()]);
    let base = spec();
    let mut accounts = base.accounts.clone().into_vec();
    accounts.iter_mut().for_each(|account| account.balances = [units(START); 2]);
    ChainSpec {
        stake: Some(rules()),
        validators: validators.unwrap(),
        guardians: guardians.unwrap(),
        accounts: Bounded::try_from(accounts).unwrap(),
        stakers: Bounded::try_from(vec![staker]).unwrap(),
        ..base
    }
}
