//! Guardians change, and a client follows; whoever leaves a change out, or adds one, is refused. PROTOCOL A7.1–A7.3;
//! ADVERSARIAL case 27.

use super::{
    super::*,
    config,
    line::{Host, Keys, Line, T},
};
use crate::{chain::certificate::CertificateError, codec::encode};

const OTHERS: [&[(u8, u64)]; 3] =
    [&[(101, 2), (102, 2), (104, 2)], &[(101, 2), (104, 2), (105, 2)], &[(106, 1), (107, 1)]];

/// Three changes of guardians, each two checkpoints apart, then one checkpoint more.
fn line() -> Line {
    let mut line = Line::new();
    for members in OTHERS {
        line.grow(None);
        line.grow(Some(members));
    }
    line.grow(None);
    line
}

#[test]
fn a_client_walks_every_change_and_asks_one_file_for_each() {
    let line = line();
    let mut host = Host::of(&line);
    host.run(|_, file| line.file(file));
    assert_eq!((host.refused.as_slice(), host.final_height()), (&[][..], Some(7 * T)));
    // Spec, tip, the newest checkpoint and three changes.
    assert_eq!(host.files, 6);
    assert!(host.light.guardians.len() <= 2, "sets of the past are forgotten");
}

#[test]
fn a_client_that_stands_at_a_change_asks_for_the_new_set_alone() {
    let mut line = Line::new();
    line.grow(Some(OTHERS[0]));
    let mut host = Host::of(&line);
    host.run(|_, file| line.file(file));
    assert_eq!((host.final_height(), host.files), (Some(T), 4), "spec, tip, checkpoint, set");
    line.grow(None);
    host.tick(|_, file| line.file(file));
    assert_eq!((host.refused.as_slice(), host.final_height()), (&[][..], Some(2 * T)));
}

#[test]
fn members_that_are_elected_again_later_are_another_set() {
    let mut line = Line::new();
    let first = [(101, 2), (102, 2), (103, 2)];
    for members in [OTHERS[0], &first, OTHERS[1], &first, OTHERS[2]] {
        line.grow(Some(members));
    }
    line.grow(None);
    let mut host = Host::of(&line);
    host.run(|_, file| line.file(file));
    assert_eq!((host.refused.as_slice(), host.final_height()), (&[][..], Some(6 * T)));
}

#[test]
fn a_change_that_is_left_out_stops_the_client_where_it_was() {
    let line = line();
    let second = line.checkpoints[3].header.guardians_hash;
    let mut host = Host::of(&line);
    let withheld = |_, file: &File| line.file(file).filter(|_| *file != File::Change(second));
    host.run(withheld);
    assert_eq!((host.refused.as_slice(), host.final_height()), (&[][..], Some(2 * T)));
    // Another change, or none, in its place.
    let third = line.file(&File::Change(line.checkpoints[5].header.guardians_hash)).unwrap();
    host.tick(|source, file| {
        if *file == File::Change(second) { Some(third.clone()) } else { withheld(source, file) }
    });
    let elected = line.next.set.clone();
    let none = encode(&Change { checkpoint: line.checkpoints[2].clone(), elected });
    host.tick(|source, file| {
        if *file == File::Change(second) { Some(none.clone()) } else { withheld(source, file) }
    });
    let (wrong, same) = (LightError::WrongContent, LightError::WrongContent);
    assert_eq!((host.refused.as_slice(), host.final_height()), (&[wrong, same][..], Some(2 * T)));
    host.tick(|_, file| line.file(file));
    assert_eq!(host.final_height(), Some(7 * T), "it goes on once the change is there");
}

#[test]
fn a_checkpoint_that_keeps_its_guardians_is_no_change() {
    let line = line();
    let first = line.spec.guardians.hash(line.chain());
    let elected = line.spec.guardians.clone();
    let none = encode(&Change { checkpoint: line.checkpoints[0].clone(), elected });
    let mut host = Host::of(&line);
    host.run(|_, file| match file {
        File::Change(hash) if *hash == first => Some(none.clone()),
        other => line.file(other),
    });
    assert_eq!((host.refused.as_slice(), host.final_height()), (&[LightError::NoChange][..], None));
}

#[test]
fn a_change_that_the_old_set_has_not_signed_is_refused() {
    let line = line();
    let first = line.spec.guardians.hash(line.chain());
    let mut header = line.checkpoints[1].header.clone();
    let own = Keys::new(2 * T, &[(66, 1)]);
    header.next_guardians_hash = own.set.hash(line.chain());
    for (checkpoint, error) in [
        (own.finalise(&header, &[0]), CertificateError::UnknownSigner),
        (
            line.signed_by[0].finalise(&header, &[0, 1]),
            CertificateError::BelowQuorum { weight: 4, quorum: 5 },
        ),
    ] {
        // The bitmap of one member has the length of that of three; its signature does not verify under them.
        let error = if error == CertificateError::UnknownSigner {
            CertificateError::BelowQuorum { weight: 2, quorum: 5 }
        } else {
            error
        };
        let forged = encode(&Change { checkpoint, elected: own.set.clone() });
        let mut host = Host::of(&line);
        host.run(|_, file| match file {
            File::Change(hash) if *hash == first => Some(forged.clone()),
            other => line.file(other),
        });
        assert_eq!((host.refused.as_slice(), host.final_height()), (&[error.into()][..], None));
    }
}

#[test]
fn a_set_with_one_weight_changed_is_not_the_set_that_was_committed() {
    let line = line();
    let mut host = Host::of(&line);
    host.run(|_, file| {
        let honest = line.file(file)?;
        let File::Change(_) = file else { return Some(honest) };
        let mut change: Change = codec::decode(&honest, MAX_CHANGE).unwrap();
        let mut members = change.elected.members.clone().into_vec();
        members[0].weight += 1;
        change.elected.members = members.try_into().unwrap();
        Some(encode(&change))
    });
    assert_eq!(
        (host.refused.as_slice(), host.final_height()),
        (&[LightError::WrongContent][..], None)
    );
    let mut short = Line::new();
    short.grow(Some(OTHERS[0]));
    let mut host = Host::of(&short);
    host.run(|_, file| {
        let File::Guardians(_) = file else { return short.file(file) };
        let mut set = short.next.set.clone();
        let mut members = set.members.into_vec();
        members[1].weight -= 1;
        set.members = members.try_into().unwrap();
        Some(encode(&set))
    });
    assert_eq!(host.refused, [LightError::WrongContent]);
    assert!(!host.light.guardians.contains_key(&short.next.set.hash(short.chain())));
}

#[test]
fn two_thirds_exactly_finalise_nothing() {
    let mut line = Line::new();
    let header = line.header();
    line.grow(None);
    line.checkpoints[0] = line.next.finalise(&header, &[0, 2]);
    let mut host = Host::of(&line);
    host.run(|_, file| line.file(file));
    let below = CertificateError::BelowQuorum { weight: 4, quorum: 5 };
    assert_eq!((host.refused.as_slice(), host.final_height()), (&[below.into()][..], None));
}

#[test]
fn ex_guardians_sign_nothing_for_a_client_that_slept_over_the_trusting_period() {
    let mut line = line();
    let mut host = Host::of(&line);
    host.run(|_, file| line.file(file));
    line.grow(None);
    let expiry = line.checkpoints[6].header.time.plus(line.spec.trusting_period);
    for (clock, height) in [(UnixMillis(expiry.0 - 1), 8 * T), (expiry, 7 * T)] {
        let mut late = Host::new(config(line.chain()), host.stored.clone());
        late.clock = clock;
        late.run(|_, file| line.file(file));
        if clock == expiry {
            // What was stored is too old to begin with, and so is genesis.
            assert_eq!((late.final_height(), late.light.standing()), (None, Standing::Expired));
            assert_eq!(late.refused, [LightError::TrustExpired; 2]);
        } else {
            assert_eq!((late.refused.as_slice(), late.final_height()), (&[][..], Some(height)));
        }
    }
    // The same client, left open: it says so by itself, and believes nobody any more.
    host.clock = expiry;
    host.tick(|_, file| line.file(file));
    assert_eq!((host.final_height(), host.light.standing()), (Some(7 * T), Standing::Expired));
    assert_eq!(host.refused, [LightError::TrustExpired]);
    host.tick(|_, _| unreachable!("nothing is asked for"));
    host.clock = UnixMillis(expiry.0 - 1);
    host.tick(|_, file| line.file(file));
    host.tick(|_, file| line.file(file));
    assert_eq!((host.final_height(), host.light.standing()), (Some(8 * T), Standing::Good));
}

#[test]
fn after_a_restart_a_client_goes_on_from_what_it_stored_over_the_changes_since() {
    let mut line = line();
    let mut host = Host::of(&line);
    host.run(|_, file| line.file(file));
    line.grow(Some(OTHERS[0]));
    line.grow(None);
    let mut again = Host::new(config(line.chain()), host.stored.clone());
    again.run(|_, file| line.file(file));
    assert_eq!((again.refused.as_slice(), again.final_height()), (&[][..], Some(9 * T)));
    assert_eq!(again.files, 4, "spec, tip, checkpoint, one change");
    // Another anchor is another trust.
    let anchor = Anchor::Checkpoint(line.checkpoints[8].header.id());
    let moved = Config { anchor, ..config(line.chain()) };
    let mut again = Host::new(moved, host.stored.clone());
    again.run(|_, file| line.file(file));
    assert_eq!((again.refused.as_slice(), again.final_height()), (&[][..], Some(9 * T)));
}

#[test]
fn what_was_stored_is_void_if_one_bit_of_it_is_another() {
    let line = line();
    let mut host = Host::of(&line);
    host.run(|_, file| line.file(file));
    let stored = host.stored.trust.clone().unwrap();
    for bit in (0..stored.len() * 8).step_by(61) {
        let mut spoilt = stored.clone();
        spoilt[bit / 8] ^= 1 << (bit % 8);
        let stored = Stored { trust: Some(spoilt), fork: None };
        let mut again = Host::new(config(line.chain()), stored);
        again.run(|_, file| line.file(file).filter(|_| matches!(file, File::Spec(_))));
        assert_eq!(again.final_height(), None, "bit {bit}");
    }
}

#[test]
fn a_checkpoint_that_the_application_ships_is_trusted_with_a_set_that_genesis_does_not_know() {
    let line = line();
    let pinned = &line.checkpoints[4].header;
    let config = Config { anchor: Anchor::Checkpoint(pinned.id()), ..config(line.chain()) };
    let mut host = Host::new(config, Stored::default());
    host.run(|_, file| line.file(file));
    host.tick(|_, file| line.file(file));
    assert_eq!((host.refused.as_slice(), host.final_height()), (&[][..], Some(7 * T)));
}

#[test]
fn with_skipping_more_than_a_third_of_the_trusted_weight_is_enough_and_a_third_is_not() {
    let skip = |line: &Line| {
        let config = Config { skipping: Skipping::On, ..config(line.chain()) };
        let mut host = Host::new(config, Stored::default());
        host.run(|_, file| line.file(file));
        (host.refused.clone(), host.final_height(), host.files)
    };
    // 101 and 102 of 101..=103 are in the second set: two thirds, so its change is skipped.
    let mut near = Line::new();
    for members in [None, Some(OTHERS[0]), None] {
        near.grow(members);
    }
    assert_eq!(skip(&near), (Vec::new(), Some(3 * T), 4), "spec, tip, checkpoint, set");
    // 101 alone is in the third: one third exactly, so the first change is walked, and then 104 helps.
    let mut far = near.clone();
    for members in [Some(OTHERS[1]), None] {
        far.grow(members);
    }
    assert_eq!(skip(&far), (Vec::new(), Some(5 * T), 5), "and one change");
    // Whoever is in both sets and did not sign does not count, though the new set has its quorum without them.
    let mut heavy = Line::new();
    for members in [Some(&[(101, 1), (102, 1), (110, 20)][..]), None] {
        heavy.grow(members);
    }
    assert_eq!(skip(&heavy), (Vec::new(), Some(2 * T), 4));
    let place = heavy.next.set.members.iter().position(|member| member.weight == 20).unwrap();
    heavy.checkpoints[1] = heavy.next.finalise(&heavy.checkpoints[1].header, &[place]);
    assert_eq!(skip(&heavy), (Vec::new(), Some(2 * T), 5), "the change is walked");
}

#[test]
fn skipping_does_not_excuse_the_very_next_checkpoint_from_its_set() {
    let mut line = Line::new();
    let usurpers = Keys::new(0, &[(101, 2), (102, 2), (104, 2)]);
    let mut header = line.header();
    header.guardians_hash = usurpers.set.hash(line.chain());
    header.next_guardians_hash = header.guardians_hash;
    line.checkpoints.push(usurpers.finalise(&header, &[0, 1, 2]));
    line.signed_by.push(usurpers);
    let config = Config { skipping: Skipping::On, ..config(line.chain()) };
    let mut host = Host::new(config, Stored::default());
    host.run(|_, file| line.file(file));
    assert_eq!(host.final_height(), None);
}

/// Seven guardians of which one is replaced at every checkpoint, `changes` times.
fn restless(changes: u8) -> Line {
    let mut line = Line::new();
    for change in 0..changes {
        let members: Vec<(u8, u64)> = (0..7).map(|i| (change.wrapping_add(i), 1)).collect();
        line.grow(Some(&members));
    }
    line.grow(None);
    line
}

#[test]
fn a_walk_costs_a_file_of_less_than_two_kilobytes_a_change() {
    let measure = |changes: u8| {
        let line = restless(changes);
        let mut host = Host::of(&line);
        host.run(|_, file| line.file(file));
        assert_eq!(host.final_height(), Some((u64::from(changes) + 1) * T));
        (host.files, host.bytes)
    };
    let ((few, small), (many, large)) = (measure(1), measure(101));
    assert_eq!(many - few, 100, "one file a change");
    let each = (large - small) / 100;
    assert!((1_000..2_000).contains(&each), "{each} bytes a change");
}
