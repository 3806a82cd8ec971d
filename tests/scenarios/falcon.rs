//! Accounts of Falcon keys beside those of Ed25519: money goes from either to either, and nothing but the key of an address
//! moves what lies there. AME-66, AME-67, AME-69.

use antiphon_core::{
    amount::Amount,
    chain::{
        spec::Token,
        transaction::{Exchange, Message, Part, SignedTransaction, decode_transaction},
    },
    crypto::{
        AccountKey, AccountSignature, FalconSecret, Hash, PublicKey, SecretKey, Signer as _, falcon,
    },
    id::{Address, ChainId},
    payment::reservation::PoolTerms,
};
use antiphon_tests::sim::{genesis, till::Till};

const ACCOUNTS: usize = 3;
const START: u128 = genesis::ENDOWMENT;
/// What a transaction costs that a Falcon key signs.
const FALCON_FEE: u128 = 4 * genesis::FEE;

#[test]
fn everything_moves_to_a_falcon_key_which_pays_whom_it_likes() {
    let (mut till, ann, fay) = funded();
    let (old, new) = (address(&ann), fay.account_key().address());
    assert_eq!(Token::ALL.map(|token| till.balance(&old, token)), [0, 0]);
    assert_eq!(till.balance(&new, Token::Staking), START);
    assert_eq!(till.balance(&new, Token::Operational), START - genesis::FEE);

    let paid = till.sign(&fay, pay(old, 500));
    assert_eq!(till.settle(vec![paid.clone()]), []);
    assert_eq!(till.balance(&old, Token::Operational), 500);
    assert_eq!(till.balance(&new, Token::Operational), START - genesis::FEE - 500 - FALCON_FEE);
    assert_eq!(codes(&mut till, paid), ["tx/wrong-sequence"], "once");

    let mut cheap = till.sign(&fay, pay(old, 1)).body;
    cheap.max_fee = Amount::from_units(FALCON_FEE - 1);
    let cheap = SignedTransaction::new(&fay, chain(), cheap);
    assert_eq!(codes(&mut till, cheap), ["tx/fee-too-low"], "a longer signature costs more");
    assert_conserved(&till);
}

#[test]
fn both_schemes_sign_one_exchange() {
    let (mut till, ann, fay) = funded();
    let back = till.sign(&fay, pay(address(&ann), 1000));
    assert_eq!(till.settle(vec![back]), []);
    let mut givers = [address(&ann), fay.account_key().address()];
    givers.sort_unstable();
    let part = |address, units| Part { address, amount: Amount::from_units(units) };
    let exchange = Exchange {
        token: Token::Operational,
        from: givers.map(|giver| part(giver, 100)).to_vec().try_into().unwrap(),
        to: vec![part(Address([9; 20]), 200)].try_into().unwrap(),
    };
    let messages = vec![Message::Exchange(Box::new(exchange))];
    let signed = till.sign_all(&ann, &[fay], messages);
    assert_eq!(signed.body.max_fee.units(), genesis::FEE + FALCON_FEE);
    let mut alone = signed.clone();
    alone.cosignatures = vec![alone.signature.clone()].try_into().unwrap();
    assert_eq!(codes(&mut till, alone), ["tx/bad-signature"], "one for both");
    assert_eq!(till.settle(vec![signed]), []);
    assert_eq!(till.balance(&Address([9; 20]), Token::Operational), 200);
    assert_conserved(&till);
}

#[test]
fn a_foe_without_the_key_moves_nothing_of_a_falcon_account() {
    let (mut till, ann, fay) = funded();
    let (foe, foes_falcon) = (ann, FalconSecret::new(&[66; 32], [6; 32]));
    let good = till.sign(&fay, pay(address(&foe), 500));
    let AccountKey::Falcon(name) = fay.account_key() else { panic!("a Falcon key") };
    let digest = good.body.id(chain()).0;
    let with = |signature| SignedTransaction { signature, ..good.clone() };
    // The foe's own keys, of either scheme.
    let mut foes = vec![with(foe.sign_account(digest)), with(foes_falcon.sign_account(digest))];
    // The owner's key before the foe's signature, and the owner's signature of something else.
    let (shown, forged) = (bytes(&good), bytes(&with(foes_falcon.sign_account(digest))));
    let place = shown.len() - 4 - falcon::SIGNATURE_BYTES;
    foes.push(decode_transaction(&[&shown[..place], &forged[place..]].concat()).unwrap());
    foes.push(with(fay.sign_account(Hash([9; 32]))));
    foes.push(with(fay.sign_account(till.sign(&fay, pay(address(&foe), 499)).body.id(chain()).0)));
    // The owner's signature, altered a little: in its nonce, its body and its padding.
    for at in [place, place + 1, place + 40, place + 700, shown.len() - 5] {
        let mut altered = shown.clone();
        altered[at] ^= 1;
        foes.push(decode_transaction(&altered).unwrap());
    }
    for forged in foes {
        assert_eq!(forged.body, good.body);
        assert_eq!(codes(&mut till, forged), ["tx/bad-signature"]);
    }
    // The same 32 bytes named as a key of the other scheme: whoever can sign by Ed25519 under any point gets at nothing.
    let mut other = good.body.clone();
    other.sender = AccountKey::Ed25519(PublicKey(name.0));
    assert_ne!(other.sender.address(), fay.account_key().address());
    other.sequence = 1;
    for signature in [fay.sign_account(digest), foe.sign_account(digest)] {
        let tx = SignedTransaction { body: other.clone(), signature, ..good.clone() };
        assert_ne!(codes(&mut till, tx), Vec::<&str>::new());
    }
    let before = Token::ALL.map(|token| till.balance(&fay.account_key().address(), token));
    assert_eq!(before, [START, START - genesis::FEE]);
    assert_eq!(till.settle(vec![good]), [], "the owner's own still goes");
    assert_conserved(&till);
}

#[test]
fn an_ed25519_account_is_not_opened_by_a_falcon_signature() {
    let mut till = till();
    let [ann, _] = keys();
    let good = till.sign(&ann, pay(Address([9; 20]), 5));
    let digest = good.body.id(chain()).0;
    let foe = FalconSecret::new(&[66; 32], [6; 32]);
    let forged = SignedTransaction { signature: foe.sign_account(digest), ..good.clone() };
    assert_eq!(codes(&mut till, forged), ["tx/bad-signature"]);
    let mut renamed = good.body.clone();
    renamed.sender = AccountKey::Falcon(Hash(ann.public().0));
    let renamed = SignedTransaction { body: renamed, ..good };
    assert_ne!(codes(&mut till, renamed), Vec::<&str>::new());
    assert_conserved(&till);
}

#[test]
fn two_signatures_of_one_body_are_one_transaction() {
    let (mut till, ann, fay) = funded();
    let first = till.sign(&fay, pay(address(&ann), 5));
    // The same key in another process.
    let again =
        SignedTransaction::new(&FalconSecret::new(&[7; 32], [8; 32]), chain(), first.body.clone());
    assert_ne!(first, again);
    assert_eq!(first.body.id(chain()), again.body.id(chain()));
    assert_eq!(till.settle(vec![first]), []);
    assert_eq!(codes(&mut till, again), ["tx/wrong-sequence"]);
    assert_eq!(till.balance(&address(&ann), Token::Operational), 5);
}

#[test]
fn a_falcon_key_opens_no_pool_for_vouchers_are_signed_by_ed25519() {
    let (mut till, ann, fay) = funded();
    let terms = PoolTerms {
        creator: ann.public(),
        nonce: 1,
        resource: antiphon_core::id::StreamId::default(),
        deposit: Amount::from_units(100),
        collateral: Amount::from_units(200),
        end_height: antiphon_core::id::Height(100),
        only: None,
    };
    let tx = till.sign(&fay, Message::CreatePool(terms));
    assert_eq!(codes(&mut till, tx), ["tx/not-creator"]);
}

fn till() -> Till {
    Till::new(genesis::spec(1000, ACCOUNTS))
}

fn chain() -> ChainId {
    genesis::spec(1000, ACCOUNTS).chain_id()
}

/// A ledger on which the first account has moved everything to a Falcon key, and both keys.
fn funded() -> (Till, SecretKey, FalconSecret) {
    let (mut till, [ann, _]) = (till(), keys());
    let fay = FalconSecret::new(&[7; 32], [9; 32]);
    let to = fay.account_key().address();
    let all = [(Token::Staking, START), (Token::Operational, START - genesis::FEE)];
    let all = all.map(|(token, units)| Message::Transfer {
        token,
        to,
        amount: Amount::from_units(units),
    });
    let moved = till.sign_all(&ann, &[] as &[SecretKey], all.to_vec());
    assert!(matches!(moved.signature, AccountSignature::Ed25519(_)));
    assert_eq!(till.settle(vec![moved]), []);
    (till, ann, fay)
}

fn keys() -> [SecretKey; 2] {
    [0, 1].map(genesis::account)
}

fn address(key: &SecretKey) -> Address {
    Address::of(&key.public())
}

fn pay(to: Address, units: u128) -> Message {
    Message::Transfer { token: Token::Operational, to, amount: Amount::from_units(units) }
}

fn bytes(tx: &SignedTransaction) -> Vec<u8> {
    tx.to_bytes()
}

/// Settles a block with this candidate and returns why it was left out.
fn codes(till: &mut Till, tx: SignedTransaction) -> Vec<&'static str> {
    till.settle(vec![tx]).into_iter().map(|(_, error)| error.code()).collect()
}

fn assert_conserved(till: &Till) {
    for token in Token::ALL {
        assert_eq!(till.count(token), ACCOUNTS as u128 * START, "{token:?}");
    }
}
