//! The log by itself: one write at a time, in order, and rows that go only when nothing after them can be lost.

use super::{
    lies::signed,
    refused::{proposal, vote},
    *,
};
use journal::Journal;
use record::{Entry, MAX_ENTRIES};

fn entry(room: &Room, amount: u128) -> Entry {
    let item = lies::payment(room, 1, 0, amount, 0);
    Entry::Ordered(wire::RoundId { version: 0, round: 1 }, item)
}

#[test]
fn one_write_at_a_time_and_rows_go_when_all_is_durable() {
    let room = Room::open(2);
    let mut log = Journal::default();
    assert!(log.is_idle());
    assert_eq!((log.len(), log.start().is_some()), (0, false));
    log.push(entry(&room, 1));
    log.push(entry(&room, 2));
    assert_eq!((log.is_idle(), log.len()), (false, 2));
    assert_eq!(log.start().map(|(row, entries)| (row, entries.len())), Some((0, 2)));
    log.push(entry(&room, 3));
    assert_eq!((log.is_idle(), log.len()), (false, 3));
    assert!(log.start().is_none(), "one is under way");
    assert_eq!((log.stored().len(), log.len(), log.is_idle()), (2, 1, false));
    assert_eq!(log.start().map(|(row, entries)| (row, entries.len())), Some((1, 1)));
    log.push(entry(&room, 4));
    log.retire();
    assert_eq!((log.len(), log.is_idle()), (1, false), "what waits says nothing any more");
    assert_eq!(log.sweep().count(), 0, "a write is under way");
    assert_eq!((log.stored().len(), log.len(), log.is_idle()), (1, 0, true));
    assert_eq!((log.sweep(), log.sweep(), log.rows()), (0..2, 2..2, 2..2));
}

#[test]
fn a_row_holds_so_many_entries_and_the_rest_waits_for_the_next() {
    let room = Room::open(2);
    let one = entry(&room, 1);
    let mut log = Journal::default();
    for _ in 0..=MAX_ENTRIES {
        log.push(one.clone());
    }
    assert_eq!(log.start().map(|(row, entries)| (row, entries.len())), Some((0, MAX_ENTRIES)));
    log.stored();
    assert_eq!(log.start().map(|(row, entries)| (row, entries.len())), Some((1, 1)));
}

/// Hands letters of the leader to a member. Every write ends at once, but that of a round's payments: returns its token.
fn hears(room: &mut Room, at: usize, letters: Vec<Letter>) -> Option<StoreToken> {
    let (field, leader, now) = (room.field, room.address(0), room.now);
    let mut held = None;
    for letter in letters {
        let mut todo = vec![Input::Heard(leader, Envelope { field, letter }.to_bytes())];
        while let Some(input) = todo.pop() {
            let mut out = Vec::new();
            room.machines[at].handle(now, input, &mut out);
            for output in out {
                if let Output::Store(token, name, Some(_)) = output {
                    if name.contains("/round/") {
                        held = Some(token);
                    } else {
                        todo.push(Input::Stored(token));
                    }
                }
            }
        }
    }
    held
}

/// A0.6: a signature waits for the payments of its own round, not for those of one before that a disk was slow with.
#[test]
fn a_state_is_not_signed_when_the_payments_of_another_round_are_durable() {
    let mut room = Room::open(3);
    room.cut = vec![(0, 2), (2, 0)];
    let field = room.field;
    let held = [1, 2].map(|round| {
        room.pay(0, 1, 5).unwrap();
        room.close_round().unwrap();
        let state = signed(&room, 0).unwrap();
        let seat = room.machines[0].seats.get(&field).unwrap();
        let items = Bounded::try_from(seat.round.items().to_vec()).unwrap();
        let id = wire::RoundId::of(&state);
        let part = Letter::Part(wire::Part { round: id, from: 0, items });
        let letters = vec![proposal(&room, 0, &state), part];
        let held = hears(&mut room, 2, letters).unwrap();
        assert_eq!(signed(&room, 2).map(|state| state.round), Some(round));
        if round == 1 {
            let letter = vote(&room, 2, id, &state);
            let from = room.address(2);
            room.input(0, Input::Heard(from, Envelope { field, letter }.to_bytes()));
            let sealed = room.machines[0].sealed(field).unwrap();
            hears(&mut room, 2, vec![Letter::Sealed(Box::new(sealed))]);
            assert_eq!(room.view(2).round, 1);
        }
        held
    });
    for (token, is_written) in held.into_iter().zip([false, true]) {
        let mut out = Vec::new();
        room.machines[2].handle(room.now, Input::Stored(token), &mut out);
        let is_log =
            |it: &Output| matches!(it, Output::Store(_, name, Some(_)) if name.contains("/log/"));
        assert_eq!(out.iter().any(is_log), is_written);
    }
}

/// The row of a round is as long as its payments: a long one is read back like a short one.
#[test]
fn a_round_of_many_payments_is_read_back() {
    let mut room = Room::open(2);
    for _ in 0..100 {
        room.pay(1, 0, 1).unwrap();
    }
    room.close_round().unwrap();
    room.restart(1);
    let view = room.view(1);
    assert_eq!((view.freeze, view.committed), (None, 100));
}
