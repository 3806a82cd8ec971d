//! Reads when a fragmented-MP4 segment plays, and moves it in time without touching its media.
//!
//! ```text
//! styp  sidx            moof                              mdat
//!       earliest time   mfhd sequence                     (untouched)
//!                       traf: tfhd, tfdt base time, trun durations
//! ```
//!
//! `mp4-atom` reads; the three numbers are then patched in place, because encoding anew would drop what the crate
//! does not know and shift `trun` offsets. Source: ISO/IEC 14496-12 §8.8, §8.16.3.

use mp4_atom::{Atom, Buf, Decode, DecodeAtom, Header, Moof, Moov};

/// Boxes are nested no deeper than `moof` and `traf`.
const MAX_DEPTH: u8 = 2;

/// Why a segment cannot be moved in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FragmentError {
    /// A box is cut, or its content is not what its name says.
    #[error("the file is no well-formed fragmented MP4")]
    Malformed,
    /// The initialisation segment does not describe exactly one track.
    #[error("{0} tracks where one is expected")]
    Tracks(usize),
    /// No fragment, or one without a base time or a duration.
    #[error("a fragment without a time")]
    Timeless,
    /// The index counts in other units than the track.
    #[error("the segment index and the track count time in different units")]
    Timescale,
    /// The time does not fit the box's 32 bits.
    #[error("the time does not fit the file's 32-bit field")]
    TimeOverflow,
}

impl FragmentError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "fragment/malformed",
            Self::Tracks(_) => "fragment/not-one-track",
            Self::Timeless => "fragment/timeless",
            Self::Timescale => "fragment/timescale",
            Self::TimeOverflow => "fragment/time-overflow",
        }
    }
}

/// The one track of an initialisation segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// Ticks in a second.
    pub timescale: u32,
    /// Ticks of a sample where nothing else is said; 0 if unknown.
    pub sample_ticks: u32,
}

/// When a segment plays, in ticks of its track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Base time of the first fragment.
    pub start: u64,
    /// Sum of all samples' durations.
    pub ticks: u64,
}

impl Track {
    /// Reads an initialisation segment.
    ///
    /// # Errors
    /// [`FragmentError::Malformed`] and [`FragmentError::Tracks`].
    pub fn read(init: &[u8]) -> Result<Self, FragmentError> {
        let moov: Moov = children(init)?
            .into_iter()
            .find(|(header, _)| header.kind == Moov::KIND)
            .ok_or(FragmentError::Malformed)
            .and_then(|(header, body)| atom(&header, body))?;
        let [track] = moov.trak.as_slice() else {
            return Err(FragmentError::Tracks(moov.trak.len()));
        };
        let defaults = moov.mvex.as_ref().and_then(|mvex| mvex.trex.first());
        let timescale = track.mdia.mdhd.timescale;
        if timescale == 0 {
            return Err(FragmentError::Malformed);
        }
        Ok(Self {
            timescale,
            sample_ticks: defaults.map_or(0, |trex| trex.default_sample_duration),
        })
    }

    /// Reads when a segment of this track plays.
    ///
    /// # Errors
    /// [`FragmentError::Malformed`] and [`FragmentError::Timeless`].
    pub fn span(&self, segment: &[u8]) -> Result<Span, FragmentError> {
        let mut start = None;
        let mut ticks = 0_u64;
        for (header, body) in children(segment)? {
            if header.kind != Moof::KIND {
                continue;
            }
            let moof: Moof = atom(&header, body)?;
            let [traf] = moof.traf.as_slice() else {
                return Err(FragmentError::Tracks(moof.traf.len()));
            };
            let base = traf.tfdt.as_ref().ok_or(FragmentError::Timeless)?;
            start.get_or_insert(base.base_media_decode_time);
            let usual = traf.tfhd.default_sample_duration.unwrap_or(self.sample_ticks);
            for sample in traf.trun.iter().flat_map(|trun| trun.samples.iter()) {
                ticks = ticks.saturating_add(sample.duration.unwrap_or(usual).into());
            }
        }
        match start {
            Some(start) if ticks > 0 => Ok(Span { start, ticks }),
            Some(_) | None => Err(FragmentError::Timeless),
        }
    }

    /// Moves a segment `ticks` later and numbers its fragments from `sequence` on.
    ///
    /// # Errors
    /// [`FragmentError`]; the segment is then no longer of use.
    pub fn shift(
        &self,
        segment: &mut [u8],
        ticks: u64,
        sequence: u32,
    ) -> Result<(), FragmentError> {
        let mut shift = Shift { timescale: self.timescale, ticks, sequence };
        shift.boxes(segment, 0)
    }
}

/// Splits bytes into boxes; a size of 0 reaches to the end.
fn children(mut bytes: &[u8]) -> Result<Vec<(Header, &[u8])>, FragmentError> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let header = Header::decode(&mut bytes).map_err(|_| FragmentError::Malformed)?;
        let size = header.size.unwrap_or(bytes.remaining());
        let (body, rest) = bytes.split_at_checked(size).ok_or(FragmentError::Malformed)?;
        found.push((header, body));
        bytes = rest;
    }
    Ok(found)
}

fn atom<T: Atom + DecodeAtom>(header: &Header, mut body: &[u8]) -> Result<T, FragmentError> {
    T::decode_atom(header, &mut body).map_err(|_| FragmentError::Malformed)
}

/// What is added to the numbers of a segment.
struct Shift {
    timescale: u32,
    ticks: u64,
    sequence: u32,
}

impl Shift {
    fn boxes(&mut self, mut bytes: &mut [u8], depth: u8) -> Result<(), FragmentError> {
        if depth > MAX_DEPTH {
            return Err(FragmentError::Malformed);
        }
        while !bytes.is_empty() {
            let mut reader: &[u8] = bytes;
            let header = Header::decode(&mut reader).map_err(|_| FragmentError::Malformed)?;
            let head = bytes.len().saturating_sub(reader.len());
            let size = header.size.unwrap_or(reader.len());
            let (_, after) = bytes.split_at_mut_checked(head).ok_or(FragmentError::Malformed)?;
            let (body, rest) = after.split_at_mut_checked(size).ok_or(FragmentError::Malformed)?;
            match header.kind.as_ref() {
                b"moof" | b"traf" => self.boxes(body, depth.saturating_add(1))?,
                b"mfhd" => {
                    put(body, 4, self.sequence.to_be_bytes())?;
                    self.sequence = self.sequence.wrapping_add(1);
                }
                b"tfdt" => self.time(body, 4)?,
                b"sidx" => {
                    if u32::from_be_bytes(take(body, 8)?) != self.timescale {
                        return Err(FragmentError::Timescale);
                    }
                    self.time(body, 12)?;
                }
                _ => {}
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Adds to the time at `at`: 64 bits in version 1 of a box, 32 in version 0.
    fn time(&self, body: &mut [u8], at: usize) -> Result<(), FragmentError> {
        let overflow = FragmentError::TimeOverflow;
        match take::<1>(body, 0)? {
            [0] => {
                let time = u64::from(u32::from_be_bytes(take(body, at)?));
                let time = time.checked_add(self.ticks).ok_or(overflow)?;
                put(body, at, u32::try_from(time).map_err(|_| overflow)?.to_be_bytes())
            }
            [1] => {
                let time = u64::from_be_bytes(take(body, at)?);
                put(body, at, time.checked_add(self.ticks).ok_or(overflow)?.to_be_bytes())
            }
            _ => Err(FragmentError::Malformed),
        }
    }
}

fn take<const N: usize>(body: &[u8], at: usize) -> Result<[u8; N], FragmentError> {
    body.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(FragmentError::Malformed)
}

fn put<const N: usize>(body: &mut [u8], at: usize, value: [u8; N]) -> Result<(), FragmentError> {
    let place = body.get_mut(at..).and_then(|rest| rest.first_chunk_mut());
    *place.ok_or(FragmentError::Malformed)? = value;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
