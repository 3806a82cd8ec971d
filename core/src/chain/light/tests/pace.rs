//! How often a client looks, and what a look costs.

use super::{NOW, World, config, drain, heights};
use crate::{
    chain::light::{
        File, Input, Light, LightError, MAX_NEWS_HEADERS, News, Output, Source, Stored,
    },
    codec::encode,
    time::Moment,
};
use alloc::{vec, vec::Vec};
use core::time::Duration;

fn after(seconds: u64) -> Moment {
    Moment::ZERO.after(Duration::from_secs(seconds))
}

/// A client that has its heads, of 25 blocks.
fn started() -> Light {
    let world = World::new(25);
    let (mut light, mut out) = (Light::new(config(world.chain())), Vec::new());
    light.handle(Moment::ZERO, NOW, Input::Loaded(Stored::default()), &mut out);
    let mut refused = Vec::new();
    drain(&mut light, &mut out, &mut refused, |file| world.honest(file, 20));
    assert_eq!((refused, heights(&light)), (vec![], [Some(25), Some(23), Some(20)]));
    light
}

/// Returns what a client asks for when it is ticked.
fn tick(light: &mut Light, at: Moment) -> Vec<File> {
    let mut out = Vec::new();
    light.handle(at, NOW, Input::Tick, &mut out);
    let files = out.into_iter().filter_map(|output| match output {
        Output::Fetch(Source::NODE, file) => Some(file),
        _ => None,
    });
    files.collect()
}

/// Answers a look, and returns what follows.
fn answer(light: &mut Light, at: Moment, news: &News) -> Vec<Output> {
    let mut out = Vec::new();
    let news = Input::Fetched(Source::NODE, File::News, encode(news));
    light.handle(at, NOW, news, &mut out);
    out
}

/// The news of a chain of so many blocks.
fn news(blocks: u64) -> News {
    let world = World::new(blocks);
    News::new(world.tip(20), world.headers.iter().cloned())
}

#[test]
fn who_has_its_heads_asks_for_news_and_for_no_header_of_four_blocks() {
    let mut light = started();
    assert_eq!(tick(&mut light, after(1)), [File::News]);
    assert_eq!(answer(&mut light, after(1), &news(29)), [Output::Advanced]);
    assert_eq!(heights(&light), [Some(29), Some(27), Some(20)]);
}

#[test]
fn what_news_do_not_bring_is_asked_for_by_itself() {
    let mut light = started();
    tick(&mut light, after(1));
    let (world, mut short) = (World::new(29), news(29));
    let newest = short.headers.iter().skip(short.headers.len() - 2).cloned();
    short.headers = newest.collect::<Vec<_>>().try_into().unwrap();
    let missing =
        [26, 27].map(|height| Output::Fetch(Source::NODE, File::Header(world.header(height).id())));
    assert_eq!(answer(&mut light, after(1), &short), missing);
}

#[test]
fn news_bring_the_newest_of_what_their_tip_names() {
    let world = World::new(29);
    let news = News::new(world.tip(10), world.headers.iter().cloned());
    assert_eq!(news.headers.to_vec(), world.headers[29 - MAX_NEWS_HEADERS..]);
    let few = News::new(world.tip(28), world.headers.iter().cloned());
    assert_eq!(few.headers.to_vec(), world.headers[28..], "what is final is not news");
}

#[test]
fn a_header_that_the_news_do_not_name_is_refused_and_nothing_moves() {
    let mut light = started();
    tick(&mut light, after(1));
    let mut foul = news(29);
    foul.headers = vec![World::new(12).header(12).clone()].try_into().unwrap();
    let refused = [Output::Refused(LightError::WrongContent)];
    assert_eq!(answer(&mut light, after(1), &foul), refused);
    assert_eq!(heights(&light), [Some(25), Some(23), Some(20)]);
    assert_eq!(tick(&mut light, after(9)), [File::Tip], "a tip is as good, and less");
}

#[test]
fn while_nothing_waits_every_eighth_block_will_do() {
    let mut light = started();
    light.calm_down(true);
    // The look that was due before it was calm is not put off.
    assert_eq!(tick(&mut light, after(1)), [File::News]);
    answer(&mut light, after(1), &news(26));
    assert_eq!(light.deadline(), Some(after(9)));
    assert_eq!(tick(&mut light, after(8)), []);
    light.calm_down(false);
    assert_eq!(light.deadline(), Some(after(2)), "a block after the last look, which is over");
    assert_eq!(tick(&mut light, after(8)), [File::News]);
}

#[test]
fn a_source_that_has_no_news_is_asked_for_tips() {
    let mut light = started();
    for miss in 0..8 {
        let at = after(20 * (miss + 1));
        let asked = tick(&mut light, at);
        assert_eq!(
            asked,
            [if miss % 2 == 0 && miss < 5 { File::News } else { File::Tip }],
            "{miss}"
        );
        let answer = match &asked[..] {
            [File::Tip] => {
                Input::Fetched(Source::NODE, File::Tip, World::new(25).honest(&File::Tip, 20))
            }
            _ => Input::Missing(Source::NODE, File::News),
        };
        light.handle(at, NOW, answer, &mut Vec::new());
    }
}

/// A node that lags on purpose does not fill a client's memory.
#[test]
fn news_of_a_tip_that_lags_leave_nothing_behind() {
    let mut light = started();
    let held = light.headers.len();
    tick(&mut light, after(1));
    let (world, mut old) = (World::new(12), news(29));
    old.tip = world.tip(0);
    old.headers = vec![world.header(12).clone()].try_into().unwrap();
    assert_eq!(answer(&mut light, after(1), &old), []);
    assert_eq!(light.headers.len(), held);
}
