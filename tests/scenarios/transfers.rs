//! Transfers of several senders, and transfers that wait. ALZA-5, ALZA-17.

use antiphon_core::{
    amount::Amount,
    chain::{
        delayed::{MAX_DELAY, MAX_DUE, Progress},
        spec::Token,
        transaction::{Delay, Exchange, Message, Part, SignedTransaction},
    },
    crypto::SecretKey,
    id::Address,
};
use antiphon_tests::sim::{genesis, till::Till};

const ACCOUNTS: usize = 5;
const START: u128 = genesis::ENDOWMENT;

#[test]
fn a_swap_of_two_tokens_between_three_happens_wholly() {
    let mut till = till();
    let (keys, [ann, bob, eve]) = three();
    let tx = till.sign_all(&keys[0], &keys[1..], swap(&[ann, bob, eve], 40));
    assert_eq!(till.settle(vec![tx.clone()]), []);
    let fees = 3 * genesis::FEE;
    assert_eq!(till.balance(&ann, Token::Staking), START - 40);
    assert_eq!(
        till.balance(&ann, Token::Operational),
        START + 60 - fees,
        "the sender pays for all"
    );
    for other in [bob, eve] {
        assert_eq!(till.balance(&other, Token::Staking), START + 20);
        assert_eq!(till.balance(&other, Token::Operational), START - 30);
    }
    assert_eq!(codes(&mut till, tx), ["tx/wrong-sequence"], "once");
    assert_conserved(&till);
}

#[test]
fn a_swap_that_one_cannot_pay_changes_nothing() {
    let mut till = till();
    let (keys, [ann, bob, eve]) = three();
    // Ann can give all that she has; Bob and Eve have not one and a half times that.
    let spend = Message::Transfer {
        token: Token::Operational,
        to: eve,
        amount: Amount::from_units(START / 2),
    };
    let poor = till.sign(&keys[1], spend);
    till.settle(vec![poor]);
    let before = [ann, bob, eve].map(|owner| Token::ALL.map(|token| till.balance(&owner, token)));
    let tx = till.sign_all(&keys[0], &keys[1..], swap(&[ann, bob, eve], START));
    assert_eq!(codes(&mut till, tx), ["tx/too-poor"]);
    let after = [ann, bob, eve].map(|owner| Token::ALL.map(|token| till.balance(&owner, token)));
    assert_eq!(before, after);
}

#[test]
fn nobody_is_taken_from_without_a_signature_and_nothing_is_made_on_the_way() {
    let mut till = till();
    let (keys, [ann, bob, eve]) = three();
    let exchange = |from: &[(Address, u128)], to: &[(Address, u128)]| {
        vec![Message::Exchange(Box::new(Exchange {
            token: Token::Operational,
            from: parts(from),
            to: parts(to),
        }))]
    };
    let (low, high) = (ann.min(bob), ann.max(bob));
    let wrong = [
        ("exchange/not-signed", exchange(&[(eve, 5)], &[(ann, 5)])),
        ("exchange/unequal", exchange(&[(ann, 5)], &[(bob, 6)])),
        ("exchange/unequal", exchange(&[(ann, 6)], &[(bob, 5)])),
        ("exchange/bad-parts", exchange(&[], &[(bob, 5)])),
        ("exchange/bad-parts", exchange(&[(ann, 5)], &[])),
        ("exchange/bad-parts", exchange(&[(high, 5), (low, 5)], &[(eve, 10)])),
        ("exchange/bad-parts", exchange(&[(ann, 5), (ann, 5)], &[(eve, 10)])),
        ("tx/bad-amount", exchange(&[(ann, 0)], &[(bob, 0)])),
        ("tx/bad-amount", exchange(&[(low, u128::MAX), (high, 5)], &[(eve, 4)])),
    ];
    for (code, messages) in wrong {
        let tx = till.sign_all(&keys[0], &keys[1..2], messages);
        assert_eq!(codes(&mut till, tx), [code]);
    }
    let mut unsigned = till.sign_all(&keys[0], &keys[1..], swap(&[ann, bob, eve], 40));
    let [first, _] = &unsigned.cosignatures[..] else { panic!("two cosigners") };
    unsigned.cosignatures = vec![first.clone(), first.clone()].try_into().unwrap();
    assert_eq!(codes(&mut till, unsigned), ["tx/bad-signature"]);
    let mut cheap = till.sign_all(&keys[0], &keys[1..], swap(&[ann, bob, eve], 40)).body;
    cheap.max_fee = Amount::from_units(3 * genesis::FEE - 1);
    let chain = genesis::spec(1000, ACCOUNTS).chain_id();
    let cheap = SignedTransaction::with_cosigners(&keys[0], &keys[1..], chain, cheap);
    assert_eq!(codes(&mut till, cheap), ["tx/fee-too-low"], "a fee for each signature");
    assert_conserved(&till);
}

#[test]
fn a_delayed_transfer_is_paid_in_the_block_that_is_due_and_not_before() {
    let mut till = till();
    let (keys, [_, bob, _]) = three();
    let tx = till.sign(&keys[0], Message::Delay(delay(bob, 3, None)));
    let id = tx.body.delay_id(genesis::spec(1000, ACCOUNTS).chain_id(), 0);
    till.settle(vec![tx]);
    for _ in 0..2 {
        assert_eq!(till.delayed(id).map(|d| d.progress), Some(Progress::Waiting));
        till.settle(Vec::new());
        assert_conserved(&till);
    }
    assert_eq!(till.balance(&bob, Token::Operational), START);
    till.settle(Vec::new());
    assert_eq!(till.delayed(id).map(|d| d.progress), Some(Progress::Paid));
    assert_eq!(till.balance(&bob, Token::Operational), START + 500);
    let late = till.sign(&keys[0], Message::Cancel(id));
    assert_eq!(codes(&mut till, late), ["delay/over"]);
    assert_conserved(&till);
}

#[test]
fn sender_and_guard_can_cancel_until_it_is_due_and_nobody_else() {
    let chain = genesis::spec(1000, ACCOUNTS).chain_id();
    for by in [0, 2] {
        let mut till = till();
        let (keys, [ann, bob, eve]) = three();
        let tx = till.sign(&keys[0], Message::Delay(delay(bob, 2, Some(eve))));
        let id = tx.body.delay_id(chain, 0);
        till.settle(vec![tx]);
        let strange = till.sign(&keys[1], Message::Cancel(id));
        assert_eq!(codes(&mut till, strange), ["delay/not-yours"], "nor by who would get it");
        // The next block is the one that is due: the last chance.
        let cancel = till.sign(&keys[by], Message::Cancel(id));
        assert_eq!(till.settle(vec![cancel]), []);
        assert_eq!(till.delayed(id).map(|d| d.progress), Some(Progress::Cancelled));
        till.settle(Vec::new());
        assert_eq!(till.balance(&bob, Token::Operational), START);
        let fees = if by == 0 { 2 } else { 1 } * genesis::FEE;
        assert_eq!(till.balance(&ann, Token::Operational), START - fees);
        let again = till.sign(&keys[by], Message::Cancel(id));
        assert_eq!(codes(&mut till, again), ["delay/over"]);
        assert_conserved(&till);
    }
}

#[test]
fn a_height_takes_only_so_many_delayed_transfers_and_no_delay_is_endless() {
    let mut till = till();
    let (keys, [_, bob, _]) = three();
    for blocks in [0, MAX_DELAY + 1, u64::MAX] {
        let tx = till.sign(&keys[0], Message::Delay(delay(bob, blocks, None)));
        assert_eq!(codes(&mut till, tx), ["delay/bad-delay"]);
    }
    // Four senders in four blocks, each one nearer to the height that they fill.
    for sender in 0..4 {
        let message = Message::Delay(delay(bob, 9 - sender as u64, None));
        let many = vec![message; MAX_DUE / 4];
        let tx = till.sign_all(&genesis::account(sender), &[] as &[SecretKey], many);
        assert_eq!(till.settle(vec![tx]), []);
    }
    let tx = till.sign(&keys[0], Message::Delay(delay(bob, 5, None)));
    assert_eq!(codes(&mut till, tx), ["delay/height-full"]);
    let next = till.sign(&keys[0], Message::Delay(delay(bob, 5, None)));
    assert_eq!(till.settle(vec![next]), [], "the next height has room");
}

fn till() -> Till {
    Till::new(genesis::spec(1000, ACCOUNTS))
}

/// Ann, Bob and Eve.
fn three() -> (Vec<SecretKey>, [Address; 3]) {
    let keys: Vec<_> = (0..3).map(genesis::account).collect();
    let addresses = [0, 1, 2].map(|n: usize| Address::of(&keys[n].public()));
    (keys, addresses)
}

/// The first gives so many staking tokens to the others, who give one and a half as many operational ones for them.
fn swap(of: &[Address; 3], units: u128) -> Vec<Message> {
    let [ann, bob, eve] = *of;
    let exchange = |token, from: &[_], to: &[_]| {
        Message::Exchange(Box::new(Exchange { token, from: parts(from), to: parts(to) }))
    };
    let (low, high) = (bob.min(eve), bob.max(eve));
    let each = |units| [(low, units), (high, units)];
    vec![
        exchange(Token::Staking, &[(ann, units)], &each(units / 2)),
        exchange(Token::Operational, &each(units / 4 * 3), &[(ann, units / 4 * 6)]),
    ]
}

fn parts<const MAX: usize>(of: &[(Address, u128)]) -> antiphon_core::codec::Bounded<Part, MAX> {
    let part = |(address, units): &(Address, u128)| Part {
        address: *address,
        amount: Amount::from_units(*units),
    };
    of.iter().map(part).collect::<Vec<_>>().try_into().unwrap()
}

fn delay(to: Address, blocks: u64, guard: Option<Address>) -> Delay {
    Delay { token: Token::Operational, to, amount: Amount::from_units(500), blocks, guard }
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
