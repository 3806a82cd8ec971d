//! ADVERSARIAL case 28, its part about sync: each foe is found out, blamed, and its question asked elsewhere.

use super::*;
use antiphon_core::chain::state::StateKey;
use std::cell::Cell;

/// Alters answers about ranges.
type Lie = fn(&Origin, &RangeAsk, Range) -> Range;

/// Lets a lie replace the rows of every range that has some.
fn with_rows(range: Range, change: impl FnOnce(Vec<Row>) -> Vec<Row>) -> Range {
    let content = match range.content {
        Content::Rows(rows) => Content::Rows(Bounded::try_from(change(rows.into_vec())).unwrap()),
        Content::Split => Content::Split,
    };
    Range { content, ..range }
}

const LIES: [(&str, Lie, Fault); 7] = [
    (
        "an altered value",
        |_, _, range| {
            with_rows(range, |mut rows| {
                rows[0].value = Bounded::try_from(vec![1, 2, 3]).unwrap();
                rows
            })
        },
        Fault::Range(RangeError::WrongRoot),
    ),
    (
        "a missing row",
        |_, _, range| {
            with_rows(range, |mut rows| {
                rows.remove(rows.len() / 2);
                rows
            })
        },
        Fault::Range(RangeError::WrongRoot),
    ),
    (
        "the last row twice",
        |_, _, range| {
            with_rows(range, |mut rows| {
                rows.extend(rows.last().cloned());
                rows
            })
        },
        Fault::Range(RangeError::Order),
    ),
    (
        "a row of the range beside it",
        |origin, ask, range| {
            let outside = |key: &&StateKey| !ask.prefix.covers(&key.0);
            let stranger = *origin.values.keys().find(outside).unwrap();
            with_rows(range, |mut rows| {
                rows.push(Row { key: stranger, value: rows[0].value.clone() });
                rows.sort_by_key(|row| row.key);
                rows
            })
        },
        Fault::Range(RangeError::Outside),
    ),
    (
        "the right rows of another state",
        |_, ask, range| {
            let other = Origin::new(2000, 2, 99);
            let ask = RangeAsk { block: other.checkpoint().id(), ..ask.clone() };
            match other.answer(&Ask::Range(ask)) {
                Answer::Range(other) => *other,
                Answer::File(_) | Answer::Ancestors(_) | Answer::Missing => range,
            }
        },
        Fault::Range(RangeError::WrongRoot),
    ),
    (
        "more than was asked for",
        |_, _, range| {
            with_rows(range, |mut rows| {
                while rows.len() < 400 {
                    rows.extend(rows.clone());
                }
                rows
            })
        },
        Fault::Range(RangeError::TooLong),
    ),
    (
        "a way that is longer than the range is deep",
        |_, _, range| {
            let way = [&range.way[..], &range.way[range.way.len() - 1..]].concat();
            Range { way: Bounded::try_from(way).unwrap(), ..range }
        },
        Fault::Range(RangeError::NoWay),
    ),
];

#[test]
fn ranges_that_are_not_what_they_must_be_are_refused_blamed_and_asked_elsewhere() {
    let origin = Origin::new(2000, 2, 0);
    for (what, lie, fault) in LIES {
        let liar: Neighbour<'_> = Box::new(|ask| {
            Some(match (ask, origin.answer(ask)) {
                (Ask::Range(ask), Answer::Range(range))
                    if matches!(range.content, Content::Rows(_)) =>
                {
                    Answer::Range(Box::new(lie(&origin, ask, *range)))
                }
                (_, answer) => answer,
            })
        });
        let mut world = World::new(vec![liar, honest(&origin)]);
        assert_eq!(world.run(), End::Done, "{what}");
        world.assert_is(&origin);
        assert!(!world.blamed.is_empty(), "{what} is seen");
        assert!(
            world.blamed.iter().all(|blamed| *blamed == (0, fault)),
            "{what}: {:?}",
            world.blamed
        );
        assert!(fault.is_foul());
    }
}

#[test]
fn a_node_that_stalls_is_let_be_and_its_questions_go_elsewhere() {
    let origin = Origin::new(2000, 2, 0);
    let mut answers = 0;
    let sloth: Neighbour<'_> = Box::new(|ask| {
        answers += 1;
        (answers < 12).then(|| origin.answer(ask))
    });
    let mut world = World::new(vec![sloth, honest(&origin)]);
    assert_eq!(world.run(), End::Done);
    world.assert_is(&origin);
    assert!(world.blamed.contains(&(0, Fault::Stalled)) && !Fault::Stalled.is_foul());
    let asked = world.asked[&0].len();
    assert!(asked < 12 + 4, "asked {asked} times while it stalls");
}

#[test]
fn who_splits_what_fits_makes_work_for_nobody_for_long() {
    let origin = Origin::new(2000, 2, 0);
    let splitter: Neighbour<'_> = Box::new(|ask| {
        let Ask::Range(asked) = ask else { return Some(origin.answer(ask)) };
        // The way to the first row below shows the branch itself.
        let below =
            asked.prefix.child(0).into_iter().chain((1..16).filter_map(|n| asked.prefix.child(n)));
        for prefix in below {
            let deeper = Ask::Range(RangeAsk { prefix, ..asked.clone() });
            if let Answer::Range(found) = origin.answer(&deeper) {
                let way = found.way[..=asked.prefix.nibbles().len()].to_vec();
                let way = Bounded::try_from(way).unwrap();
                return Some(Answer::Range(Box::new(Range { way, content: Content::Split })));
            }
        }
        Some(origin.answer(ask))
    });
    let mut world = World::new(vec![splitter, honest(&origin)]);
    assert_eq!(world.run(), End::Done);
    world.assert_is(&origin);
    assert!(world.blamed.contains(&(0, Fault::Wasteful)), "{:?}", world.blamed);
    let mut honestly = World::new(vec![honest(&origin)]);
    assert_eq!(honestly.run(), End::Done);
    let (with, without) = (world.ranges().len(), honestly.ranges().len());
    assert!(with < without + 100, "{with} questions instead of {without}");
}

#[test]
fn sets_and_headers_that_are_others_are_refused_and_so_are_answers_to_no_question() {
    let (origin, other) = (Origin::new(1800, 2, 0), Origin::new(31, 2, 5));
    let stranger = |ask: &Ask| match ask {
        Ask::Ancestors(_) => {
            let headers: Vec<Header> = other.headers.iter().rev().skip(1).cloned().collect();
            Answer::Ancestors(Bounded::try_from(headers).unwrap())
        }
        Ask::File(_) | Ask::Range(_) => origin.answer(ask),
    };
    let confused = |ask: &Ask| match ask {
        Ask::Range(_) => Answer::File(Bounded::try_from(vec![0; 9]).unwrap()),
        Ask::File(_) | Ask::Ancestors(_) => origin.answer(ask),
    };
    let forger = |ask: &Ask| {
        if !matches!(ask.as_file(), Some(File::Validators(_))) {
            return origin.answer(ask);
        }
        let set = ValidatorSet { since: Height(8), ..origin.spec.validators.clone() };
        Answer::File(Bounded::try_from(codec::encode(&set)).unwrap())
    };
    type Foe<'a> = &'a dyn Fn(&Ask) -> Answer;
    let foes: [(Foe<'_>, Fault); 3] = [
        (&stranger, Fault::WrongContent),
        (&confused, Fault::Unasked),
        (&forger, Fault::WrongContent),
    ];
    for (foe, fault) in foes {
        // The honest one is slow until the foe has lied, so that the question does meet the foe.
        let lied = Cell::new(false);
        let liar: Neighbour<'_> = Box::new(|ask| {
            let answer = foe(ask);
            lied.set(lied.get() || answer != origin.answer(ask));
            Some(answer)
        });
        let slow: Neighbour<'_> = Box::new(|ask| {
            let is_of_walk = ask.as_file().is_some_and(|file| !matches!(file, File::Validators(_)));
            (lied.get() || is_of_walk).then(|| origin.answer(ask))
        });
        let mut world = World::new(vec![liar, slow]);
        assert_eq!(world.run(), End::Done);
        world.assert_is(&origin);
        // The walk asks for the set, too, and the light client says it in its words.
        let of_light = Fault::File(LightError::WrongContent);
        let expected = |(peer, found): &(Peer, Fault)| match peer {
            0 => [fault, of_light].contains(found),
            _ => *found == Fault::Stalled,
        };
        assert!(world.blamed.iter().any(|(peer, _)| *peer == 0), "{fault}");
        assert!(world.blamed.iter().all(expected), "{:?}", world.blamed);
    }
}

#[test]
fn no_flipped_byte_of_a_range_leads_to_other_rows() {
    let origin = Origin::new(300, 1, 0);
    let root = origin.checkpoint().state_root;
    let (block, max) = (origin.checkpoint().id(), MIN_RANGE);
    for nibble in [0, 7, 15] {
        let prefix = Prefix::default().child(nibble).unwrap();
        let ask = Ask::Range(RangeAsk { block, prefix: prefix.clone(), max });
        let Answer::Range(range) = origin.answer(&ask) else { panic!("it is there") };
        let verify = |range: Range| range.verify(&root, &prefix, max, 8);
        let honest = verify(*range.clone()).unwrap();
        let bytes = codec::encode(range.as_ref());
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (place % 8);
            let Ok(range) = codec::decode::<Range>(&flipped, flipped.len()) else { continue };
            if let Ok(verified) = verify(range) {
                assert_eq!(verified, honest, "byte {place}");
            }
        }
    }
}

#[test]
fn a_lone_leaf_is_shown_under_its_own_nibble_and_no_other() {
    // A lone leaf stands for its whole half, so under another nibble of that half its branch would hash alike.
    let (leaf, other) = (Hash([0x20; 32]), Hash([0xf0; 32]));
    let children = vec![Child::Leaf(leaf, Hash([1; 32])), Child::Subtree(15, other)];
    let branch = Branch::new(children).unwrap();
    assert!(branch.fits(&Prefix::default()) && branch.child(0, 2).is_some());
    let moved = Child::Leaf(Hash([0x30; 32]), Hash([1; 32]));
    let moved = Branch::new(vec![moved, Child::Subtree(15, other)]).unwrap();
    assert_ne!(moved.hash(0), branch.hash(0), "the hash of a leaf covers its key");
    let alone = Branch::new(vec![Child::Leaf(leaf, Hash([1; 32]))]).unwrap();
    let twice = Branch::new(vec![Child::Subtree(3, other), Child::Subtree(3, other)]).unwrap();
    let below = Prefix::default().child(3).unwrap();
    assert!(!alone.fits(&Prefix::default()) && !twice.fits(&Prefix::default()));
    assert!(!branch.fits(&below), "a leaf of another range");
}

#[test]
fn every_fault_has_its_code() {
    let codes = [
        (Fault::Stalled, "sync/stalled"),
        (Fault::Unasked, "sync/unasked"),
        (Fault::Wasteful, "sync/wasteful"),
        (Fault::WrongContent, "sync/wrong-content"),
        (RangeError::WrongRoot.into(), "sync/wrong-root"),
        (RangeError::Outside.into(), "sync/outside-range"),
        (RangeError::Order.into(), "sync/row-order"),
        (RangeError::NoWay.into(), "sync/no-way"),
        (RangeError::TooLong.into(), "sync/too-long"),
        (LightError::WrongContent.into(), "light/wrong-content"),
    ];
    assert!(codes.iter().all(|(fault, code)| fault.code() == *code));
}
