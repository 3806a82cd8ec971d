//! What a listener gives away: what was agreed to, how the device is, and what was given this month.
//!
//! ```text
//! terms, surroundings, slices of the month --> policy --> client, which counts every byte against it
//!
//! Loaded --> Keep(a slice is taken) --Kept--> Apply(it may be given) --Served--> Keep(the next) …
//! Left ----> Apply(nothing), Keep(what was not given is put back)
//! ```
//!
//! Where there is a cap, nothing is given that is not durably written down as taken. So who crashes has given all of its
//! slice as far as the caps know: too much is counted, never too little. Months are those of the calendar, in UTC.
//!
//! Source: FIELD-NOTES recommendation 7 (consent and caps). For native clients; a page has the same in `wasm/js/src/sharing.ts`, for
//! its month is that of all pages of its origin.

mod month;

use super::{chunk, serve::Policy};
use crate::time::UnixMillis;
use alloc::vec::Vec;
use month::{Month, Months};

/// Bytes that are taken of the month at once by default. Chosen here: as in a page, three minutes of audio for one neighbour.
const SLICE: u64 = 4 << 20;
/// Of a slice, what is left when the next is taken: what neighbours ask for until the next look.
const LOW: u64 = 4;
/// With less than this left, nothing more is given. Source: `core/src/delivery/chunk.rs`.
const CHUNK: u64 = chunk::CHUNK as u64;

/// What a listener agreed to give away. By default all that peers ask for, but not where the network counts bytes or power is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether anything is given.
    pub is_enabled: bool,
    /// Bytes a second at most.
    pub rate: Option<u64>,
    /// Bytes in one session at most.
    pub total: Option<u64>,
    /// Bytes in one month of the calendar (UTC) at most.
    pub monthly: Option<u64>,
    /// Whether to give where the network counts bytes.
    pub on_metered: bool,
    /// Whether to give while the device saves power.
    pub while_saving_power: bool,
}

impl Default for Terms {
    fn default() -> Self {
        let (on_metered, while_saving_power) = (false, false);
        let (rate, total, monthly) = (None, None, None);
        Self { is_enabled: true, rate, total, monthly, on_metered, while_saving_power }
    }
}

/// How the device is at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The network counts bytes.
    pub is_metered: bool,
    /// The device saves power.
    pub is_saving_power: bool,
}

/// Why a listener gives, or does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// It was agreed to.
    Agreed,
    /// It was not agreed to.
    #[default]
    Declined,
    /// The network counts bytes.
    Metered,
    /// The device saves power.
    SavingPower,
    /// A cap is reached.
    Spent,
}

/// What is given, as of now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Whether anything is given.
    pub is_on: bool,
    /// Why, or why not.
    pub why: Reason,
    /// Bytes served in this session; after a crash those that may have been served.
    pub session_bytes: u64,
    /// Bytes served in this month; after a crash those that may have been served.
    pub month_bytes: u64,
    /// The month's cap in bytes.
    pub monthly: Option<u64>,
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// What was written before, if anything; once, before the client begins.
    Loaded(Option<Vec<u8>>),
    /// The listener agreed to something else.
    Agreed(Terms),
    /// The device is on another network, or has other power.
    Moved(Surroundings),
    /// The client has served so many bytes since it began.
    Served(u64),
    /// What was to be kept last is durable.
    Kept,
    /// The client ends: it gives nothing any more.
    Left,
}

/// What must be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this in place of what was there; then say `Kept`.
    Keep(Vec<u8>),
    /// Tell the client what it may give.
    Apply(Policy),
}

/// Decides what one client may give.
#[derive(Clone, Debug)]
pub struct Sharing {
    terms: Terms,
    around: Surroundings,
    /// What was taken of each month; none before it was read.
    months: Option<Months>,
    /// Which month the slices are of.
    month: Month,
    /// Bytes that are taken at once.
    slice: u64,
    /// Bytes of this session before the client, and by it.
    before: u64,
    served: u64,
    /// What may be given in this session altogether by slices that are written.
    leased: u64,
    /// The slice that is being written.
    taking: u64,
    is_over: bool,
    is_changed: bool,
    /// What the client was told last.
    applied: Policy,
}

impl Sharing {
    /// Makes what decides for a client that begins after so many bytes of this session.
    pub fn new(terms: Terms, around: Surroundings, before: u64) -> Self {
        let mut sharing = Self {
            terms,
            around,
            months: None,
            month: Month::default(),
            slice: SLICE,
            before,
            served: 0,
            leased: before,
            taking: 0,
            is_over: false,
            is_changed: false,
            applied: Policy { is_enabled: false, rate: None, total: None },
        };
        sharing.applied = sharing.policy();
        sharing
    }

    /// Takes so many bytes of the month at once, which a crash may cost of it: no more than these can be given between two
    /// looks. 4 MiB by default.
    #[must_use]
    pub const fn in_slices_of(mut self, bytes: u64) -> Self {
        self.slice = bytes;
        self
    }

    /// Applies one input and appends what must be done to `out`.
    pub fn handle(&mut self, clock: UnixMillis, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Loaded(row) => {
                self.months =
                    Some(row.map_or_else(Months::default, |row| Months::from_bytes(&row)));
            }
            Input::Agreed(terms) => {
                // It was taken under another cap.
                self.settle();
                self.terms = terms;
            }
            Input::Moved(around) => self.around = around,
            Input::Served(bytes) => self.served = self.served.max(bytes),
            Input::Kept => {
                let slice = core::mem::take(&mut self.taking);
                self.leased = self.leased.saturating_add(slice);
            }
            Input::Left => {
                self.is_over = true;
                self.settle();
            }
        }
        self.turn_page(Month::of(clock));
        self.take();
        let policy = self.policy();
        if policy != self.applied {
            self.applied = policy;
            out.push(Output::Apply(policy));
        }
        if core::mem::take(&mut self.is_changed)
            && let Some(months) = &self.months
        {
            out.push(Output::Keep(months.to_bytes()));
        }
    }

    /// Returns what the client may give now.
    pub fn policy(&self) -> Policy {
        let limit = self.limit();
        let has_some = limit.is_none_or(|limit| limit.saturating_sub(self.given()) >= CHUNK);
        Policy {
            is_enabled: !self.is_over && has_some && self.why() == Reason::Agreed,
            rate: self.terms.rate,
            total: limit.map(|limit| limit.saturating_sub(self.before)),
        }
    }

    /// Returns what is to be shown.
    pub fn view(&self) -> View {
        let why = self.why();
        View {
            is_on: why == Reason::Agreed,
            why,
            session_bytes: self.given(),
            month_bytes: self.month_bytes(),
            monthly: self.terms.monthly,
        }
    }

    /// Returns the bytes of this session that count as given, should the client end now without a word.
    pub const fn at_most(&self) -> u64 {
        let given = self.given();
        if self.leased > given { self.leased } else { given }
    }

    const fn given(&self) -> u64 {
        self.before.saturating_add(self.served)
    }

    /// Where there is a cap, what may be given in this session altogether.
    fn limit(&self) -> Option<u64> {
        let Terms { total, monthly, .. } = self.terms;
        let has_cap = total.is_some() || monthly.is_some();
        has_cap.then(|| self.leased.min(total.unwrap_or(u64::MAX)))
    }

    fn why(&self) -> Reason {
        let Terms { is_enabled, total, monthly, on_metered, while_saving_power, .. } = self.terms;
        let is_spent =
            |cap: Option<u64>, given| cap.is_some_and(|cap| cap.saturating_sub(given) < CHUNK);
        if !is_enabled {
            Reason::Declined
        } else if self.around.is_metered && !on_metered {
            Reason::Metered
        } else if self.around.is_saving_power && !while_saving_power {
            Reason::SavingPower
        } else if is_spent(total, self.given()) || is_spent(monthly, self.month_bytes()) {
            Reason::Spent
        } else {
            Reason::Agreed
        }
    }

    /// What was given in this month: what was taken, without what is not given of it, with what was given beyond it where no cap holds.
    fn month_bytes(&self) -> u64 {
        let taken = self.months.as_ref().map_or(0, |months| months.taken(self.month));
        let unused = self.leased.saturating_add(self.taking);
        taken.saturating_add(self.given()).saturating_sub(unused)
    }

    /// What was taken of the month before is not this month's.
    fn turn_page(&mut self, month: Month) {
        if self.month != month {
            self.month = month;
            (self.leased, self.taking) = (self.given(), 0);
        }
    }

    /// Takes the next slice, if the last is nearly used up.
    fn take(&mut self) {
        let given = self.given();
        let is_low = self.leased.saturating_sub(given) < self.slice / LOW;
        let may = !self.is_over && self.why() == Reason::Agreed;
        let Some(months) = self.months.as_mut().filter(|_| may && is_low && self.taking == 0)
        else {
            return;
        };
        let before = months.taken(self.month);
        let session = self.terms.total.map_or(u64::MAX, |total| total.saturating_sub(self.leased));
        let month = self.terms.monthly.map_or(u64::MAX, |cap| cap.saturating_sub(before));
        let wanted = given.saturating_add(self.slice).saturating_sub(self.leased);
        self.taking = wanted.min(session).min(month);
        if self.taking > 0 {
            months.set(self.month, before.saturating_add(self.taking));
            self.is_changed = true;
        }
    }

    /// Brings the month's account to what was given: what was taken beyond that is put back.
    fn settle(&mut self) {
        let given = self.month_bytes();
        let month = self.month;
        if let Some(months) = self.months.as_mut().filter(|months| months.taken(month) != given) {
            months.set(month, given);
            self.is_changed = true;
        }
        (self.leased, self.taking) = (self.given(), 0);
    }
}

#[cfg(test)]
mod tests;
