//! A small file that names the last slot signed in each role, so that a store put back to an older state is noticed.
//!
//! It is written after the store's batch and before anything leaves, without a sync of its own: what it must survive is
//! a restored copy of the store, not a power cut, after which it may be behind and accuses nobody.

use crate::storage::{Role, Signature};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Mutex,
};

/// The last term and slot of each role. Terms follow each other, so the greatest pair is the last.
pub(super) type Slots = [(u64, u64); 3];

#[derive(Debug)]
pub(super) struct Witness {
    state: Mutex<(File, Slots)>,
}

const fn place(role: Role) -> usize {
    match role {
        Role::Vote => 0,
        Role::Proposal => 1,
        Role::Share => 2,
    }
}

impl Witness {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut slots = Slots::default();
        for (slot, chunk) in slots.iter_mut().zip(bytes.chunks_exact(16)) {
            let (term, place) = chunk.split_at(8);
            let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
            *slot = (number(term), number(place));
        }
        Ok(Self { state: Mutex::new((file, slots)) })
    }

    /// Returns whether something was signed that `signed`, the store's own log, does not know.
    pub(super) fn is_ahead_of(&self, signed: &Slots) -> bool {
        let state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.1.iter().zip(signed).any(|(seen, stored)| seen > stored)
    }

    pub(super) fn note(&self, signed: impl Iterator<Item = Signature>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (file, slots) = &mut *state;
        let mut changed = false;
        for signature in signed {
            if let Some(slot) = slots.get_mut(place(signature.role)) {
                let signed = (signature.term, signature.slot);
                changed |= *slot < signed;
                *slot = (*slot).max(signed);
            }
        }
        if changed {
            let bytes: Vec<u8> = slots
                .iter()
                .flat_map(|(term, slot)| [term.to_le_bytes(), slot.to_le_bytes()].concat())
                .collect();
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&bytes)?;
        }
        Ok(())
    }
}
