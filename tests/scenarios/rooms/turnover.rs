//! Who comes later into a room and who leaves it, while the others play on. PROTOCOL A6.14.

use super::*;

/// A6.14 as pages meet it: one comes later and is let in, one goes with what it has, and payments go on meanwhile.
#[test]
fn a_later_page_joins_a_running_field_and_another_leaves_it_with_its_money() {
    let seed = Seed::or(37);
    let mut world = three_in_a_room(&seed, false);
    assert!(world.run_until(60, |w| (0..3).all(|page| final_balance(w, page) > 0)));
    let id = share(&mut world);
    pay(&mut world, id, 5);
    committed(&mut world, &[0, 1, 2], 30);

    let late = world.open_guest();
    world.run_for(2);
    world.command(late, Command::Enter(Text::try_from("choir").unwrap())).unwrap();
    world.command(late, Command::AskFaucet).unwrap();
    let key = world.listeners[late].config().key.public();
    assert!(world.run_until(60, |w| balance(w, late) > 0
        && w.listeners[0].snapshot().around.iter().any(|around| around.peer.0 == key)));
    let deposit = Amount::from_units(DEPOSIT / 2);
    let admit = Command::AdmitMember { field: id, key, deposit };
    let refused = world.command(1, admit.clone()).unwrap_err();
    assert_eq!(refused.code(), "member/not-leader");
    // A round is running, and goes on to its end.
    pay(&mut world, id, 2);
    world.command(0, admit).unwrap();
    let asked = |w: &World, page: usize| {
        field(w, page)
            .is_some_and(|it| it.view.amendment.is_some() || it.view.phase == Phase::Invited)
    };
    assert!(world.run_until(30, |w| [1, 2, late].into_iter().all(|page| asked(w, page))));
    // What had not reached the leader by then waits for the new version, and is paid in it.
    assert!(field(&world, 1).unwrap().view.committed < 42);
    let before = balance(&world, late);
    for page in [1, 2, late] {
        world.command(page, Command::AcceptField(id)).unwrap();
    }
    let begun = |w: &World, pages: &[usize], version| {
        pages.iter().all(|page| {
            field(w, *page)
                .is_some_and(|it| (it.view.phase, it.view.version) == (Phase::Open, version))
        })
    };
    assert!(world.run_until(60, |w| begun(w, &[0, 1, 2, late], 1)), "{:#?}", field(&world, late));
    assert_eq!(
        before - balance(&world, late),
        DEPOSIT / 2,
        "who joins pays what it locks, and no fee"
    );
    assert_eq!(field(&world, late).unwrap().view.members.len(), 4);
    committed(&mut world, &[0, 1, 2, late], 42);

    // The first leads, and leaves; who leads next is asked, for it locks a bond.
    pay(&mut world, id, 1);
    assert!(world.run_until(60, |w| final_balance(w, 0) == balance(w, 0)), "what it paid is final");
    let fair = final_balance(&world, 0);
    world.command(0, Command::LeaveField(id)).unwrap();
    assert!(world.run_until(30, |w| (1..4).all(|page| asked(w, page))));
    let signed: Vec<usize> = (1..4)
        .filter(|page| field(&world, *page).unwrap().view.amendment.is_some_and(|it| it.is_signed))
        .collect();
    assert_eq!(signed.len(), 2, "only one is asked: {signed:?}");
    let next = (1..4).find(|page| !signed.contains(page)).unwrap();
    let has = field(&world, 0).unwrap().view.members;
    let own = world.listeners[0].snapshot().wallet.address.unwrap();
    let has = has.iter().find(|member| member.address == own).unwrap().balance.units();
    world.command(next, Command::AcceptField(id)).unwrap();
    assert!(world.run_until(60, |w| begun(w, &[1, 2, late], 2)), "{:#?}", field(&world, next));
    reaches(&mut world, &[0], Phase::Left, Level::Settled);
    assert!(field(&world, next).unwrap().is_leader);
    assert!(world.run_until(60, |w| final_balance(w, 0) > fair));
    let fee = world.network.spec.fee.units();
    let bond = FieldTerms::least_bond(world.network.spec.fee).unwrap().units();
    let got = final_balance(&world, 0) - fair;
    assert!(got <= has + bond && got + 8 * fee >= has + bond, "{got} of {has} and {bond}");

    // The others play on, and are paid at the end.
    let payee = field(&world, late).unwrap().view.leader;
    let from = if next == late { 1 } else { late };
    let sum = Amount::from_units(PRICE);
    world.command(from, Command::PayMember { field: id, payee, amount: sum }).unwrap();
    let all = field(&world, from).unwrap().view.committed;
    committed(&mut world, &[1, 2, late], all + 1);
    world.command(1, Command::CloseField(id)).unwrap();
    reaches(&mut world, &[1, 2, late], Phase::Closed, Level::Final);
    world.command(0, Command::ForgetField(id)).unwrap();
    assert!(field(&world, 0).is_none());
}

/// Who has locked most of its money signs the next version: what a field holds for it already is not asked for again.
#[test]
fn a_member_signs_a_next_version_without_having_its_deposit_twice_and_nobody_joins_on_credit() {
    let seed = Seed::or(38);
    let mut world = three_in_a_room(&seed, false);
    let most = (0..3).map(|page| balance(&world, page)).min().unwrap() * 3 / 4;
    let others = world.listeners[0].snapshot().around.iter().map(|around| around.peer.0).collect();
    let offer = FieldOffer { others, deposit: Amount::from_units(most), dispute: None };
    world.command(0, Command::ProposeField(offer)).unwrap();
    for page in [1, 2] {
        assert!(world.run_until(30, |w| field(w, page).is_some()));
        let id = field(&world, page).unwrap().view.id;
        world.command(page, Command::AcceptField(id)).unwrap();
    }
    reaches(&mut world, &[0, 1, 2], Phase::Open, Level::Final);
    let id = field(&world, 0).unwrap().view.id;
    let late = world.open_guest();
    world.run_for(2);
    world.command(late, Command::Enter(Text::try_from("choir").unwrap())).unwrap();
    world.command(late, Command::AskFaucet).unwrap();
    assert!(world.run_until(60, |w| balance(w, late) > 0));
    let (key, deposit) = (
        world.listeners[late].config().key.public(),
        Amount::from_units(balance(&world, late) + 1),
    );
    world.command(0, Command::AdmitMember { field: id, key, deposit }).unwrap();
    assert!(world.run_until(30, |w| field(w, late).is_some()));
    let refused = world.command(late, Command::AcceptField(id)).unwrap_err();
    assert_eq!(refused.code(), "wallet/insufficient");
    for page in [1, 2] {
        assert!(world.run_until(30, |w| field(w, page).unwrap().view.amendment.is_some()));
        assert!(balance(&world, page) < most);
        world.command(page, Command::AcceptField(id)).unwrap();
    }
}

/// A leader that could not send what all sign does not ask them: their payments would wait for it.
#[test]
fn a_leader_that_cannot_pay_for_the_signatures_lets_nobody_in() {
    let seed = Seed::or(40);
    let mut world = three_in_a_room(&seed, false);
    let fee = world.network.spec.fee;
    let bond = FieldTerms::least_bond(fee).unwrap().units();
    let deposit = Amount::from_units(balance(&world, 0) - 1 - bond - 6 * fee.units());
    let key = |world: &World, page: usize| world.listeners[page].config().key.public();
    let others = vec![key(&world, 1), key(&world, 2)];
    world.command(0, Command::ProposeField(FieldOffer { others, deposit, dispute: None })).unwrap();
    for page in [1, 2] {
        assert!(world.run_until(30, |w| field(w, page).is_some()));
        let id = field(&world, page).unwrap().view.id;
        world.command(page, Command::AcceptField(id)).unwrap();
    }
    reaches(&mut world, &[0, 1, 2], Phase::Open, Level::Final);
    assert!(balance(&world, 0) < 5 * fee.units());
    let late = world.open_guest();
    let (id, key) = (field(&world, 0).unwrap().view.id, key(&world, late));
    let admit = Command::AdmitMember { field: id, key, deposit: Amount::from_units(1) };
    assert_eq!(world.command(0, admit).unwrap_err().code(), "wallet/insufficient");
    assert_eq!(field(&world, 0).unwrap().view.amendment, None);
}
