//! Pools of an account, read from blocks, by an honest source and by liars.

use super::*;
use crate::{id::StreamId, payment::reservation::PoolTerms};

/// The account that is asked about, and another.
const OWN: u8 = 1;
const OTHER: u8 = 2;

fn key(of: u8) -> SecretKey {
    SecretKey::from_bytes(&[of; 32])
}

fn address() -> Address {
    Address::of(&key(OWN).public())
}

fn terms(of: u8, nonce: u64) -> PoolTerms {
    PoolTerms {
        creator: key(of).public(),
        nonce,
        resource: StreamId::default(),
        deposit: Amount::from_units(100),
        collateral: Amount::from_units(102),
        end_height: Height(900),
        only: None,
    }
}

fn open(chain: ChainId, of: u8, nonces: &[u64]) -> SignedTransaction {
    let messages: Vec<_> = nonces.iter().map(|n| Message::CreatePool(terms(of, *n))).collect();
    let body = Transaction {
        sender: key(of).public().into(),
        sequence: 1,
        reference_height: Height(1),
        reference_block: BlockId::default(),
        scope: Text::try_from("").unwrap(),
        max_fee: Amount::from_units(1),
        cosigners: Bounded::new(),
        messages: Bounded::try_from(messages).unwrap(),
    };
    SignedTransaction::new(&key(of), chain, body)
}

/// A chain whose account has opened pools 1 and 2 in block 3, and 3 in block 27; somebody else one in each.
struct Past {
    world: World,
    state: State,
    bodies: BTreeMap<BlockId, Body>,
}

fn past(sequence: u64) -> Past {
    let mut world = World::new(0);
    let chain = world.chain();
    let account = Account { sequence, balances: [Amount::ZERO; 2] };
    let key = StateKey::account(chain, &address());
    let state = State(BTreeMap::from([(key, encode(&account))]));
    let root = state.with_tree(|root, _| root);
    let mut bodies = BTreeMap::new();
    for height in 1..=35 {
        let sent = match height {
            3 => vec![open(chain, OTHER, &[7]), open(chain, OWN, &[1, 2])],
            27 => vec![open(chain, OWN, &[3]), open(chain, OTHER, &[8])],
            33 => vec![open(chain, OTHER, &[9])],
            _ => Vec::new(),
        };
        let bytes = sent.iter().map(|tx| Bounded::try_from(tx.to_bytes()).unwrap());
        let body = Body::try_from(bytes.collect::<Vec<_>>()).unwrap();
        let leaves: Vec<_> = body.iter().map(|tx| merkle::leaf_hash(tx)).collect();
        world.push(|header| {
            header.state_root = root;
            header.tx_root = merkle::root(&leaves);
        });
        bodies.insert(world.header(height).id(), body);
    }
    Past { world, state, bodies }
}

impl Past {
    /// Asks a source that is honest but about what `lie` changes.
    fn find(&self, lie: impl Fn(&File, Vec<u8>) -> Told) -> Result<PoolsFound, LookupError> {
        let serve = |file: &File| {
            let honest = match file {
                File::Body(id) => encode(&self.bodies[id]),
                _ => self.world.honest(file, 30),
            };
            lie(file, honest)
        };
        let prove = |keys: &[u8]| encode(&self.state.prove(keys));
        match ask((&self.world, 30), Question::PoolsOf(address()), serve, prove)? {
            Found::Pools(found) => Ok(found),
            other => panic!("{other:?}"),
        }
    }

    fn is_body_of(&self, file: &File, height: usize) -> bool {
        *file == File::Body(self.world.header(height).id())
    }
}

fn nonces(found: &PoolsFound) -> Vec<u64> {
    found.pools.iter().map(|(_, terms)| terms.nonce).collect()
}

#[test]
fn every_pool_of_the_account_is_found_and_no_block_below_its_first_is_read() {
    let past = past(2);
    let found = past.find(|_, honest| Some(honest)).unwrap();
    assert_eq!((nonces(&found), found.is_whole), (vec![3, 1, 2], true));
    assert_eq!((found.from, found.proven.height), (Height(3), Height(33)), "the settled head");
    let chain = past.world.chain();
    assert!(
        found
            .pools
            .iter()
            .all(|(id, terms)| *id == terms.id(chain) && terms.creator == key(OWN).public())
    );
    let one_by_one = |file: &File, honest| match file {
        File::Span(_) => None,
        _ => Some(honest),
    };
    assert_eq!(past.find(one_by_one), Ok(found), "spans only save requests");
}

#[test]
fn who_has_sent_nothing_is_answered_at_once() {
    let found = past(0).find(|file, _| panic!("{file:?} is not needed")).unwrap();
    assert_eq!((nonces(&found), found.is_whole, found.from), (vec![], true, Height(34)));
}

#[test]
fn what_is_withheld_is_never_said_to_be_all() {
    let past = past(2);
    let no_body = past.find(|f, honest| (!past.is_body_of(f, 3)).then_some(honest)).unwrap();
    assert_eq!((nonces(&no_body), no_body.is_whole, no_body.from), (vec![3], false, Height(4)));
    let newest = past.find(|f, honest| (!past.is_body_of(f, 27)).then_some(honest)).unwrap();
    assert_eq!((nonces(&newest), newest.is_whole, newest.from), (vec![], false, Height(28)));
    let pruned = past.world.header(11).id();
    let no_header = |file: &File, honest| match file {
        File::Span(_) => None,
        File::Header(id) if *id == pruned => None,
        _ => Some(honest),
    };
    let no_header = past.find(no_header).unwrap();
    assert_eq!(
        (nonces(&no_header), no_header.is_whole, no_header.from),
        (vec![3], false, Height(12))
    );
    let head = past.find(|f, honest| (!past.is_body_of(f, 33)).then_some(honest));
    assert_eq!(head, Err(LookupError::Missing), "to be asked again: nodes keep the newest");
    // The account has sent more than there are blocks that show it.
    let more = self::past(3).find(|_, honest| Some(honest)).unwrap();
    assert_eq!((nonces(&more), more.is_whole, more.from), (vec![3, 1, 2], false, Height(1)));
}

#[test]
fn blocks_and_accounts_of_a_liar_are_refused() {
    let past = past(2);
    let others = Body::new();
    let swapped = past.find(|file, honest| match past.is_body_of(file, 27) {
        true => Some(encode(&others)),
        false => Some(honest),
    });
    assert_eq!(swapped, Err(LookupError::WrongBody));
    let forged = past.find(|file, honest| match file {
        File::Span(_) => None,
        File::Header(_) => {
            let mut header: Header = codec::decode(&honest, 1 << 16).unwrap();
            header.tx_root = merkle::root(&[]);
            Some(encode(&header))
        }
        _ => Some(honest),
    });
    assert_eq!(forged, Err(LookupError::Light(LightError::WrongContent)));
    // Who says that the account has sent nothing must prove it.
    let serve = |file: &File| Some(past.world.honest(file, 30));
    let none = |keys: &[u8]| {
        let mut proofs = past.state.prove(keys).into_vec();
        proofs[0].value = None;
        encode(&StateProofs::try_from(proofs).unwrap())
    };
    let found = ask((&past.world, 30), Question::PoolsOf(address()), serve, none);
    assert!(matches!(found, Err(LookupError::Proof(_))), "{found:?}");
}
