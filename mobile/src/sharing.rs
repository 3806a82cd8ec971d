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
//! Source: FIELD-NOTES recommendation 7 (consent and caps). As in a page (`wasm/js/src/sharing.ts`), which shares the month with other pages.

mod month;

use crate::options::{Surroundings, UploadTerms};
use antiphon_core::{client::UploadPolicy, time::UnixMillis};
use month::{Month, Months};

/// Bytes that are taken of the month at once. Chosen here: as in a page, three minutes of audio for one neighbour.
const SLICE: u64 = 4 << 20;
/// Taken anew when less than this is left: what a few neighbours ask for until the next look.
const LOW: u64 = 1 << 20;
/// With less than this left, nothing more is given. Source: `core/src/delivery/chunk.rs`.
const CHUNK: u64 = antiphon_core::delivery::chunk::CHUNK as u64;

/// Why a listener gives, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SharingReason {
    /// It was agreed to.
    Agreed,
    /// It was not agreed to.
    Declined,
    /// The network counts bytes.
    Metered,
    /// The device saves power.
    SavingPower,
    /// A cap is reached.
    Spent,
}

/// What is given, as of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SharingView {
    /// Whether anything is given.
    pub is_on: bool,
    /// Why, or why not.
    pub why: SharingReason,
    /// Bytes served since `connect`, over sleeps; after a crash those that may have been served.
    pub session_bytes: u64,
    /// Bytes served in this month from this folder; after a crash those that may have been served.
    pub month_bytes: u64,
    /// The month's cap in bytes.
    pub monthly: Option<u64>,
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// What was written before, if anything; once, before the client begins.
    Loaded(Option<Vec<u8>>),
    /// The listener agreed to something else.
    Agreed(UploadTerms),
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
pub(crate) enum Output {
    /// Write this in place of what was there; then say `Kept`.
    Keep(Vec<u8>),
    /// Tell the client what it may give.
    Apply(UploadPolicy),
}

/// Decides what one client may give.
#[derive(Clone, Debug)]
pub(crate) struct Sharing {
    terms: UploadTerms,
    around: Surroundings,
    /// What was taken of each month; none before it was read.
    months: Option<Months>,
    /// Which month the slices are of.
    month: Month,
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
    applied: UploadPolicy,
}

impl Sharing {
    /// Makes what decides for a client that begins after so many bytes of this session.
    pub(crate) fn new(terms: UploadTerms, around: Surroundings, before: u64) -> Self {
        let mut sharing = Self {
            terms,
            around,
            months: None,
            month: Month::default(),
            before,
            served: 0,
            leased: before,
            taking: 0,
            is_over: false,
            is_changed: false,
            applied: UploadPolicy { is_enabled: false, rate: None, total: None },
        };
        sharing.applied = sharing.policy();
        sharing
    }

    /// Applies one input and appends what must be done to `out`.
    pub(crate) fn handle(&mut self, clock: UnixMillis, input: Input, out: &mut Vec<Output>) {
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
    pub(crate) fn policy(&self) -> UploadPolicy {
        let limit = self.limit();
        let has_some = limit.is_none_or(|limit| limit.saturating_sub(self.given()) >= CHUNK);
        UploadPolicy {
            is_enabled: !self.is_over && has_some && self.why() == SharingReason::Agreed,
            rate: self.terms.rate,
            total: limit.map(|limit| limit.saturating_sub(self.before)),
        }
    }

    /// Returns what is to be shown.
    pub(crate) fn view(&self) -> SharingView {
        let why = self.why();
        SharingView {
            is_on: why == SharingReason::Agreed,
            why,
            session_bytes: self.given(),
            month_bytes: self.month_bytes(),
            monthly: self.terms.monthly,
        }
    }

    /// Returns the bytes of this session that count as given, should the client end now without a word.
    pub(crate) const fn at_most(&self) -> u64 {
        let given = self.given();
        if self.leased > given { self.leased } else { given }
    }

    const fn given(&self) -> u64 {
        self.before.saturating_add(self.served)
    }

    /// Where there is a cap, what may be given in this session altogether.
    fn limit(&self) -> Option<u64> {
        let UploadTerms { total, monthly, .. } = self.terms;
        let has_cap = total.is_some() || monthly.is_some();
        has_cap.then(|| self.leased.min(total.unwrap_or(u64::MAX)))
    }

    fn why(&self) -> SharingReason {
        let UploadTerms { is_enabled, total, monthly, on_metered, while_saving_power, .. } =
            self.terms;
        let is_spent =
            |cap: Option<u64>, given| cap.is_some_and(|cap| cap.saturating_sub(given) < CHUNK);
        if !is_enabled {
            SharingReason::Declined
        } else if self.around.is_metered && !on_metered {
            SharingReason::Metered
        } else if self.around.is_saving_power && !while_saving_power {
            SharingReason::SavingPower
        } else if is_spent(total, self.given()) || is_spent(monthly, self.month_bytes()) {
            SharingReason::Spent
        } else {
            SharingReason::Agreed
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
        let is_low = self.leased.saturating_sub(given) < LOW;
        let may = !self.is_over && self.why() == SharingReason::Agreed;
        let Some(months) = self.months.as_mut().filter(|_| may && is_low && self.taking == 0)
        else {
            return;
        };
        let before = months.taken(self.month);
        let session = self.terms.total.map_or(u64::MAX, |total| total.saturating_sub(self.leased));
        let month = self.terms.monthly.map_or(u64::MAX, |cap| cap.saturating_sub(before));
        let wanted = given.saturating_add(SLICE).saturating_sub(self.leased);
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
