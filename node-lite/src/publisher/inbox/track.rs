//! One rendition that is pushed: what its playlist lists and has not come yet.

use super::{Held, Output, PATIENCE, Ready};
use crate::publisher::intake::{Intake, IntakeError, Listing, MAX_SOURCE_SEGMENTS, Wanted};
use antiphon_core::time::Moment;
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug)]
pub(super) struct Track {
    rendition: u8,
    intake: Intake,
    /// The newest playlist, as long as it lists what has not come yet.
    text: Vec<u8>,
    /// What is listed and was neither published nor given up, in order; at most [`MAX_SOURCE_SEGMENTS`].
    waiting: VecDeque<Listed>,
    /// The initialisation segment of what was published last.
    map: Option<String>,
    /// Whether something was published, so that there is an initialisation segment: one that came before a restart is not
    /// pushed again.
    has_begun: bool,
    /// Whether what should come next follows something that was given up.
    is_gap: bool,
    says_end: bool,
}

#[derive(Debug)]
struct Listed {
    wanted: Wanted,
    /// When it is given up.
    until: Moment,
    /// Whether another playlist has come since: it is late.
    is_late: bool,
}

impl Track {
    pub(super) fn new(rendition: u8, next: Option<u64>) -> Self {
        Self {
            rendition,
            intake: Intake::from(next),
            text: Vec::new(),
            waiting: VecDeque::new(),
            map: None,
            has_begun: next.is_some(),
            is_gap: false,
            says_end: false,
        }
    }

    /// Returns the name of the initialisation segment in use.
    pub(super) fn map(&self) -> Option<&str> {
        self.map.as_deref()
    }

    /// Returns whether the newest playlist says that nothing follows.
    pub(super) const fn says_end(&self) -> bool {
        self.says_end
    }

    /// Returns whether nothing is waited for.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns whether a file of this name is in use, or will be.
    pub(super) fn needs(&self, name: &str) -> bool {
        let is_listed = |Listed { wanted, .. }: &Listed| {
            wanted.name == name || wanted.map.as_deref() == Some(name)
        };
        self.map() == Some(name) || self.waiting.iter().any(is_listed)
    }

    /// Reads the playlist as it is now; says whether it lists parts.
    pub(super) fn list(&mut self, now: Moment, text: &[u8]) -> Result<bool, IntakeError> {
        let Listing { wanted, is_ended, has_parts, target } = self.intake.read(text)?;
        if self.text != text {
            self.waiting.iter_mut().for_each(|listed| listed.is_late = true);
        }
        let until = now.after(target.saturating_mul(PATIENCE));
        let fresh = wanted.into_iter().map(|wanted| Listed { wanted, until, is_late: false });
        self.waiting.extend(fresh);
        self.says_end = is_ended;
        self.text = text.to_owned();
        Ok(has_parts)
    }

    /// Publishes what is here and gives up what will not come, up to the first that is waited for.
    pub(super) fn advance(
        &mut self,
        now: Moment,
        files: &mut BTreeMap<String, Held>,
        out: &mut Vec<Output>,
    ) {
        let is_here = |listed: &Listed| self.lacks(&listed.wanted, files).is_none();
        // How many there are up to the last one that is here.
        let mut passed =
            self.waiting.iter().rposition(is_here).map_or(0, |last| last.saturating_add(1));
        while let Some(next) = self.waiting.front() {
            if self.lacks(&next.wanted, files).is_none() {
                self.publish(files, out);
            } else if next.until <= now
                || (next.is_late && passed > 0)
                || self.waiting.len() > MAX_SOURCE_SEGMENTS
            {
                self.give_up(files, out);
            } else {
                return;
            }
            passed = passed.saturating_sub(1);
        }
        self.text = Vec::new();
    }

    /// Returns when the next one is given up.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.waiting.front().map(|listed| listed.until)
    }

    /// Returns the file without which a segment cannot be published, if there is one.
    fn lacks(&self, wanted: &Wanted, files: &BTreeMap<String, Held>) -> Option<String> {
        if !files.contains_key(&wanted.name) {
            return Some(wanted.name.clone());
        }
        let is_known = |map: &String| match &self.map {
            Some(last) => last == map,
            None => self.has_begun,
        };
        wanted.map.clone().filter(|map| !files.contains_key(map) && !is_known(map))
    }

    fn publish(&mut self, files: &mut BTreeMap<String, Held>, out: &mut Vec<Output>) {
        let Some(Listed { wanted, .. }) = self.waiting.pop_front() else { return };
        let Some(Held { bytes, .. }) = files.remove(&wanted.name) else { return };
        let map = wanted.map.as_ref().and_then(|map| files.get(map));
        let map = map.map(|held| held.bytes.clone());
        self.map.clone_from(&wanted.map);
        self.has_begun = true;
        let is_gap = core::mem::take(&mut self.is_gap);
        let rendition = self.rendition;
        out.push(Output::Publish(Box::new(Ready { rendition, wanted, map, bytes, is_gap })));
    }

    fn give_up(&mut self, files: &mut BTreeMap<String, Held>, out: &mut Vec<Output>) {
        let Some(Listed { wanted, .. }) = self.waiting.pop_front() else { return };
        out.extend(self.lacks(&wanted, files).map(Output::Missing));
        files.remove(&wanted.name);
        // What does not go on from it does not go on from what was before it neither.
        self.is_gap = true;
    }
}
