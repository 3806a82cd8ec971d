//! Who listens, and what is wrong with some of them.

/// How a listener behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// As it should.
    Honest,
    /// Changes a byte of all that it sends.
    Polluter,
    /// Gives nothing, and does not say what it has.
    FreeRider,
    /// Claims every segment before anybody has it, and brings none.
    Squatter,
    /// Asks every neighbour for everything, and reads nothing of it.
    SlowReader,
    /// Asks every neighbour for everything, over and over.
    Glutton,
    /// As it should, with a key that it chose among hundreds: to be drawn often, or to come first where keys are in order.
    Grinder,
    /// Wants to be all that one listener is linked with; gives nothing.
    Eclipser,
    /// Says to the tracker that it is somebody else.
    Impostor,
    /// As it should, next door to everybody, with a line like no other: to be whom everybody is linked with.
    Charmer,
}

impl Kind {
    /// Every kind that is a foe.
    pub const FOES: [Self; 9] = [
        Self::Polluter,
        Self::FreeRider,
        Self::Squatter,
        Self::SlowReader,
        Self::Glutton,
        Self::Grinder,
        Self::Eclipser,
        Self::Impostor,
        Self::Charmer,
    ];

    /// Returns whether it says what it has, as a listener should.
    pub(super) const fn announces(self) -> bool {
        matches!(self, Self::Honest | Self::Polluter | Self::Grinder | Self::Charmer)
    }

    /// Returns whether it claims every segment.
    pub(super) const fn claims(self) -> bool {
        matches!(self, Self::Squatter | Self::Eclipser)
    }

    /// Returns whether it gives when it is asked.
    pub(super) const fn serves(self) -> bool {
        self.announces()
    }

    /// Returns whether it plays the stream.
    pub(super) fn plays(self) -> bool {
        self.announces() || self == Self::FreeRider
    }
}
