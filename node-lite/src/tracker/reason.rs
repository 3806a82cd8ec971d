//! Why a connection ends.

/// Why the tracker closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Did not sign in within [`super::SIGN_IN_PATIENCE`], or wrongly.
    NoSignIn,
    /// Said nothing for [`super::SILENCE_PATIENCE`].
    Silent,
    /// Its key signed in anew.
    Replaced,
    /// Too many messages that are wrong or too fast.
    Misbehaved,
    /// Too many connections, of this network or at all.
    Full,
}

impl Reason {
    /// Returns the stable code of this reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSignIn => "tracker/no-sign-in",
            Self::Silent => "tracker/silent",
            Self::Replaced => "tracker/replaced",
            Self::Misbehaved => "tracker/misbehaved",
            Self::Full => "tracker/full",
        }
    }
}
