//! A page looks around in the chain of a whole network, and sees what the nodes hold, each with what proves it.

use antiphon_core::{
    amount::Amount,
    chain::{Level, spec::Token},
    client::{Command, Found, Question},
    id::{Address, Height},
};
use antiphon_tests::sim::{Seed, genesis::INTERVAL, world::World};

/// What the page sends.
const SENT: u128 = 1_234;

#[test]
fn a_page_finds_blocks_their_signers_their_transactions_and_the_accounts_they_changed() {
    let mut world = World::new(Seed::or(31).number(), 100);
    let (page, to) = (world.open_page(), Address([9; 20]));
    world.run_for(5);
    world.command(page, Command::AskFaucet).unwrap();
    let rich = |w: &World| w.listeners[page].snapshot().wallet.account;
    assert!(world.run_until(40, |w| rich(w).is_some_and(|a| !a.balance.value.is_zero())));
    let amount = Amount::from_units(SENT);
    let token = Token::Operational;
    world.command(page, Command::Transfer { token, to, amount }).unwrap();
    world.run_for(60);
    // The account, under a final head and under a settled one.
    for level in [Level::Final, Level::Settled] {
        let Found::Account(found) = world.look_up(page, Question::Account(to, level)).unwrap()
        else {
            panic!("another answer")
        };
        assert_eq!(found.account.balance(token), amount);
        assert!(found.proven.level >= level);
        assert_eq!(found.shown.turns.last().unwrap().node, found.proven.root);
    }
    // The block in which it happened.
    let top = world.listeners[page].snapshot().chain.settled.0;
    let own = world.listeners[page].snapshot().wallet.address.unwrap();
    let mut payments = Vec::new();
    for height in 1..=top {
        let question = Question::Block(Height(height));
        let Found::Block(found) = world.look_up(page, question).unwrap() else {
            panic!("another answer")
        };
        assert_eq!((found.proven.height, found.header.height), (Height(height), Height(height)));
        assert!(found.proven.level >= Level::Settled);
        // A block without votes in its child is certified by a later one; most are.
        if let Some(signed) = found.signed {
            assert!(signed.places.len() >= 3, "below a quorum at {height}");
        }
        for tx in found.transactions.unwrap() {
            if tx.body.sender.address() == own {
                payments.push(height);
            }
        }
    }
    assert_eq!(payments.len(), 1, "one transaction was sent: {payments:?}");
    // A checkpoint, and what is none.
    let question = Question::Checkpoint(Height(INTERVAL));
    let Found::Checkpoint(found) = world.look_up(page, question).unwrap() else {
        panic!("another answer")
    };
    assert_eq!(found.proven.level, Level::Final);
    assert!(found.certificate.is_some());
    let none = world.look_up(page, Question::Checkpoint(Height(INTERVAL + 1)));
    assert_eq!(none.unwrap_err(), "lookup/not-checkpoint");
    let ahead = world.look_up(page, Question::Block(Height(1_000_000)));
    assert_eq!(ahead.unwrap_err(), "lookup/ahead");
    // A file that was asked for before the node had it is no lie.
    let troubles = &world.listeners[page].troubles;
    assert!(troubles.keys().all(|code| code.starts_with("node/")), "refused: {troubles:?}");
}
