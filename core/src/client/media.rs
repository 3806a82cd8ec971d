//! Routes between the player, the fetcher, the server of chunks, and the peers.

use super::{
    Client, CommandError, HttpAnswer, HttpOrder, Loaded, Now, Output, Part, Purpose, Stream,
    WantId, Wanted,
};
use crate::{
    delivery::{
        cache::farthest,
        fetch::{self, Body, Fetch, HttpRange},
        playlist::{Expected, Playlist, Reader, RecordFault},
        record::Record,
        rendition,
        serve::{self, Asked, Serve, UNLIMITED},
    },
    id::PeerId,
    peer::frames::{ChunkBytes, Frame, Refuse},
    table::Table,
};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// Code of the trouble that the origin sent what the publisher did not sign.
const BAD_CHUNK: &str = "origin/bad-chunk";

impl Client {
    /// Reads a playlist, and says whether the player may follow it. Once a stream plays, nothing that is not its may stand
    /// in its place: no other key, no record that is seen not to hold. Before that the sound does not stop because of us.
    pub(super) fn read_playlist(
        &mut self,
        now: Now,
        id: WantId,
        Loaded { url, text }: Loaded,
        out: &mut Vec<Output>,
    ) {
        let publisher = self.config.publisher;
        let expected = publisher.map_or(Expected::Anyone, Expected::Publisher);
        let chain = self.config.chain;
        let reader = self.reader.get_or_insert_with(|| Reader::new(chain, expected));
        // Where the number is known another segment may be meant by it now.
        let fetch = self.stream.as_ref().map(|stream| &stream.fetch);
        let needed = |it| fetch.is_some_and(|fetch| fetch.knows(it) || fetch.is_near(it));
        let fault = match reader.read_for(&text, needed) {
            Ok(playlist) => {
                let wrong = playlist.fault().map(|fault| fault.code());
                match wrong.filter(|_| self.stream.is_some()) {
                    Some(code) => self.trouble(code, out),
                    None => self.follow_playlist(now, url, playlist, out),
                }
                wrong
            }
            Err(error) => {
                self.trouble(error.code(), out);
                Some(error.code())
            }
        };
        out.push(match fault {
            None => Output::Deliver(id, Vec::new()),
            Some(code) if self.stream.is_some() => Output::Refuse(id, code),
            Some(code) => Output::Fail(id, code),
        });
    }

    fn follow_playlist(
        &mut self,
        now: Now,
        url: String,
        playlist: Playlist,
        out: &mut Vec<Output>,
    ) {
        self.start_stream(now, &playlist, out);
        if let Some(first) = playlist.segments.first() {
            self.playlist_urls.insert(rendition::of(first.sequence), url);
        }
        self.learn_segments(now, playlist, out);
    }

    fn start_stream(&mut self, now: Now, playlist: &Playlist, out: &mut Vec<Output>) {
        if let Some(stream) = &mut self.stream {
            // A source may change its encoder, and then its map, while it plays.
            stream.info.maps.clone_from(&playlist.info.maps);
            stream.signer = playlist.signer;
            return;
        }
        let info = playlist.info.clone();
        let target = Duration::from_millis(info.target_ms.into());
        let config = fetch::Config {
            me: PeerId(self.config.key.public()),
            target,
            cache_limit: self.config.cache_limit,
        };
        let named = Some(info.tracker.as_str()).filter(|url| !url.is_empty()).map(String::from);
        let tracker = self.config.tracker.clone().or(named);
        self.stream = Some(Stream {
            id: playlist.stream,
            info,
            signer: playlist.signer,
            fetch: Fetch::new(config),
            serve: Serve::new(self.config.upload),
            addresses: Table::new(),
            newest: 0,
            checked: 0,
        });
        self.room = None;
        self.open_purse(now, out);
        if let Some(url) = tracker {
            self.start_swarm(now, url, out);
        }
        self.changed = true;
    }

    fn learn_segments(&mut self, now: Now, playlist: Playlist, out: &mut Vec<Output>) {
        if let (Some(stream), Some(last)) = (&mut self.stream, playlist.segments.last()) {
            // It may be lower than before: of an old list, or of a publisher that counts anew.
            stream.newest = rendition::number(last.sequence);
            let (end, is_anew) = (last.sequence, playlist.is_anew);
            self.feed_fetch(now, fetch::Input::Listed { end, is_anew }, out);
        }
        for segment in playlist.segments {
            let Some(stream) = &mut self.stream else { return };
            let known = stream.addresses.insert(segment.sequence, segment.uri);
            if stream.addresses.len() > fetch::MAX_KNOWN
                && let Some(farthest) = farthest(&stream.addresses, segment.sequence)
            {
                stream.addresses.remove(&farthest);
            }
            match segment.record {
                Ok(Some(record)) => self.learn(now, record.body, out),
                Err(fault) if known.is_none() => self.trouble(fault.code(), out),
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// Verifies a record that was left when its playlist was read, and learns it. Returns what is wrong with it.
    fn learn_left(
        &mut self,
        now: Now,
        sequence: u64,
        out: &mut Vec<Output>,
    ) -> Option<RecordFault> {
        match self.reader.as_mut()?.verify(sequence)? {
            Ok(record) => {
                self.learn(now, record.body, out);
                None
            }
            Err(fault) => Some(fault),
        }
    }

    /// Learns a record that holds, whatever was known by its number before.
    fn learn(&mut self, now: Now, record: Record, out: &mut Vec<Output>) {
        let known = self.stream.as_ref().and_then(|of| of.fetch.record(record.sequence));
        if known != Some(&record) {
            self.feed_fetch(now, fetch::Input::Known(record), out);
        }
    }

    /// Holds what the player loaded by itself against what the publisher signed. Where nothing is signed nobody can
    /// say; that was told when the playlist was read.
    pub(super) fn check(
        &mut self,
        now: Now,
        id: WantId,
        (part, bytes): (Part, Vec<u8>),
        out: &mut Vec<Output>,
    ) {
        let left = match part {
            Part::Segment(sequence) => self.learn_left(now, sequence, out),
            Part::Map => None,
        };
        let Some(stream) = &mut self.stream else {
            out.push(Output::Fail(id, CommandError::NoStream.code()));
            return;
        };
        let fault = match part {
            Part::Map => stream.info.check_map(&bytes).err().map(|fault| fault.code()),
            Part::Segment(sequence) => match (stream.fetch.record(sequence), left) {
                (Some(record), _) => (!record.describes(&bytes)).then_some(BAD_CHUNK),
                (None, Some(fault)) => Some(fault.code()),
                (None, None) => {
                    out.push(Output::Fail(id, fetch::FetchError::Unknown.code()));
                    return;
                }
            },
        };
        if let Some(code) = fault {
            self.trouble(code, out);
            out.push(Output::Refuse(id, code));
            return;
        }
        stream.checked = stream.checked.saturating_add(bytes.len() as u64);
        self.changed = true;
        out.push(Output::Deliver(id, bytes));
    }

    pub(super) fn want(&mut self, now: Now, id: WantId, wanted: Wanted, out: &mut Vec<Output>) {
        // What is fetched ahead, too.
        for sequence in wanted.sequence..=wanted.sequence.saturating_add(fetch::PREFETCH) {
            self.learn_left(now, sequence, out);
        }
        let known = self.stream.as_ref().is_some_and(|s| s.fetch.knows(wanted.sequence));
        if !known {
            out.push(Output::Fail(id, fetch::FetchError::Unknown.code()));
            return;
        }
        self.wants.insert(id, wanted.sequence);
        let deadline = now.at.after(Duration::from_millis(wanted.buffered_ms));
        let want = fetch::Want { sequence: wanted.sequence, deadline };
        self.feed_fetch(now, fetch::Input::Want(want), out);
    }

    pub(super) fn unwant(&mut self, now: Now, id: WantId, out: &mut Vec<Output>) {
        let Some(sequence) = self.wants.remove(&id) else { return };
        if !self.wants.values().any(|wanted| *wanted == sequence) {
            self.feed_fetch(now, fetch::Input::Unwant(sequence), out);
        }
    }

    pub(super) fn feed_fetch(&mut self, now: Now, input: fetch::Input, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let mut lifted = Vec::new();
        stream.fetch.handle(now.at, input, &mut lifted);
        for output in lifted {
            self.lift_fetch(now, output, out);
        }
    }

    fn lift_fetch(&mut self, now: Now, output: fetch::Output, out: &mut Vec<Output>) {
        match output {
            fetch::Output::Ask(peer, id) => self.ask_peer(now, peer, id, out),
            fetch::Output::Cancel(peer, id) => self.send(now, peer, Frame::Cancel(id), out),
            fetch::Output::Http(order, range) => self.order(order, range, out),
            fetch::Output::CancelHttp(order) => {
                let is_it =
                    |purpose: &Purpose| matches!(purpose, Purpose::Chunks(o, _) if *o == order);
                let found = self.requests.iter().find(|(_, purpose)| is_it(purpose));
                if let Some(id) = found.map(|(id, _)| *id) {
                    self.requests.remove(&id);
                    out.push(Output::CancelHttp(id));
                }
            }
            fetch::Output::Deliver(sequence, bytes) => {
                // Figures go with each segment: the chain alone may be silent for longer.
                self.changed = true;
                for id in self.take_wants(sequence) {
                    out.push(Output::Deliver(id, bytes.clone()));
                }
            }
            fetch::Output::Fail(sequence, error) => {
                for id in self.take_wants(sequence) {
                    out.push(Output::Fail(id, error.code()));
                }
            }
            fetch::Output::Earned(peer, _) => self.owe(now, peer, out),
            // Who gives nothing away says nothing of what it has.
            fetch::Output::Announce(_) if !self.config.upload.is_enabled => {}
            fetch::Output::Announce(delta) => {
                for peer in self.linked() {
                    self.send(now, peer, Frame::HaveDelta(delta.clone()), out);
                }
            }
            fetch::Output::Blame(peer, fault) => {
                self.trouble(fault.code(), out);
                if fault.is_ban() {
                    self.ban(now, peer, fault.code(), out);
                }
            }
            fetch::Output::BlameOrigin(..) => self.trouble(BAD_CHUNK, out),
        }
    }

    fn take_wants(&mut self, sequence: u64) -> Vec<WantId> {
        let met: Vec<_> =
            self.wants.iter().filter(|(_, s)| **s == sequence).map(|(id, _)| *id).collect();
        for id in &met {
            self.wants.remove(id);
        }
        met
    }

    fn order(&mut self, order: fetch::OrderId, wanted: HttpRange, out: &mut Vec<Output>) {
        let address = self.stream.as_ref().and_then(|s| s.addresses.get(&wanted.sequence).cloned());
        let http = HttpOrder {
            url: address.unwrap_or_default(),
            base: self.playlist_urls.get(&rendition::of(wanted.sequence)).cloned(),
            range: wanted.range.map(|(from, to)| (from as u64, to as u64)),
            max_bytes: wanted.length.max(crate::delivery::chunk::CHUNK) as u64,
            is_immutable: true,
        };
        let id = self.request(Purpose::Chunks(order, wanted.range.map_or(0, |(from, _)| from)));
        out.push(Output::Http(id, http));
    }

    /// An origin answered: 206 is the range, 200 the whole segment, anything else a failure.
    pub(super) fn chunks_done(
        &mut self,
        now: Now,
        (order, from): (fetch::OrderId, usize),
        answer: Option<HttpAnswer>,
        out: &mut Vec<Output>,
    ) {
        let body = answer.and_then(|answer| match answer.status {
            206 => Some(Body { start: from, bytes: answer.body }),
            200 => Some(Body { start: 0, bytes: answer.body }),
            _ => None,
        });
        let input = match body {
            Some(body) => fetch::Input::Fetched(order, body),
            None => fetch::Input::FetchFailed(order),
        };
        self.feed_fetch(now, input, out);
    }

    pub(super) fn feed_serve(&mut self, now: Now, input: serve::Input, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let mut lifted = Vec::new();
        stream.serve.handle(now.at, input, stream.fetch.cache(), &mut lifted);
        for output in lifted {
            match output {
                serve::Output::Send(Asked { peer, id }, bytes) => {
                    self.count_served(now, peer, out);
                    if let Ok(bytes) = bytes.try_into() {
                        self.send(now, peer, Frame::Chunk(ChunkBytes { id, bytes }), out);
                    }
                    self.refresh_credit(now, peer, out);
                }
                serve::Output::Refuse(Asked { peer, id }, reason) => {
                    self.send(now, peer, Frame::Refuse(Refuse { id, reason }), out);
                }
            }
        }
    }

    fn count_served(&mut self, _now: Now, peer: PeerId, out: &mut Vec<Output>) {
        let payee = self.purse.as_mut().and_then(|purse| purse.payee.as_mut());
        if let Some(Err(error)) = payee.map(|payee| payee.serve(peer)) {
            self.trouble(error.code(), out);
        }
    }

    /// Lets a peer have one more chunk if the payee agrees; all that it wants where chunks are free.
    pub(super) fn refresh_credit(&mut self, now: Now, peer: PeerId, out: &mut Vec<Output>) {
        let Some(stream) = &self.stream else { return };
        let payee = self.purse.as_ref().and_then(|purse| purse.payee.as_ref());
        let credit = match payee {
            _ if stream.info.price.is_zero() => UNLIMITED,
            Some(payee) => u64::from(payee.check(peer).is_ok()),
            None => 0,
        };
        self.feed_serve(now, serve::Input::Credit(peer, credit), out);
    }
}
