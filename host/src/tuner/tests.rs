use super::*;

const URL: &str = "http://origin/live.m3u8";

#[test]
fn the_newest_three_are_wanted_first_and_then_each_new_one_once() {
    let mut tuner = Tuner::new(String::from(URL));
    assert_eq!(feed(&mut tuner, 0, Input::Tick), [Output::Load(String::from(URL))]);
    let text = list(10, 6, "");
    let playlist = Loaded { url: String::from(URL), text: text.clone() };
    let told = Output::Tell(WantId(0), playlist);
    let wants = [13, 14, 15].into_iter().enumerate();
    let wants = wants.map(|(before, sequence)| want(before as u64 + 1, sequence));
    let expected: Vec<Output> = core::iter::once(told).chain(wants).collect();
    assert_eq!(feed(&mut tuner, 50, loaded(text)), expected);
    assert_eq!(tuner.deadline(), Some(at(2050)), "news: one target duration");
    assert_eq!(feed(&mut tuner, 2049, Input::Tick), []);
    assert_eq!(feed(&mut tuner, 2050, Input::Tick).len(), 1);
    assert_eq!(wanted(&feed(&mut tuner, 2060, loaded(list(11, 6, "")))), [16]);
    assert_eq!(feed(&mut tuner, 4060, Input::Tick).len(), 1);
    assert!(wanted(&feed(&mut tuner, 4070, loaded(list(11, 6, "")))).is_empty());
    assert_eq!(tuner.deadline(), Some(at(5070)), "no news: half of it");
}

#[test]
fn what_became_of_each_want_is_counted_once() {
    let mut tuner = tuned(list(0, 3, ""));
    for (id, outcome) in
        [(1, Outcome::Here), (2, Outcome::Lost), (2, Outcome::Here), (9, Outcome::Here)]
    {
        assert_eq!(feed(&mut tuner, 10, Input::Done(WantId(id), outcome)), []);
    }
    let (failed_loads, is_ended) = (0, false);
    assert_eq!(tuner.stats(), Stats { wanted: 3, here: 1, lost: 1, failed_loads, is_ended });
}

#[test]
fn a_list_that_does_not_come_or_is_none_is_asked_for_again_ever_later() {
    let mut tuner = Tuner::new(String::from(URL));
    let mut now = 0;
    for wait in [1000, 2000, 4000, 8000, 8000] {
        assert_eq!(feed(&mut tuner, now, Input::Tick).len(), 1);
        feed(
            &mut tuner,
            now,
            if wait == 2000 { loaded(String::from("<html>")) } else { Input::Failed },
        );
        now += wait;
        assert_eq!(tuner.deadline(), Some(at(now)));
    }
    assert_eq!(tuner.stats().failed_loads, 5);
    feed(&mut tuner, now, Input::Tick);
    feed(&mut tuner, now, loaded(list(0, 3, "")));
    assert_eq!(tuner.deadline(), Some(at(now + 2000)), "all is well again");
}

#[test]
fn an_older_list_of_a_cache_wants_nothing_and_numbers_that_begin_anew_do() {
    let mut tuner = tuned(list(100, 6, ""));
    assert!(wanted(&reload(&mut tuner, list(98, 6, ""))).is_empty(), "shown by a cache");
    assert_eq!(wanted(&reload(&mut tuner, list(101, 6, ""))), [106]);
    assert_eq!(wanted(&reload(&mut tuner, list(0, 6, ""))), [3, 4, 5], "begun anew");
    assert_eq!(wanted(&reload(&mut tuner, list(1, 6, ""))), [6]);
}

#[test]
fn after_a_gap_only_the_newest_are_wanted() {
    let mut tuner = tuned(list(0, 6, ""));
    let wants = wanted(&reload(&mut tuner, list(0, 900, "")));
    assert_eq!(wants, (900 - MAX_AT_ONCE..900).collect::<Vec<_>>());
    let end = u64::MAX - 2;
    let wants = wanted(&reload(&mut tuner, list(end, 6, "")));
    assert!(wants.len() as u64 <= MAX_AT_ONCE, "a hostile number is one, too");
}

#[test]
fn a_finished_list_is_looked_at_once_a_minute_and_one_that_goes_on_is_followed_again() {
    let mut tuner = tuned(list(0, 6, "#EXT-X-ENDLIST\n"));
    assert!(tuner.stats().is_ended);
    assert_eq!(tuner.deadline(), Some(Moment::ZERO.after(AFTER_END)));
    assert_eq!(feed(&mut tuner, 59_999, Input::Tick), []);
    assert_eq!(feed(&mut tuner, 59_999, loaded(list(9, 6, ""))), [], "nobody asked");
    assert_eq!(wanted(&reload(&mut tuner, list(0, 6, "#EXT-X-ENDLIST\n"))), [0; 0]);
    assert!(tuner.stats().is_ended);
    assert_eq!(wanted(&reload(&mut tuner, list(1, 6, ""))), [6]);
    assert!(!tuner.stats().is_ended);
    let next = Moment::ZERO.after(2 * AFTER_END).after(Duration::from_secs(2));
    assert_eq!(tuner.deadline(), Some(next), "at its usual pace");
}

#[test]
fn no_target_duration_makes_it_ask_too_often_or_never() {
    for (target, longest) in [(0, MIN_PAUSE), (u64::MAX, MAX_PAUSE)] {
        let text = list(0, 3, "").replace("DURATION:2", &format!("DURATION:{target}"));
        let tuner = tuned(text);
        assert_eq!(tuner.deadline(), Some(Moment::ZERO.after(longest)), "{target}");
    }
}

/// A tuner that has read this list at 0.
fn tuned(text: String) -> Tuner {
    let mut tuner = Tuner::new(String::from(URL));
    feed(&mut tuner, 0, Input::Tick);
    feed(&mut tuner, 0, loaded(text));
    tuner
}

/// Lets it load at its own time.
fn reload(tuner: &mut Tuner, text: String) -> Vec<Output> {
    let now = tuner.deadline().unwrap();
    let mut out = Vec::new();
    tuner.handle(now, Input::Tick, &mut out);
    assert_eq!(out, [Output::Load(String::from(URL))]);
    out.clear();
    tuner.handle(now, loaded(text), &mut out);
    out
}

fn feed(tuner: &mut Tuner, now: u64, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    tuner.handle(at(now), input, &mut out);
    out
}

fn wanted(out: &[Output]) -> Vec<u64> {
    let sequence = |output: &Output| match output {
        Output::Want(_, wanted) => Some(wanted.sequence),
        Output::Load(_) | Output::Tell(..) => None,
    };
    out.iter().filter_map(sequence).collect()
}

fn want(id: u64, sequence: u64) -> Output {
    Output::Want(WantId(id), Wanted { sequence, buffered_ms: 2000 })
}

fn loaded(text: String) -> Input {
    Input::Loaded(String::from(URL), text)
}

fn list(first: u64, count: u64, end: &str) -> String {
    let segments: String = (0..count).map(|n| format!("#EXTINF:2.0,\n{n}.m4s\n")).collect();
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n{segments}{end}")
}

fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}
