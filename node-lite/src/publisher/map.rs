//! The maps of the stream: which are in use, served and signed for.
//!
//! Invariant: a map is served only while the stream's description answers for it.

use super::{Container, File, Output, Publisher, SegmentError, short_digest};
use antiphon_core::{
    crypto::Signed,
    delivery::record::{MAX_MAPS, Map},
};

/// A map that is served: its file, and what the stream's description says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedMap {
    pub(super) name: String,
    map: Map,
}

impl Publisher {
    /// Takes the initialisation segment of the segments that follow.
    ///
    /// # Errors
    /// [`SegmentError::Record`] if it is empty or longer than a map may be; [`SegmentError::TooManyMaps`].
    pub fn map(&mut self, bytes: Vec<u8>, out: &mut Vec<Output>) -> Result<(), SegmentError> {
        let map = Map::of(&bytes)?;
        let name = format!("init-{}.mp4", short_digest(&bytes));
        let named = NamedMap { name: name.clone(), map };
        if self.map.as_ref() != Some(&named) {
            let is_new = !self.maps_in_use().contains(&map);
            if is_new && self.maps_in_use().len() >= MAX_MAPS {
                return Err(SegmentError::TooManyMaps);
            }
            out.push(Output::Serve(File { name, container: Container::Mp4, bytes }));
            if let Some(old) = self.map.replace(named) {
                self.forget_map(old, out);
            }
            self.sign_maps();
        }
        Ok(())
    }

    /// Forgets an initialisation segment that nothing needs any more.
    pub(super) fn forget_map(&mut self, old: NamedMap, out: &mut Vec<Output>) {
        if !self.maps_in_use().contains(&old.map) {
            out.push(Output::Forget(old.name));
            self.sign_maps();
        }
    }

    /// Returns every map that a segment needs which is served, waits, or comes next; each once, oldest first.
    fn maps_in_use(&self) -> Vec<Map> {
        let of_entry = self.entries.iter().map(|entry| &entry.map);
        let used = of_entry.chain(self.pending.iter().map(|(.., map)| map)).chain([&self.map]);
        let mut maps = Vec::new();
        for named in used.flatten() {
            if !maps.contains(&named.map) {
                maps.push(named.map);
            }
        }
        maps
    }

    /// Describes the stream anew with the maps that are in use. Those of segments that have left the playlist are
    /// still described: who lags may need them as long as they are served.
    fn sign_maps(&mut self) {
        // `map()` lets no more in than the description holds.
        self.terms.info.maps = self.maps_in_use().try_into().unwrap_or_default();
        self.info = Signed::new(&self.terms.key, self.terms.chain, self.terms.info.clone());
    }
}
