//! The light client between honest answers, lies and silence.

use super::{
    choice::Choices,
    world::{CLOCK, world},
};
use antiphon_core::{
    chain::{
        Level,
        light::{Anchor, Config, File, Input, Kept, Light, Output, Skipping, Source, Stored},
    },
    codec::encode,
    id::Height,
    time::Moment,
};
use std::time::Duration;

/// Inputs in one run.
const MAX_STEPS: usize = 96;
/// Most outputs of one input: 32 files at once, a file to keep, heads that moved, what was refused.
const MAX_OUTPUTS: usize = 64;

/// Drives a light client; the bytes say what the node answers, and when.
pub fn light_machine(data: &[u8]) -> &'static str {
    let world = world();
    let mut choices = Choices::new(data);
    let kind = choices.below(4);
    let anchor = match kind {
        0..3 => Anchor::Genesis,
        _ => Anchor::Checkpoint(world.checkpoints[0].header.id()),
    };
    let guardians = world.spec.guardians.clone();
    let kept = choices.of(&world.checkpoints).cloned();
    let kept = kept.map(|checkpoint| Kept { anchor, checkpoint, guardians }.to_bytes());
    let trust = match choices.below(3) {
        0 => None,
        1 => kept,
        _ => kept.map(|honest| choices.spoil(honest)),
    };
    let skipping = if kind == 2 { Skipping::On } else { Skipping::Off };
    let config = Config { chain: world.chain, anchor, skipping, witnesses: u8::from(kind > 0) };
    let mut run =
        Run { light: Light::new(config), now: Moment::ZERO, asked: Vec::new(), finalised: 0 };
    run.feed(Input::Loaded(Stored { trust, fork: None }));
    let mut steps = 0;
    while !choices.is_empty() && steps < MAX_STEPS {
        let input = run.choose(&mut choices);
        run.feed(input);
        steps += 1;
    }
    "ok"
}

struct Run {
    light: Light,
    now: Moment,
    /// Files that were asked for and not answered.
    asked: Vec<(Source, File)>,
    /// How many checkpoints the node says are final.
    finalised: usize,
}

impl Run {
    fn choose(&mut self, choices: &mut Choices<'_>) -> Input {
        let world = world();
        let kind = choices.below(12);
        if kind < 8 && !self.asked.is_empty() {
            let (source, file) = self.asked.swap_remove(choices.below(self.asked.len()));
            let honest = world.file(&file, self.finalised).unwrap_or_default();
            let bytes = match kind {
                0..5 => honest,
                5 => choices.spoil(honest),
                6 => choices.of(&world.headers).map(encode).unwrap_or_default(),
                _ => return Input::Missing(source, file),
            };
            return Input::Fetched(source, file, bytes);
        }
        match kind {
            8 => {
                self.finalised = choices.below(4);
                Input::Missing(Source::NODE, File::Tip)
            }
            9 => {
                let tip = encode(&world.tip(choices.below(4)));
                Input::Fetched(Source::NODE, File::Tip, tip)
            }
            10 => {
                self.now = self.now.after(Duration::from_millis(choices.byte().into()));
                Input::Tick
            }
            _ => {
                self.now = self.light.deadline().unwrap_or_default().max(self.now);
                Input::Tick
            }
        }
    }

    fn feed(&mut self, input: Input) {
        let before = (self.light.head(Level::Final), self.light.head(Level::Settled));
        let is_due = input == Input::Tick && self.light.deadline().is_some_and(|d| d <= self.now);
        if let Input::Fetched(source, file, _) | Input::Missing(source, file) = &input {
            self.asked.retain(|(from, asked)| (from, asked) != (source, file));
        }
        let mut out = Vec::new();
        self.light.handle(self.now, CLOCK, input, &mut out);
        assert!(out.len() <= MAX_OUTPUTS, "{} outputs of one input", out.len());
        if is_due {
            assert!(
                self.light.deadline().is_none_or(|d| d > self.now),
                "the deadline stands still"
            );
        }
        let is_moved = out.contains(&Output::Advanced);
        for output in out {
            match output {
                Output::Fetch(source, file) => {
                    assert!(!self.asked.contains(&(source, file.clone())), "asked twice");
                    self.asked.push((source, file));
                }
                Output::Keep(bytes) => {
                    let kept = Kept::from_bytes(&bytes).unwrap();
                    let mut held = world().checkpoints.iter();
                    assert!(held.any(|held| *held == kept.checkpoint), "nobody finalised it");
                    assert!(kept.guardians == world().spec.guardians, "another set");
                }
                Output::KeepFork(proof) => assert!(proof.is_empty(), "the world has not split"),
                Output::Advanced | Output::Refused(_) | Output::Alarm => {}
            }
        }
        assert!(self.asked.len() <= 40, "{} files asked for at once", self.asked.len());
        let after = (self.light.head(Level::Final), self.light.head(Level::Settled));
        let height = |head: &Option<antiphon_core::chain::light::Head>| {
            head.as_ref().map_or(Height(0), |head| head.header.height)
        };
        assert!(height(&after.0) >= height(&before.0), "the final head went back");
        assert!(height(&after.1) >= height(&before.1), "the settled head went back");
        assert!(is_moved || after == before || before.0.is_none(), "a head moved in silence");
        check_heads(&self.light);
    }
}

/// Checks that nothing is settled or final that validators or guardians did not sign.
pub(super) fn check_heads(light: &Light) {
    let world = world();
    for level in [Level::Settled, Level::Final] {
        if let Some(head) = light.head(level) {
            assert!(world.headers.contains(&head.header), "{level:?} and nobody signed it");
            assert!(head.block == head.header.id(), "a head under another name");
        }
    }
    let last = light.head(Level::Final);
    let mut checkpoints = world.checkpoints.iter().map(|held| &held.header);
    assert!(
        last.is_none_or(|last| checkpoints.any(|honest| *honest == last.header)),
        "a final block that is no checkpoint"
    );
}
