//! The maps of the stream: which are in use, served and signed for.
//!
//! Invariant: a map is served only while the stream's description answers for it.

use super::{Container, File, Output, Publisher, SegmentError, short_digest};
use antiphon_core::delivery::record::{MAX_MAPS, Map};
use borsh::{BorshDeserialize, BorshSerialize};

/// A map that is served: its file, and what the stream's description says of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct NamedMap {
    pub(super) name: String,
    map: Map,
}

impl NamedMap {
    /// Returns whether these are its bytes.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        Map::of(bytes).is_ok_and(|map| map == self.map)
    }
}

impl Publisher {
    /// Takes the initialisation segment of the segments of a rendition that follow.
    ///
    /// # Errors
    /// [`SegmentError::Record`] if it is empty or longer than a map may be; [`SegmentError::TooManyMaps`];
    /// [`SegmentError::NoRendition`].
    pub fn map(
        &mut self,
        rendition: u8,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) -> Result<(), SegmentError> {
        let map = Map::of(&bytes)?;
        let name = format!("init-{}.mp4", short_digest(&bytes));
        let named = NamedMap { name: name.clone(), map };
        let current = self.renditions.get(usize::from(rendition));
        if current.ok_or(SegmentError::NoRendition)?.standing.map.as_ref() == Some(&named) {
            return Ok(());
        }
        let in_use = self.maps_in_use();
        let is_new = !in_use.contains(&map);
        if is_new && in_use.len() >= MAX_MAPS {
            return Err(SegmentError::TooManyMaps);
        }
        if is_new {
            let file = File { name, container: Container::Mp4, bytes };
            out.extend([Output::Keep(file.clone()), Output::Serve(file)]);
        }
        let place = self.renditions.get_mut(usize::from(rendition));
        if let Some(old) = place.and_then(|place| place.standing.map.replace(named)) {
            self.forget_map(old, out);
        }
        self.sign_info();
        Ok(())
    }

    /// Forgets an initialisation segment that nothing needs any more.
    pub(super) fn forget_map(&mut self, old: NamedMap, out: &mut Vec<Output>) {
        if !self.maps_in_use().contains(&old.map) {
            out.push(Output::Forget(old.name));
            self.sign_info();
        }
    }

    /// Returns every map that a segment of any rendition needs which is served, waits, or comes next; each once. Those of
    /// segments that have left the playlist are among them: who lags may need them as long as they are served.
    pub(super) fn maps_in_use(&self) -> Vec<Map> {
        let mut maps = Vec::new();
        for rendition in &self.renditions {
            let used = rendition.entries.iter().map(|(entry, _)| &entry.map);
            for named in used.chain([&rendition.standing.map]).flatten() {
                if !maps.contains(&named.map) {
                    maps.push(named.map);
                }
            }
        }
        maps
    }
}
