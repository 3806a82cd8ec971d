//! Routes light files to the light client, and its heads to whoever waits for them.

use super::{
    Client, CommandError, HttpAnswer, HttpOrder, Kept, Now, Output, Purpose, Purse, Status,
};
use crate::{
    chain::{
        Level,
        light::{self, File, Source, Standing, Use},
    },
    wallet::book,
};
use alloc::{boxed::Box, string::String, vec::Vec};

/// Name under which the trusted checkpoint is stored.
pub(super) const TRUST: &str = "light/trust";
/// Name under which the proof that the chain has split is stored.
pub(super) const FORK: &str = "light/fork";
/// Code of the hint that many refer to blocks which the chain of this client does not have.
pub(super) const FORK_ALARM: &str = "light/fork-alarm";

impl Client {
    pub(super) fn feed_light(&mut self, now: Now, input: light::Input, out: &mut Vec<Output>) {
        let mut lifted = Vec::new();
        self.light.handle(now.at, now.clock, input, &mut lifted);
        for output in lifted {
            match output {
                light::Output::Fetch(source, file) => self.fetch_file(source, file, out),
                light::Output::Keep(bytes) => {
                    self.store(Kept::Trust, String::from(TRUST), Some(bytes), out);
                }
                light::Output::KeepFork(bytes) => {
                    self.store(Kept::Trust, String::from(FORK), Some(bytes), out);
                }
                light::Output::Alarm => self.trouble(FORK_ALARM, out),
                light::Output::Advanced => self.heads_moved(now, out),
                light::Output::Refused(error) => self.trouble(error.code(), out),
            }
        }
        self.open_purse(now, out);
    }

    /// A light file was answered: over HTTP that is status 200 and nothing else.
    pub(super) fn file_done(
        &mut self,
        now: Now,
        (source, file): (Source, File),
        answer: Option<HttpAnswer>,
        out: &mut Vec<Output>,
    ) {
        let body = answer.filter(|answer| answer.status == 200).map(|answer| answer.body);
        let status = if body.is_some() { Status::Up } else { Status::Down };
        if source == Source::NODE {
            self.set_node(status, out);
        }
        let input = match body {
            Some(body) => light::Input::Fetched(source, file, body),
            None => light::Input::Missing(source, file),
        };
        self.feed_light(now, input, out);
    }

    fn fetch_file(&mut self, source: Source, file: File, out: &mut Vec<Output>) {
        let witness =
            usize::from(source.0).checked_sub(1).and_then(|at| self.config.witnesses.get(at));
        let base = witness.unwrap_or(&self.config.node);
        let order = order(base, &file);
        let id = self.request(Purpose::File(source, file));
        out.push(Output::Http(id, order));
    }

    /// A7.6: money is not locked or given away on the strength of what is too old, or of a chain that cannot be followed.
    pub(super) fn check_fresh(&self, now: Now) -> Result<(), CommandError> {
        let settled = self.light.head(Level::Settled).ok_or(CommandError::NotReady)?;
        let spec = self.light.spec().ok_or(CommandError::NotReady)?;
        let is_followed = self.light.standing() == Standing::Good;
        let is_fresh = Use::Spend.allows(settled.age(now.clock), spec);
        if is_followed && is_fresh { Ok(()) } else { Err(CommandError::Stale) }
    }

    /// Lets the light client look less often while nothing waits for the chain.
    pub(super) fn set_pace(&mut self, now: Now) {
        let is_open = |purse: &Purse| {
            let gifts = &purse.gifts;
            let is_given = gifts.pools().any(|pool| gifts.holds(pool) || gifts.is_offered(pool));
            purse.book.is_waiting() || is_given
        };
        let is_followed = now.at < self.followed_until;
        let is_waiting = is_followed || self.purse.as_ref().is_none_or(is_open);
        self.light.calm_down(!is_waiting);
    }

    fn heads_moved(&mut self, now: Now, out: &mut Vec<Output>) {
        self.open_purse(now, out);
        if let Some(purse) = &mut self.purse {
            purse.review();
        }
        for level in Level::ALL {
            if let Some(head) = self.light.head(level).filter(|head| head.level == level) {
                self.feed_book(now, book::Input::Head(Box::new(head)), out);
            }
        }
        if let Some(settled) = self.light.head(Level::Settled) {
            self.tip_moved(now, settled.header.height, out);
        }
        self.changed = true;
    }
}

/// Returns the request for a light file below a base URL.
pub(super) fn order(base: &str, file: &File) -> HttpOrder {
    HttpOrder {
        url: alloc::format!("{}{}", base.trim_end_matches('/'), file.path()),
        base: None,
        range: None,
        max_bytes: file.max_bytes() as u64,
        is_immutable: file.is_immutable(),
    }
}
