//! A field and the chain: closing alone, superseding, challenges, annulment. ADVERSARIAL cases 23 to 25, from the members' side.

use super::*;

#[test]
fn a_stale_close_is_superseded_by_whoever_knows_better_and_the_application_is_warned() {
    let mut table = Room::open(3);
    table.pay(1, 2, 5).unwrap();
    table.close_round().unwrap();
    // Member 1 takes its payment back: it closes with the deposits.
    let field = table.field;
    table.execute(1, FieldAct::SoloClose { field, state: None });
    table.block();
    let best = |table: &Room| table.escrow.as_ref().map(|(state, _)| state.best.round);
    assert_eq!(best(&table), Some(1));
    assert!(table.warnings.iter().any(|(_, it)| it.threat == Threat::Close));
    assert_eq!(table.pay(2, 1, 1), Err(PayError::NotOpen));
    for _ in 0..40 {
        table.block();
    }
    assert_eq!(table.view(2).phase, Phase::Closed);
    assert_eq!(best(&table), Some(1));
    assert_eq!(table.standings(2), [Standing::Committed]);
}

#[test]
fn a_deadline_that_is_near_is_warned_of_again() {
    let mut table = Room::open(2);
    table.pay(1, 0, 5).unwrap();
    table.close_round().unwrap();
    let field = table.field;
    table.execute(1, FieldAct::SoloClose { field, state: None });
    let closing = table.escrow.clone();
    for _ in 0..6 {
        table.block();
        // The posts of the honest are censored.
        table.escrow = closing.clone();
    }
    let near: Vec<bool> =
        table.warnings.iter().filter(|(at, _)| *at == 0).map(|(_, it)| it.is_near).collect();
    assert_eq!(near, [true], "this chain's shortest dispute is two margins");
    let posts = table.acts.iter().filter(|act| matches!(act, FieldAct::Post(_))).count();
    assert!(posts > 1, "what was censored is sent again");
}

#[test]
fn a_silent_member_does_not_keep_the_others_from_their_money() {
    let mut table = Room::open(3);
    table.pay(0, 1, 7).unwrap();
    table.close_round().unwrap();
    table.pay(0, 2, 7).unwrap();
    table.cut = vec![(2, 0), (2, 1)];
    let field = table.field;
    table.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    assert!(table.escrow.as_ref().is_some_and(|(state, _)| state.best.round == 0));
    for _ in 0..60 {
        table.block();
        table.pass(1000);
    }
    assert_eq!(table.view(1).phase, Phase::Closed);
    assert_eq!(table.escrow.as_ref().map(|(state, _)| state.best.round), Some(1));
    assert_eq!(table.standings(1), [Standing::Committed]);
    assert_eq!(table.standings(0), [Standing::Committed, Standing::Void]);
}

/// Case 23: a round that was signed and never sealed is annulled, and what was sequenced in it is void.
#[test]
fn a_round_that_is_withheld_is_challenged_annulled_and_its_payments_are_void() {
    let mut table = Room::open(3);
    table.pay(1, 2, 5).unwrap();
    table.close_round().unwrap();
    table.pay(1, 2, 9).unwrap();
    let field = table.field;
    table.close_round().unwrap();
    assert_eq!(table.view(1).round, 2, "without a foe it is sealed");
    // The same once more, with a leader that proposes and then is silent. It alone does not vote: here it signs by hand.
    table.pay(1, 2, 11).unwrap();
    table.stuck = vec![(0, "")];
    table.close_round().unwrap();
    let state = {
        let seat = table.machines[0].seats.get(&field).unwrap();
        seat.round.state(CHAIN, &seat.rounds, false).unwrap()
    };
    let signature = table.keys[0].sign(CHAIN, &state);
    let letter = Letter::Propose(Box::new(wire::Proposal { state, signature }));
    let bytes = Envelope { field, letter }.to_bytes();
    let leader = table.address(0);
    let items = table.machines[0].seats.get(&field).unwrap().round.items().to_vec();
    let round = wire::RoundId { version: 0, round: 3 };
    let part = wire::Part { round, from: 0, items: Bounded::try_from(items).unwrap() };
    let part = Envelope { field, letter: Letter::Part(part) }.to_bytes();
    table.cut = vec![(1, 2), (2, 1), (0, 1), (0, 2), (1, 0), (2, 0)];
    for at in 1..3 {
        table.input(at, Input::Heard(leader, bytes.clone()));
        table.input(at, Input::Heard(leader, part.clone()));
        assert_eq!(table.view(at).step, RoundStep::Signed);
    }
    assert_eq!(table.standings(2).last(), Some(&Standing::Sequenced));
    table.machines[0] = Membership::new(config(&table.keys[0]), []);
    for _ in 0..60 {
        table.block();
        table.pass(500);
    }
    assert!(table.acts.iter().any(|act| matches!(act, FieldAct::Challenge { round: 3, .. })));
    let (state, _) = table.escrow.clone().unwrap();
    assert_eq!(state.annulled, Some(3));
    assert_eq!(state.best.round, 2, "the close pays r-1 exactly");
    assert_eq!(table.view(1).phase, Phase::Closed);
    let standings = table.standings(2);
    assert_eq!(standings, [Standing::Committed, Standing::Committed, Standing::Void]);
}

#[test]
fn an_unjust_challenge_is_answered_and_its_challenger_pays() {
    let mut table = Room::open(3);
    table.pay(1, 2, 5).unwrap();
    table.close_round().unwrap();
    let field = table.field;
    table.execute(1, FieldAct::Challenge { field, round: 1 });
    assert!(table.escrow.as_ref().is_some_and(|(state, _)| state.challenge.is_some()));
    table.block();
    let (state, _) = table.escrow.clone().unwrap();
    assert_eq!((state.challenge, state.best.round), (None, 1));
    assert!(table.warnings.iter().any(|(_, it)| it.threat == Threat::Challenge));
    table.pay(1, 2, 5).unwrap();
    table.close_round().unwrap();
    assert_eq!(table.view(2).round, 2, "and the field goes on");
}

#[test]
fn a_leader_that_has_nothing_higher_says_so_and_is_not_punished() {
    let mut table = Room::open(3);
    table.pay(1, 2, 5).unwrap();
    let field = table.field;
    // A member asks for a round that another one refused to sign.
    table.execute(1, FieldAct::Challenge { field, round: 1 });
    table.block();
    let bond = units(200);
    let (state, _) = table.escrow.clone().unwrap();
    assert!(state.challenge.is_some_and(|challenge| challenge.leader.is_some()));
    for _ in 0..20 {
        table.block();
    }
    let (state, _) = table.escrow.clone().unwrap();
    assert_eq!((state.annulled, state.leader_bond), (Some(1), bond));
    assert_eq!(table.view(0).phase, Phase::Halted);
    assert_eq!(table.standings(2), [Standing::Void]);
    assert_eq!(table.pay(1, 2, 1), Err(PayError::NotOpen));
}
