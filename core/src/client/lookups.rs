//! Routes questions about the chain, the files and proofs that they need, and the node's answers to whoever asked.

use super::{Asker, Client, HttpAnswer, Now, Output, Purpose, chain::order};
use crate::{
    chain::{
        light::File,
        lookup::{self, LookupId, Question},
    },
    wallet::book::{self, AskId, Query},
};
use alloc::vec::Vec;

impl Client {
    /// Begins a look-up, as [`Input::LookUp`](super::Input::LookUp) does.
    pub fn look_up(&mut self, id: LookupId, question: Question, out: &mut Vec<Output>) {
        let mut lifted = Vec::new();
        self.lookups.ask(&self.light, id, question, &mut lifted);
        self.lift_lookups(lifted, out);
    }

    pub(super) fn lookup_file_done(
        &mut self,
        id: LookupId,
        file: File,
        answer: Option<HttpAnswer>,
        out: &mut Vec<Output>,
    ) {
        let input = match answer {
            Some(HttpAnswer { status: 200, body }) => lookup::Input::File(id, file, Some(body)),
            Some(HttpAnswer { status, .. }) if is_absent(status) => {
                lookup::Input::File(id, file, None)
            }
            Some(_) | None => lookup::Input::Unserved(id, file),
        };
        self.feed_lookups(input, out);
    }

    pub(super) fn ask_node(&mut self, asker: Asker, query: Query, out: &mut Vec<Output>) {
        let id = AskId(self.fresh());
        self.asks.insert(id, asker);
        out.push(Output::Ask(id, query));
    }

    pub(super) fn answered(&mut self, now: Now, id: AskId, bytes: Vec<u8>, out: &mut Vec<Output>) {
        match self.asks.remove(&id) {
            Some(Asker::Book(id)) => self.feed_book(now, book::Input::Answered(id, bytes), out),
            Some(Asker::Lookup(id)) => self.feed_lookups(lookup::Input::Answered(id, bytes), out),
            Some(Asker::Exhibit(id)) => self.told_closed(id, Some(&bytes), out),
            Some(Asker::Tower(told)) => self.tower_done(now, told, Some(&bytes), out),
            None => {}
        }
    }

    pub(super) fn refused(&mut self, now: Now, id: AskId, code: i32, out: &mut Vec<Output>) {
        match self.asks.remove(&id) {
            Some(Asker::Book(id)) => self.feed_book(now, book::Input::Refused(id, code), out),
            Some(Asker::Lookup(id)) => self.feed_lookups(lookup::Input::Unanswered(id), out),
            Some(Asker::Exhibit(id)) => self.told_closed(id, None, out),
            Some(Asker::Tower(told)) => self.tower_done(now, told, None, out),
            None => {}
        }
    }

    pub(super) fn unanswered(&mut self, now: Now, id: AskId, out: &mut Vec<Output>) {
        match self.asks.remove(&id) {
            Some(Asker::Book(id)) => self.feed_book(now, book::Input::Unreachable(id), out),
            Some(Asker::Lookup(id)) => self.feed_lookups(lookup::Input::Unanswered(id), out),
            Some(Asker::Exhibit(id)) => self.told_closed(id, None, out),
            Some(Asker::Tower(told)) => self.tower_done(now, told, None, out),
            None => {}
        }
    }

    fn feed_lookups(&mut self, input: lookup::Input, out: &mut Vec<Output>) {
        let mut lifted = Vec::new();
        self.lookups.handle(&self.light, input, &mut lifted);
        self.lift_lookups(lifted, out);
    }

    fn lift_lookups(&mut self, outputs: Vec<lookup::Output>, out: &mut Vec<Output>) {
        for output in outputs {
            match output {
                lookup::Output::Fetch(id, file) => {
                    let order = order(&self.config.node, &file);
                    let request = self.request(Purpose::LookupFile(id, file));
                    out.push(Output::Http(request, order));
                }
                lookup::Output::Ask(id, query) => self.ask_node(Asker::Lookup(id), query, out),
                lookup::Output::Found(id, found) => {
                    if let Some(draft) = self.take_draft(id) {
                        self.draft_found(id, draft, &found, out);
                    } else if let Some(search) = self.take_search(id) {
                        self.search_found(search, *found, out);
                    } else {
                        out.push(Output::Found(id, found));
                    }
                }
                lookup::Output::Lost(id, error) => {
                    self.take_draft(id);
                    self.take_search(id);
                    if error.is_refusal() {
                        self.trouble(error.code(), out);
                    }
                    out.push(Output::Lost(id, error.code()));
                }
            }
        }
    }
}

/// Returns whether a server says by this status that it has nothing of that name. Some say "forbidden" for it; others have too
/// much to do, or give up, and may have it.
const fn is_absent(status: u16) -> bool {
    matches!(status, 400..=499) && !matches!(status, 408 | 425 | 429)
}

#[cfg(test)]
mod tests {
    use super::is_absent;

    #[test]
    fn only_who_says_so_has_no_such_file() {
        for status in [400, 403, 404, 410, 451, 499] {
            assert!(is_absent(status), "{status}");
        }
        for status in [0, 100, 200, 204, 301, 304, 399, 408, 425, 429, 500, 502, 503, 504, 65_535] {
            assert!(!is_absent(status), "{status}");
        }
    }
}
