//! Routes light files to the light client, and its heads to whoever waits for them.

use super::{Client, HttpAnswer, HttpOrder, Kept, Now, Output, Purpose, Status};
use crate::{
    chain::{
        Level,
        light::{self, File},
    },
    wallet::book,
};
use alloc::{boxed::Box, string::String, vec::Vec};

/// Name under which the newest checkpoint file is stored.
pub(super) const CHECKPOINT: &str = "light/checkpoint";

impl Client {
    pub(super) fn feed_light(&mut self, now: Now, input: light::Input, out: &mut Vec<Output>) {
        let mut lifted = Vec::new();
        self.light.handle(now.at, now.clock, input, &mut lifted);
        for output in lifted {
            match output {
                light::Output::Fetch(file) => self.fetch_file(file, out),
                light::Output::Keep(bytes) => {
                    self.store(Kept::Checkpoint, String::from(CHECKPOINT), Some(bytes), out);
                }
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
        file: File,
        answer: Option<HttpAnswer>,
        out: &mut Vec<Output>,
    ) {
        let body = answer.filter(|answer| answer.status == 200).map(|answer| answer.body);
        let status = if body.is_some() { Status::Up } else { Status::Down };
        self.set_node(status, out);
        let input = match body {
            Some(body) => light::Input::Fetched(file, body),
            None => light::Input::Missing(file),
        };
        self.feed_light(now, input, out);
    }

    fn fetch_file(&mut self, file: File, out: &mut Vec<Output>) {
        let order = HttpOrder {
            url: alloc::format!("{}{}", self.config.node.trim_end_matches('/'), file.path()),
            base: None,
            range: None,
            max_bytes: file.max_bytes() as u64,
            is_immutable: file.is_immutable(),
        };
        let id = self.request(Purpose::File(file));
        out.push(Output::Http(id, order));
    }

    fn heads_moved(&mut self, now: Now, out: &mut Vec<Output>) {
        self.open_purse(now, out);
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
