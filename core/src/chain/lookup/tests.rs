//! A real chain asked about its past, by an honest source and by every liar.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a liar lies about one file and is honest about the rest"
)]

mod pools;

use super::*;
use crate::{
    amount::Amount,
    chain::{
        certificate::{CertificateError, Signers},
        light::{Body, Checkpoint, LightError, MAX_SPAN, Span, tests},
        proof::{MAX_KEYS, MAX_PROOFS, Path, StateProofError, StateProofs},
        spec::Token,
        stake::{Bond, RosterPage, StakeRules, Staker},
        state::Account,
        transaction::{Message, SignedTransaction, Transaction},
    },
    codec::{self, Bounded, Text, encode},
    crypto::{Hash, SecretKey, merkle},
    id::FieldId,
};
use alloc::collections::BTreeMap;
use alloc::vec;
use jmt::{KeyHash, Sha256Jmt, mock::MockTreeStore};
use tests::World;

const ID: LookupId = LookupId(1);

/// Changes honest proofs.
type Lie<'a> = &'a dyn Fn(&mut Vec<StateProof>);
/// What a source tells: a file, or that it has none.
type Told = Option<Vec<u8>>;

/// The state of the test chain, and the root that its headers commit.
struct State(BTreeMap<StateKey, Vec<u8>>);

impl State {
    fn with_tree<T>(&self, act: impl FnOnce(Hash, &Sha256Jmt<'_, MockTreeStore>) -> T) -> T {
        let store = MockTreeStore::default();
        let tree = Sha256Jmt::new(&store);
        let filler = (0..9).map(|n| (KeyHash([n * 28; 32]), Some(vec![1])));
        let entries = self.0.iter().map(|(k, v)| (KeyHash(k.0.0), Some(v.clone())));
        let (root, batch) = tree.put_value_set(entries.chain(filler), 0).unwrap();
        store.write_tree_update_batch(batch).unwrap();
        act(Hash(root.0), &tree)
    }

    fn prove(&self, keys: &[u8]) -> StateProofs {
        let keys: Bounded<StateKey, MAX_KEYS> = codec::decode(keys, MAX_PROOFS).unwrap();
        self.with_tree(|_, tree| {
            let prove = |key: &StateKey| {
                let (value, proof) = tree.get_with_proof(KeyHash(key.0.0), 0).unwrap();
                let path = Path::from_jmt(&borsh::to_vec(&proof).unwrap()).unwrap();
                StateProof { value: value.map(|v| Bounded::try_from(v).unwrap()), path }
            };
            let proofs: Vec<_> = keys.iter().map(prove).collect();
            StateProofs::try_from(proofs).unwrap()
        })
    }
}

/// Follows `world` up to `finalised`, asks, and answers until there is an answer.
fn ask(
    (world, finalised): (&World, usize),
    question: Question,
    serve: impl Fn(&File) -> Told,
    prove: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<Found, LookupError> {
    let (light, _) = tests::run(world, |file| world.honest(file, finalised));
    let (mut lookups, mut out) = (Lookups::default(), Vec::new());
    lookups.ask(&light, ID, question, &mut out);
    for _ in 0..500 {
        assert_eq!(out.len(), 1, "one thing at a time");
        match out.remove(0) {
            Output::Fetch(id, file) => {
                let told = serve(&file);
                lookups.handle(&light, Input::File(id, file, told), &mut out);
            }
            Output::Ask(proof, Query::Prove { keys, .. }) => {
                lookups.handle(&light, Input::Answered(proof, prove(&keys)), &mut out);
            }
            Output::Ask(..) => panic!("a look-up only asks for proofs"),
            Output::Found(_, found) => return Ok(*found),
            Output::Lost(_, error) => return Err(error),
        }
    }
    panic!("asks for ever");
}

fn nothing(_: &[u8]) -> Vec<u8> {
    panic!("no state is needed")
}

/// Asks an honest source, except about what `lie` changes.
fn block(
    (world, finalised): (&World, usize),
    height: u64,
    lie: impl Fn(&File, Vec<u8>) -> Told,
) -> Result<BlockFound, LookupError> {
    let serve = |file: &File| lie(file, world.honest(file, finalised));
    match ask((world, finalised), Question::Block(Height(height)), serve, nothing)? {
        Found::Block(found) => Ok(*found),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_is_found_by_the_nearest_certificate_and_the_hashes_below_it() {
    let world = World::new(45);
    let found = block((&world, 40), 13, |_, honest| Some(honest)).unwrap();
    let way = Way { head: Height(40), certificate: Some(Height(20)), links: 0, parents: 7 };
    assert_eq!((found.proven.level, found.proven.way), (Level::Final, way));
    assert_eq!(found.header, world.headers[12]);
    assert_eq!((found.proven.block, found.proven.root), (found.header.id(), Hash([1; 32])));
    assert_eq!(found.signed.unwrap().places, [0, 1, 2]);
    assert_eq!(found.transactions, Some(Vec::new()));
}

#[test]
fn what_is_above_the_final_checkpoint_is_believed_as_far_as_the_head_above_it() {
    let world = World::new(25);
    let at = |height| block((&world, 20), height, |_, honest| Some(honest)).map(|f| f.proven.level);
    assert_eq!(at(20), Ok(Level::Final));
    assert_eq!(at(21), Ok(Level::Settled));
    assert_eq!(at(23), Ok(Level::Settled));
    assert_eq!(at(24), Ok(Level::Included));
    assert_eq!(at(26), Err(LookupError::Ahead));
    let newest = block((&world, 20), 25, |_, honest| Some(honest)).unwrap();
    assert_eq!(newest.signed, None, "nothing stands on it yet");
}

#[test]
fn a_list_of_blocks_says_of_each_how_far_it_is_believed() {
    let world = World::new(25);
    let list = |height| {
        let question = Question::Blocks(Height(height));
        match ask((&world, 20), question, |file| Some(world.honest(file, 20)), nothing).unwrap() {
            Found::Blocks(all) => all,
            other => panic!("{other:?}"),
        }
    };
    let (newest, older) = (list(25), list(20));
    let seen: Vec<_> = newest.iter().map(|(p, h)| (h.height.0, p.level, p.way.parents)).collect();
    let (included, settled) = (Level::Included, Level::Settled);
    let expected = [
        (25, included, 0),
        (24, included, 1),
        (23, settled, 0),
        (22, settled, 1),
        (21, settled, 2),
    ];
    assert_eq!(seen, expected);
    assert_eq!((older.len(), older[0].1.height.0, older[9].1.height.0), (10, 20, 11));
    assert!(
        older.iter().all(|(proven, header)| {
            proven.level == Level::Final && proven.block == header.id()
        })
    );
}

#[test]
fn without_a_certificate_of_its_own_a_checkpoint_is_reached_by_links() {
    let world = World::new(45);
    let only_newest = |file: &File, honest| match file {
        File::Final(_) => None,
        _ => Some(honest),
    };
    let found = block((&world, 40), 13, only_newest).unwrap();
    let way = Way { head: Height(40), certificate: None, links: 2, parents: 7 };
    assert_eq!((found.proven.level, found.proven.way), (Level::Final, way));
    // Nor are spans needed: they only save requests.
    let nothing_bundled = |file: &File, honest| match file {
        File::Final(_) | File::Span(_) => None,
        _ => Some(honest),
    };
    assert_eq!(block((&world, 40), 13, nothing_bundled).unwrap().proven.way, way);
}

#[test]
fn a_forged_header_is_no_answer_whichever_way_it_comes() {
    let world = World::new(45);
    let forged = |height: usize| {
        let mut header = world.headers[height - 1].clone();
        header.state_root = Hash([9; 32]);
        header
    };
    let in_span = |file: &File, honest: Vec<u8>| match file {
        File::Span(_) => {
            let mut span = codec::decode::<Span>(&honest, MAX_SPAN).unwrap().into_vec();
            span.iter_mut().filter(|h| h.height.0 == 13).for_each(|h| *h = forged(13));
            Some(encode(&Span::try_from(span).unwrap()))
        }
        File::Header(_) => Some(encode(&forged(13))),
        _ => Some(honest),
    };
    let refused = Err(LookupError::Light(LightError::WrongContent));
    assert_eq!(block((&world, 40), 13, in_span), refused);
    let alone = |file: &File, honest| match file {
        File::Span(_) => None,
        File::Header(_) => Some(encode(&forged(19))),
        _ => Some(honest),
    };
    assert_eq!(block((&world, 40), 13, alone), refused);
}

#[test]
fn a_checkpoint_that_too_few_or_others_signed_is_not_leapt_to() {
    let world = World::new(45);
    let height =
        |file: &File| if let File::Final(at) = file { usize::try_from(at.0).ok() } else { None };
    let too_few = |file: &File, honest| {
        Some(
            height(file)
                .map_or(honest, |at| encode(&world.finalise(world.header(at), &[0, 1, 2, 3]))),
        )
    };
    let error = CertificateError::BelowQuorum { weight: 4, quorum: 5 };
    assert_eq!(block((&world, 40), 13, too_few), Err(error.into()));
    let other_block = |file: &File, honest| {
        Some(height(file).map_or(honest, |at| {
            let mut held = world.finalise(world.header(at), &[0, 1, 2, 3, 4]);
            held.header.state_root = Hash([9; 32]);
            encode(&held)
        }))
    };
    let refused = Err(LookupError::Light(LightError::WrongBlock));
    assert_eq!(block((&world, 40), 13, other_block), refused);
    // A set of its own makes a liar's certificate valid, and changes nothing: the hashes decide.
    let of_thieves = |file: &File, honest| {
        Some(height(file).map_or(honest, |at| {
            let mut header = world.header(at).clone();
            header.guardians_hash = Hash([5; 32]);
            encode(&world.finalise(&header, &[0, 1, 2, 3, 4, 5, 6]))
        }))
    };
    let found = block((&world, 40), 13, of_thieves).unwrap();
    assert_eq!((found.proven.way.certificate, found.header), (None, world.headers[12].clone()));
}

#[test]
fn too_many_links_are_refused_before_the_first_is_asked_for() {
    let world = World::new(10 * (MAX_LINKS + 2));
    let finalised = world.headers.len();
    let no_certificates = |file: &File, honest| match file {
        File::Final(_) => None,
        File::Header(_) => panic!("walks"),
        _ => Some(honest),
    };
    let found = block((&world, finalised), 3, no_certificates);
    assert_eq!(found, Err(LookupError::TooFar));
}

#[test]
fn who_signed_a_checkpoint_is_shown_by_its_own_certificate_or_not_at_all() {
    let world = World::new(45);
    let find = |height, serve: &dyn Fn(&File) -> Told| {
        ask((&world, 40), Question::Checkpoint(Height(height)), serve, nothing)
    };
    let Found::Checkpoint(found) = find(30, &|file| Some(world.honest(file, 40))).unwrap() else {
        panic!("another answer")
    };
    assert_eq!(found.header, world.headers[29]);
    assert_eq!(found.certificate.unwrap().signers.number(), 5);
    assert_eq!(found.guardians, world.spec.guardians);
    let one_more = |file: &File| {
        Some(if *file == File::Final(Height(30)) {
            let mut held: Checkpoint = world.finalise(world.header(30), &[0, 1, 2, 3, 4]);
            held.certificate.signers = Signers::bitmap(7, 0..6).unwrap();
            encode(&held)
        } else {
            world.honest(file, 40)
        })
    };
    assert_eq!(find(30, &one_more), Err(CertificateError::BadSignature.into()));
    let refused = Err(LookupError::NotCheckpoint);
    assert_eq!(find(31, &|file| Some(world.honest(file, 40))), refused);
}

#[test]
fn the_transactions_of_a_block_are_those_of_its_root() {
    let (mut world, chain) = (World::new(11), World::new(0).chain());
    let tx = |amount| {
        let key = SecretKey::from_bytes(&[1; 32]);
        let amount = Amount::from_units(amount);
        let to = Address([3; 20]);
        let body = Transaction {
            sender: key.public().into(),
            sequence: 1,
            reference_height: Height(10),
            reference_block: BlockId::default(),
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::from_units(1),
            cosigners: Bounded::new(),
            messages: Bounded::try_from(vec![Message::Transfer {
                token: Token::Operational,
                to,
                amount,
            }])
            .unwrap(),
        };
        SignedTransaction::new(&key, chain, body)
    };
    let body = |amounts: &[u128]| -> Body {
        let all: Vec<_> =
            amounts.iter().map(|a| Bounded::try_from(tx(*a).to_bytes()).unwrap()).collect();
        Bounded::try_from(all).unwrap()
    };
    let honest = body(&[5, 6]);
    let leaves: Vec<_> = honest.iter().map(|tx| merkle::leaf_hash(tx)).collect();
    world.push(|header| header.tx_root = merkle::root(&leaves));
    (0..10).for_each(|_| world.push(|_| {}));
    let serve = |body: Option<&Body>| {
        let bytes = body.map(encode);
        move |file: &File, honest| match file {
            File::Body(_) => bytes.clone(),
            _ => Some(honest),
        }
    };
    let found = block((&world, 20), 12, serve(Some(&honest))).unwrap();
    assert_eq!(found.transactions, Some(vec![tx(5), tx(6)]));
    let without = block((&world, 20), 12, serve(None)).unwrap();
    assert_eq!(without.transactions, None, "nobody serves them");
    for lie in [body(&[5]), body(&[6, 5]), body(&[5, 6, 7]), body(&[])] {
        let found = block((&world, 20), 12, serve(Some(&lie)));
        assert_eq!(found, Err(LookupError::WrongBody));
    }
}

fn rules() -> StakeRules {
    let units = Amount::from_units;
    StakeRules {
        committee: 4,
        guardians: 7,
        min_validator: units(1),
        min_guardian: units(1),
        unbond: 50,
        evidence: 30,
        inactivity: 20,
        proposal_penalty: 5,
        bounty: units(1),
        mint: Bounded::new(),
        lottery: None,
    }
}

/// A chain on which `owner` owns seven and has bonded five, and its state.
fn endowed() -> (World, State, Address) {
    let (owner, staker) = (Address([1; 20]), Address([2; 20]));
    let mut world = World::new(0);
    world.spec.stake = Some(rules());
    let chain = world.chain();
    let guardian = world.spec.guardians.members[0].key;
    let row = Staker { total: Amount::from_units(5), ..Staker::new(guardian, None, Height(0)) };
    let bond = Bond { amount: Amount::from_units(5), ..Bond::default() };
    let balances = [Amount::ZERO, Amount::from_units(7)];
    let roster = RosterPage::try_from(vec![staker]).unwrap();
    let state = State(BTreeMap::from([
        (StateKey::account(chain, &owner), encode(&Account { sequence: 3, balances })),
        (StateKey::staker(chain, &staker), encode(&row)),
        (StateKey::bond(chain, &owner, &staker), encode(&bond)),
        (StateKey::roster(chain, 0), encode(&roster)),
        (StateKey::staker(chain, &Address([6; 20])), encode(&row)),
        (StateKey::bond(chain, &Address([6; 20]), &Address([6; 20])), encode(&bond)),
    ]));
    let root = state.with_tree(|root, _| root);
    (0..12).for_each(|_| world.push(|header| header.state_root = root));
    (world, state, owner)
}

#[test]
fn an_account_with_its_bonds_is_shown_under_the_root_of_a_head() {
    let (world, state, owner) = endowed();
    let find = |address, level| {
        let question = Question::Account(address, level);
        let prove = |keys: &[u8]| encode(&state.prove(keys));
        match ask((&world, 10), question, |_| panic!("no file is needed"), prove).unwrap() {
            Found::Account(found) => found,
            other => panic!("{other:?}"),
        }
    };
    let found = find(owner, Level::Final);
    assert_eq!((found.proven.level, found.proven.height), (Level::Final, Height(10)));
    assert_eq!((found.exists, found.account.sequence), (true, 3));
    assert_eq!(found.account.balance(Token::Operational), Amount::from_units(7));
    assert_eq!(found.bonds.len(), 1);
    assert_eq!(found.bonds[0].bond.amount, Amount::from_units(5));
    assert!(found.has_all_bonds && found.staker.is_none());
    assert_eq!(found.shown.turns.last().unwrap().node, found.proven.root, "ends in the root");
    let stranger = find(Address([9; 20]), Level::Final);
    assert_eq!((stranger.exists, stranger.bonds.len()), (false, 0));
    assert_eq!(stranger.shown.turns.last().unwrap().node, stranger.proven.root);
    assert_eq!(find(owner, Level::Included).proven.height, Height(12));
    assert!(find(Address([2; 20]), Level::Final).staker.is_some());
    // Who has bonded with itself and is on no roster still sees its bond.
    let off = find(Address([6; 20]), Level::Final);
    assert_eq!((off.bonds.len(), off.bonds[0].staker), (1, Address([6; 20])));
}

#[test]
fn a_node_that_forges_an_account_a_pool_a_field_or_a_staker_is_refused() {
    let (world, state, owner) = endowed();
    let pool = Question::Pool(PoolId(Hash([4; 32])), Level::Final);
    let field = Question::Field(FieldId(Hash([4; 32])), Level::Final);
    let account = Question::Account(owner, Level::Final);
    let questions = [account, pool, field, Question::Stakers(Level::Final)];
    for question in questions {
        let lies: [Lie<'_>; 4] = [
            &|proofs| {
                let value = Account { sequence: 3, balances: [Amount::from_units(9); 2] };
                proofs[0].value = Some(Bounded::try_from(encode(&value)).unwrap());
            },
            &|proofs| proofs[0].value = None,
            &|proofs| drop(proofs.pop()),
            &|proofs| {
                let mut other = BTreeMap::new();
                other.insert(StateKey(Hash([8; 32])), vec![1]);
                let keys: Bounded<StateKey, MAX_KEYS> =
                    Bounded::try_from(vec![StateKey(Hash([8; 32])); proofs.len()]).unwrap();
                *proofs = State(other).prove(&encode(&keys)).into_vec();
            },
        ];
        for (number, lie) in lies.iter().enumerate() {
            let changed = ::core::cell::Cell::new(false);
            let prove = |keys: &[u8]| {
                let mut proofs = state.prove(keys).into_vec();
                let honest = proofs.clone();
                lie(&mut proofs);
                changed.set(changed.get() || proofs != honest);
                encode(&StateProofs::try_from(proofs).unwrap())
            };
            let found = ask((&world, 10), question, |_| None, prove);
            let is_refused = matches!(found, Err(LookupError::Proof(_)));
            assert!(is_refused || !changed.get(), "lie {number} about {question:?}: {found:?}");
        }
    }
    let short = ask((&world, 10), pool, |_| None, |_| encode(&StateProofs::new()));
    let error = StateProofError::WrongCount { expected: 1, found: 0 };
    assert_eq!(short, Err(LookupError::Proof(error)));
}

#[test]
fn a_node_that_does_not_answer_has_let_nothing_go() {
    let world = World::new(45);
    let (light, _) = tests::run(&world, |file| world.honest(file, 40));
    let is_gone = |file: &File| matches!(file, File::Span(_) | File::Header(_));
    for is_silent in [false, true] {
        let (mut lookups, mut out) = (Lookups::default(), Vec::new());
        lookups.ask(&light, ID, Question::Block(Height(13)), &mut out);
        let error = loop {
            match out.remove(0) {
                Output::Fetch(id, file) if is_gone(&file) && is_silent => {
                    lookups.handle(&light, Input::Unserved(id, File::Tip), &mut out);
                    assert_eq!(out, [], "another file than it waits for");
                    lookups.handle(&light, Input::Unserved(id, file), &mut out);
                }
                Output::Fetch(id, file) => {
                    let told = (!is_gone(&file)).then(|| world.honest(&file, 40));
                    lookups.handle(&light, Input::File(id, file, told), &mut out);
                }
                Output::Lost(ID, error) => break error,
                other => panic!("{other:?}"),
            }
        };
        let why = if is_silent { LookupError::Unreachable } else { LookupError::Missing };
        assert_eq!(error, why);
        lookups.handle(&light, Input::Unserved(ID, File::Tip), &mut out);
        assert_eq!(out, [], "it is over");
    }
}

#[test]
fn what_nobody_asked_for_and_what_is_too_much_changes_nothing() {
    let world = World::new(12);
    let (light, _) = tests::run(&world, |file| world.honest(file, 10));
    let (mut lookups, mut out) = (Lookups::default(), Vec::new());
    lookups.handle(&light, Input::File(ID, File::Tip, None), &mut out);
    lookups.handle(&light, Input::Answered(ProofId(1), Vec::new()), &mut out);
    assert_eq!(out, []);
    for id in 0..MAX_LOOKUPS as u64 {
        lookups.ask(&light, LookupId(id), Question::Block(Height(3)), &mut out);
    }
    assert!(out.iter().all(|output| matches!(output, Output::Fetch(..))));
    out.clear();
    lookups.handle(&light, Input::File(ID, File::Tip, Some(vec![1])), &mut out);
    assert_eq!(out, [], "another file than it waits for");
    lookups.ask(&light, LookupId(99), Question::Block(Height(3)), &mut out);
    assert_eq!(out, [Output::Lost(LookupId(99), LookupError::Busy)]);
}
