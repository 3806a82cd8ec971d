#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

use super::*;
use crate::{
    bft::message::Block,
    ledger::tests::{
        chain::{Chain, address, spec},
        stake::{guardian, staking},
    },
};
use antiphon_core::{
    amount::Amount,
    chain::{
        certificate::{FinalityVote, Signers},
        lottery::Draw,
        spec::ChainSpec,
        stake::{StakeRules, Staker},
        state::{StateKey, Supply},
        upgrade::{Upgrade, UpgradeRules},
    },
    id::Epoch,
};

/// What a checkpoint may mint for winners.
const POT: u128 = 1_000;
/// What is left of it for them where all signatures were shown.
const PRIZES: u128 = POT - POT / 10;

#[test]
fn a_block_without_its_proposers_reveal_is_none() {
    let mut chain = Chain::of(drawn());
    let other = guardian(2).sign(reveal_digest(&chain, 1));
    let late = guardian(1).sign(reveal_digest(&chain, 2));
    for (code, reveal) in [
        ("carried/no-reveal", None),
        ("carried/bad-reveal", Some(other)),
        ("carried/bad-reveal", Some(late)),
    ] {
        let carried = Carried { reveal, ..Carried::default() };
        assert_eq!(execute(&mut chain, carried).err(), Some(code));
    }
    let right = revealed(&chain);
    assert_eq!(execute(&mut chain, right), Ok(()));
    let mix: Hash = chain.row(&StateKey::beacon(chain.id)).unwrap();
    assert_ne!(mix, Hash::default());
}

#[test]
fn a_chain_without_such_rules_takes_nothing() {
    let mut chain = Chain::of(spec());
    let reveal = Some(guardian(1).sign(reveal_digest(&chain, 1)));
    let finality = Some(certificate(&chain, Height(1), BlockId::default()));
    for carried in [
        Carried { reveal, ..Carried::default() },
        Carried { finality, ..Carried::default() },
        Carried { rules: 1, ..Carried::default() },
    ] {
        assert_eq!(execute(&mut chain, carried).err(), Some("carried/unwanted"));
    }
}

#[test]
fn the_order_is_drawn_anew_at_each_checkpoint_and_nowhere_else() {
    let mut chain = Chain::of(drawn());
    let mut orders = vec![Hash::default()];
    for height in 1..=30 {
        let carried = revealed(&chain);
        execute(&mut chain, carried).unwrap();
        let order = chain.ledger.next_above(&chain.head.1).unwrap().order;
        let is_new = orders.last() != Some(&order);
        assert_eq!(is_new, height % 10 == 0, "at {height}");
        if is_new {
            orders.push(order);
        }
    }
    assert_eq!(orders.len(), 4);
}

#[test]
fn who_signed_a_checkpoint_is_drawn_at_the_next_and_paid_from_the_pot() {
    let mut chain = Chain::of(drawn());
    let checkpoint = grow(&mut chain, 10);
    let certificate = certificate(&chain, Height(10), checkpoint);
    let shown = Carried { finality: Some(certificate.clone()), ..revealed(&chain) };
    execute(&mut chain, shown).unwrap();
    let draw: Draw = chain.row(&StateKey::draw(chain.id)).unwrap();
    // All guardians signed, so the proposer has its tenth of the pot.
    assert_eq!((draw.checkpoint, draw.rolled), (Height(10), Amount::from_units(PRIZES)));
    let again = Carried { finality: Some(certificate), ..revealed(&chain) };
    assert_eq!(execute(&mut chain, again).err(), Some("carried/wrong-checkpoint"), "once");
    grow(&mut chain, 20);
    // The only guardian wins for sure; each of two prizes is half of the pot.
    let staker: Staker = chain.row(&StateKey::staker(chain.id, &address(3))).unwrap();
    assert_eq!(staker.unclaimed, Amount::from_units(PRIZES / 2));
    let draw: Draw = chain.row(&StateKey::draw(chain.id)).unwrap();
    assert_eq!(draw.rolled, Amount::from_units(PRIZES / 2), "the rest rolls over");
    grow(&mut chain, 30);
    let draw: Draw = chain.row(&StateKey::draw(chain.id)).unwrap();
    assert_eq!(draw.rolled, Amount::from_units(PRIZES / 2 + POT), "nobody showed a certificate");
    let supply: Supply = chain.row(&StateKey::supply(chain.id)).unwrap();
    let [staking, operational] = supply.minted;
    assert_eq!((staking, operational), (Amount::ZERO, Amount::from_units(POT - PRIZES / 2)));
}

#[test]
fn only_a_certificate_of_the_newest_checkpoint_that_holds_says_who_takes_part() {
    let mut chain = Chain::of(drawn());
    let first = grow(&mut chain, 10);
    let second = grow(&mut chain, 20);
    let good = certificate(&chain, Height(20), second);
    let other = BlockId(Hash([9; 32]));
    let mut torn = good.clone();
    torn.signature = certificate(&chain, Height(10), first).signature;
    let nobody = FinalityCertificate { signers: Signers::bitmap(1, []).unwrap(), ..good };
    for (code, certificate) in [
        ("carried/wrong-checkpoint", certificate(&chain, Height(10), first)),
        ("carried/wrong-checkpoint", certificate(&chain, Height(20), other)),
        ("carried/wrong-checkpoint", certificate(&chain, Height(30), second)),
        ("certificate/bad-signature", torn),
        ("certificate/below-quorum", nobody),
    ] {
        let carried = Carried { finality: Some(certificate), ..revealed(&chain) };
        assert_eq!(execute(&mut chain, carried).err(), Some(code));
    }
    let carried = Carried { finality: Some(good), ..revealed(&chain) };
    assert_eq!(execute(&mut chain, carried), Ok(()));
}

#[test]
fn software_that_does_not_know_the_rules_that_hold_stops() {
    let rules = UpgradeRules { window: 5, percent: 80, grace: 3 };
    let mut chain = Chain::of(ChainSpec { upgrade: Some(rules), ..spec() });
    let say = |rules| Carried { rules, ..Carried::default() };
    for known in [KNOWN_RULES, KNOWN_RULES + 1, 9, 9, 9] {
        execute(&mut chain, say(known)).unwrap();
    }
    let upgrade: Upgrade = chain.row(&StateKey::upgrade(chain.id)).unwrap();
    assert_eq!(upgrade.decided, Some((KNOWN_RULES + 1, Height(8))));
    for _ in 6..8 {
        execute(&mut chain, say(9)).unwrap();
    }
    assert_eq!(execute(&mut chain, say(9)).err(), Some("ledger/outdated"));
    let request = chain.request();
    let built = chain.ledger.build(&request, say(9), Vec::new());
    assert!(matches!(built, Err(ExecuteError::Outdated { .. })), "nor can it propose");
}

#[test]
fn a_spec_that_draws_without_stakers_or_changes_by_a_minority_is_refused() {
    use crate::ledger::{GenesisError, genesis};
    let drawn = ChainSpec { order: ProposerOrder::CommitReveal, ..spec() };
    assert_eq!(genesis(&drawn).unwrap_err(), GenesisError::NoBeacon);
    let rules = UpgradeRules { window: 100, percent: 50, grace: 2000 };
    let minority = ChainSpec { upgrade: Some(rules), ..spec() };
    assert_eq!(genesis(&minority).unwrap_err(), GenesisError::BadUpgrade);
}

/// A chain of one staker that draws orders, and two winners a checkpoint.
fn drawn() -> ChainSpec {
    let base = staking();
    let pot = Amount::from_units(POT);
    let lottery = Some(LotteryRules { winners: 2, pot, proposer_percent: 10 });
    let stake = base.stake.clone().map(|rules| StakeRules { lottery, ..rules });
    ChainSpec { order: ProposerOrder::CommitReveal, stake, ..base }
}

fn reveal_digest(chain: &Chain, above: u64) -> Hash {
    Reveal { epoch: Epoch(chain.head.0.0 + above) }.digest(chain.id)
}

/// What the proposer of the next block must carry.
fn revealed(chain: &Chain) -> Carried {
    let reveal = Some(guardian(1).sign(reveal_digest(chain, 1)));
    Carried { reveal, ..Carried::default() }
}

/// Settles blocks up to a height and returns the last.
fn grow(chain: &mut Chain, height: u64) -> BlockId {
    while chain.head.0 < Height(height) {
        let carried = revealed(chain);
        execute(chain, carried).unwrap();
    }
    chain.head.1
}

fn certificate(chain: &Chain, height: Height, block: BlockId) -> FinalityCertificate {
    let set = &chain.ledger.spec().guardians;
    let vote = FinalityVote { guardians_hash: set.hash(chain.id), height, block };
    let signature = guardian(1).sign(vote.digest(chain.id));
    let signers = Signers::bitmap(1, [0]).unwrap();
    FinalityCertificate { height, block, signers, signature }
}

/// Settles an empty block that carries this. The header commits what execution gives, so that only what is carried can be
/// wrong.
fn execute(chain: &mut Chain, carried: Carried) -> Result<(), &'static str> {
    let request = chain.request();
    let session = chain.ledger.session(&request).unwrap();
    let finished = chain.ledger.finish(session, &request, &carried);
    let (state_root, executed) = finished.map_err(|error| error.code())?;
    let mut block: Block = chain.block(Vec::new(), state_root);
    let header = &mut block.signed.header;
    (header.carried, header.cp_link) = (carried.hash(chain.id), request.checkpoint);
    (header.next_order, header.epoch) = (executed.next.order, request.epoch);
    header.next_validators_hash = executed.next.validators;
    header.next_guardians_hash = executed.next.guardians;
    block.carried = carried;
    chain.ledger.execute(block.id(), &block).map_err(|error| error.code())?;
    chain.store(&block);
    chain.head = (block.height(), block.id());
    Ok(())
}
