//! What a crowd is like, and what is wrong with it.

use super::{NOMINAL, SEGMENT_MS, kind::Kind};
use std::ops::Range;

/// What a crowd is.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Everything that could be chance.
    pub seed: u64,
    /// Listeners at any time.
    pub listeners: usize,
    /// Virtual seconds.
    pub seconds: u64,
    /// Milliseconds of a segment.
    pub segment_ms: u64,
    /// Milliseconds behind the end of the playlist at which they play.
    pub behind_ms: u64,
    /// All come within so many milliseconds.
    pub arrival_ms: u64,
    /// Half of them stay no longer than this; whoever goes is replaced by another. Nobody goes if `None`.
    pub stay_ms: Option<u64>,
    /// Foes, with how many of a hundred they are.
    pub foes: Vec<(Kind, u64)>,
    /// Foes around one listener, which come when it plays.
    pub eclipsers: usize,
    /// Of a hundred messages, those that are lost and come again.
    pub loss: u64,
    /// Slowest and fastest uplink, in bytes a millisecond.
    pub uplinks: (u64, u64),
    /// Whether links that bring little make room for others.
    pub refreshes: bool,
    /// Whether the tracker has a file that says where addresses are.
    pub is_mapped: bool,
    /// Milliseconds from the beginning in which the tracker is dead.
    pub dead_tracker: Range<u64>,
}

/// What the names of settings stand for.
type Named = (&'static str, fn(Setting) -> Setting);

/// How near to live and how a stream is cut, then every foe by itself. Source: issue 5, "In the simulator"; FIELD-NOTES, "Security of peer-delivered streaming".
const FOES: [Named; 18] = [
    ("near", |calm| Setting { segment_ms: 1000, behind_ms: 2000, ..calm }),
    ("long", |calm| Setting { segment_ms: 4000, behind_ms: 6000, ..calm }),
    ("flash", |calm| Setting { arrival_ms: 5_000, ..calm }),
    ("churn", |calm| Setting { stay_ms: Some(300_000), ..calm }),
    ("slow", |calm| Setting { uplinks: (64, 500), ..calm }),
    ("loss", |calm| Setting { loss: 10, ..calm }),
    ("pollution", |calm| calm.with(Kind::Polluter, 30)),
    ("free-riding", |calm| calm.with(Kind::FreeRider, 30)),
    ("squatting", |calm| calm.with(Kind::Squatter, 10)),
    ("slow-readers", |calm| calm.with(Kind::SlowReader, 10)),
    ("gluttons", |calm| calm.with(Kind::Glutton, 10)),
    ("grinding", |calm| calm.with(Kind::Grinder, 30)),
    ("spoofing", |calm| calm.with(Kind::Impostor, 5)),
    ("charm", |calm| Setting { is_mapped: false, ..calm.with(Kind::Charmer, 10) }),
    ("unmapped", |calm| Setting { is_mapped: false, ..calm }),
    ("eclipse", |calm| Setting { eclipsers: 128, ..calm }),
    ("no-tracker", |calm| Setting { dead_tracker: 0..u64::MAX, ..calm }),
    ("lost-tracker", |calm| Setting { dead_tracker: 35_000..u64::MAX, ..calm }),
];

impl Setting {
    /// A crowd in which everybody is honest and stays; lines are those of homes.
    pub const fn calm(seed: u64, listeners: usize, seconds: u64) -> Self {
        Self {
            seed,
            listeners,
            seconds,
            segment_ms: SEGMENT_MS,
            behind_ms: 3 * SEGMENT_MS,
            arrival_ms: 30_000,
            stay_ms: None,
            foes: Vec::new(),
            eclipsers: 0,
            loss: 0,
            // 2 to 20 Mbit/s.
            uplinks: (250, 2500),
            refreshes: true,
            is_mapped: true,
            dead_tracker: 0..0,
        }
    }

    /// A crowd in which much is wrong at once.
    pub fn hostile(seed: u64, listeners: usize, seconds: u64) -> Self {
        Self {
            arrival_ms: 5_000,
            stay_ms: Some(300_000),
            foes: vec![(Kind::Polluter, 30), (Kind::FreeRider, 30), (Kind::Squatter, 5)],
            loss: 10,
            // 0.5 to 20 Mbit/s.
            uplinks: (64, 2500),
            dead_tracker: 20_000..35_000,
            ..Self::calm(seed, listeners, seconds)
        }
    }

    /// Returns how many bytes a segment has as lines see them.
    pub const fn segment_bytes(&self) -> u64 {
        bytes_of(self.segment_ms)
    }

    /// Returns the names that [`Self::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ["calm", "hostile"].into_iter().chain(FOES.iter().map(|(name, _)| *name))
    }

    /// Returns the crowd of this name, or `None` if there is none; with `/kept` behind it one that keeps every link that it has.
    pub fn named(name: &str, seed: u64, listeners: usize, seconds: u64) -> Option<Self> {
        if let Some(name) = name.strip_suffix("/kept") {
            let refreshing = Self::named(name, seed, listeners, seconds)?;
            return Some(Self { refreshes: false, ..refreshing });
        }
        let calm = Self::calm(seed, listeners, seconds);
        match name {
            "calm" => Some(calm),
            "hostile" => Some(Self::hostile(seed, listeners, seconds)),
            name => FOES.iter().find(|(of, _)| *of == name).map(|(_, wrong)| wrong(calm)),
        }
    }

    /// Makes so many of a hundred foes of a kind.
    pub fn with(mut self, kind: Kind, percent: u64) -> Self {
        self.foes.push((kind, percent));
        self
    }

    /// Returns the kind of who drew a number below a hundred.
    pub(super) fn kind(&self, mut drawn: u64) -> Kind {
        for (kind, percent) in &self.foes {
            match drawn.checked_sub(*percent) {
                None => return *kind,
                Some(rest) => drawn = rest,
            }
        }
        Kind::Honest
    }
}

/// Returns how many bytes a segment of so many milliseconds has as lines see them.
pub(super) const fn bytes_of(segment_ms: u64) -> u64 {
    segment_ms * NOMINAL / SEGMENT_MS
}
