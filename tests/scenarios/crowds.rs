//! Crowds of one live stream carry it for each other, whatever is wrong with some of them. Issue 5, "In the simulator";
//! FIELD-NOTES, "Security of peer-delivered streaming".
//!
//! That no byte is played which nobody signed is demanded by every crowd of every listener.

use antiphon_core::delivery::serve::{MAX_OUTSTANDING, MAX_QUEUE};
use antiphon_tests::sim::{
    Seed,
    crowd::{Crowd, Kind, NOMINAL, Report, Setting},
};

fn assert_nobody_is_silent(report: &Report) {
    assert_eq!((report.stalls, report.failed), (0, 0), "{report}");
    assert!(report.played > 0 && report.bans <= report.bad, "{report}");
}

/// Lets a crowd of this name listen for 90 s, and demands that it never falls silent.
fn listen(name: &str, seed: u64, listeners: usize) -> Report {
    let seed = Seed::or(seed);
    let report = Crowd::new(Setting::named(name, seed.number(), listeners, 90).unwrap()).run();
    assert_nobody_is_silent(&report);
    report
}

/// The seeds ask for 80 %; with enough uplink and an hour of it that is passed by far.
#[test]
fn a_crowd_of_honest_listeners_takes_nearly_everything_from_each_other() {
    let seed = Seed::or(41);
    let report = Crowd::new(Setting::calm(seed.number(), 200, 120)).run();
    assert_nobody_is_silent(&report);
    // What a page plays before its first link is open comes from the origin.
    assert!(report.offload() >= 0.92 && report.later_offload() >= 0.95, "{report}");
    assert!(report.wasted() <= 0.1 && report.overhead() <= 0.08, "{report}");
    assert_eq!((report.bad, report.bans, report.put_out), (0, 0, 0));
}

#[test]
fn polluters_free_riders_squatters_loss_churn_and_a_dead_tracker_silence_nobody() {
    let seed = Seed::or(42);
    let report = Crowd::new(Setting::hostile(seed.number(), 200, 120)).run();
    assert_nobody_is_silent(&report);
    assert!(report.bad > 0 && report.claims > 0 && report.listeners > 200, "{report}");
    assert!(report.offload() >= 0.8 && report.later_offload() >= 0.9, "{report}");
}

/// A flash crowd, all of them within five seconds, with everything wrong at once: a third pollutes, a third gives nothing, some
/// claim, grind keys and surround one, uplinks are slow, messages are lost, the tracker dies, and people go.
#[test]
fn ten_thousand_listeners_who_come_at_once_all_hear_something_and_nobody_is_silent() {
    let seed = Seed::or(43);
    let hostile = Setting::hostile(seed.number(), 10_000, 16).with(Kind::Grinder, 1);
    let report =
        Crowd::new(Setting { eclipsers: 128, dead_tracker: 8_000..12_000, ..hostile }).run();
    assert_nobody_is_silent(&report);
    let heard = report.starts.len();
    assert!(heard >= 9_000 && report.bad > 0, "{heard} heard something: {report}");
    assert!(report.start_ms() < 500, "{report}");
    assert!(report.offload() >= 0.5 && report.later_offload() >= 0.9, "{report}");
}

/// Two seconds behind live with segments of one, and six with segments of four: who looks at the playlist first has little time to
/// wait for others, so that more comes from the origin than where there are three segments.
#[test]
fn near_to_live_and_with_long_segments_a_crowd_carries_most_and_nobody_is_silent() {
    for (name, seed, least) in [("near", 63, 0.65), ("long", 64, 0.75)] {
        let report = listen(name, seed, 150);
        assert!(report.offload() >= least, "{name}: {report}");
    }
}

#[test]
fn the_same_seed_gives_the_same_crowd() {
    let run = |seed| format!("{:?}", Crowd::new(Setting::hostile(seed, 40, 40)).run());
    assert_eq!(run(44), run(44));
    assert_ne!(run(44), run(45));
}

#[test]
fn a_third_of_polluters_earns_nothing_and_wastes_little() {
    let report = listen("pollution", 51, 150);
    assert!(report.bad > 0 && report.bans == report.bad, "{report}");
    assert_eq!(report.income(Kind::Polluter), Some(0.0), "{report}");
    let [bad, ..] = report.wastes();
    assert!(bad <= 0.25 && report.offload() >= 0.8, "{report}");
}

#[test]
fn a_third_of_free_riders_is_carried_and_earns_nothing() {
    let report = listen("free-riding", 52, 150);
    assert_eq!(report.income(Kind::FreeRider), Some(0.0), "{report}");
    assert!(report.offload() >= 0.85, "{report}");
}

#[test]
fn who_claims_every_segment_and_brings_none_keeps_nobody_from_fetching() {
    let report = listen("squatting", 53, 150);
    assert!(report.claims > 0 && report.offload() >= 0.85, "{report}");
}

#[test]
fn who_asks_for_everything_and_reads_nothing_fills_one_window_and_takes_no_turn_of_others() {
    let report = listen("slow-readers", 54, 150);
    // Chunks are small here, so that all that waits in one queue may go in one turn.
    let window = MAX_OUTSTANDING as u64 + MAX_QUEUE as u64 * NOMINAL;
    assert!(report.held > NOMINAL && report.held <= window, "{} held: {report}", report.held);
    assert!(report.offload() >= 0.85, "{report}");
}

#[test]
fn who_asks_for_everything_over_and_over_takes_no_turn_of_others() {
    let report = listen("gluttons", 55, 150);
    assert!(report.gorged > 0 && report.offload() >= 0.85, "{report}");
}

/// Two hundred and fifty-six keys each: the lowest, or the one that won most of the draws that are over.
#[test]
fn who_grinds_keys_is_asked_no_more_often_and_earns_no_more() {
    let report = listen("grinding", 56, 300);
    let [honest, ground] = [Kind::Honest, Kind::Grinder].map(|kind| report.income(kind).unwrap());
    // What one earns depends on its line and on when it came: the mean of ninety varies by a tenth.
    assert!((0.7..1.3).contains(&(ground / honest)), "{ground} beside {honest}: {report}");
}

#[test]
fn who_says_to_the_tracker_that_it_is_somebody_else_is_refused_and_puts_nobody_out() {
    let report = listen("spoofing", 57, 100);
    assert!(report.refused > 100, "{report}");
    // No forged description ever reached anybody.
    assert_eq!((report.put_out, report.troubles), (0, 0), "{report}");
    assert!(report.offload() >= 0.85, "{report}");
}

/// A hundred and twenty-eight keys of four prefixes that know whom they wait for, and dial it before it knows anybody.
#[test]
fn a_listener_whom_foes_surround_still_has_links_of_its_own_choice_and_plays() {
    let report = listen("eclipse", 58, 150);
    let ((foes, all), (from_peers, from_origin, stalls)) = (report.victim, report.victims);
    assert!(foes * 2 > all && foes < all, "{report}");
    assert!(from_peers > from_origin && stalls == 0, "{report}");
}

#[test]
fn without_a_tracker_all_comes_from_the_origin_and_when_it_is_lost_the_links_stay() {
    let alone = listen("no-tracker", 59, 100);
    assert_eq!(alone.from_peers, 0, "{alone}");
    let lost = listen("lost-tracker", 59, 100);
    assert!(lost.offload() >= 0.85 && lost.troubles >= 100, "{lost}");
}

/// Nobody knows where addresses are, so that all that can bring neighbours near is what they measured. One and the same crowd.
#[test]
fn neighbours_get_nearer_where_links_that_bring_little_make_room_for_others() {
    let seed = Seed::or(60);
    let run = |name| Crowd::new(Setting::named(name, seed.number(), 100, 600).unwrap()).run();
    let (kept, fresh) = (run("unmapped/kept"), run("unmapped"));
    assert_nobody_is_silent(&fresh);
    assert!(kept.let_go == 0 && fresh.let_go > 0, "{fresh}");
    // Few of a hundred in forty towns are near to anybody: 71.1 ms with every link kept, 69.8 ms without.
    assert!(fresh.way_ms() + 1.0 <= kept.way_ms(), "{fresh}\n{kept}");
    // Most links last: who listens for ten minutes lets few go.
    assert!(fresh.let_go <= fresh.listeners * 6, "{fresh}");
}

#[test]
fn those_who_give_nothing_lose_the_links_that_others_made_to_them() {
    let seed = Seed::or(61);
    let run = |name| Crowd::new(Setting::named(name, seed.number(), 100, 400).unwrap()).run();
    let (kept, fresh) = (run("free-riding/kept"), run("free-riding"));
    assert_nobody_is_silent(&fresh);
    assert!(fresh.foes_linked() < kept.foes_linked() * 0.9, "{fresh}\n{kept}");
}

/// One in ten is next door to everybody and answers at once, wherever it is.
#[test]
fn who_answers_splendidly_is_not_all_that_listeners_are_linked_with() {
    let seed = Seed::or(62);
    let run = |name| Crowd::new(Setting::named(name, seed.number(), 100, 600).unwrap()).run();
    let (kept, fresh) = (run("charm/kept"), run("charm"));
    assert_nobody_is_silent(&fresh);
    // They get the seats for near ones, three of sixteen links, and by chance as many of the others as anybody.
    assert!(fresh.foes_linked() <= kept.foes_linked() + 3.0 / 16.0, "{fresh}\n{kept}");
}
