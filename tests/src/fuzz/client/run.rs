//! One run of a client: chooses what happens next and checks what comes of it.

use super::{Outcome, network};
use crate::fuzz::{
    choice::Choices,
    row,
    world::{CLOCK, DEPOSIT, MAP, PRICE, SEGMENT_BYTES, SEGMENTS, world},
};
use antiphon_core::{
    amount::Amount,
    chain::{Level, header::Header, light::Anchor, lookup::Proven, spec::Token, state::StateKey},
    client::{
        AskId, Client, Command, Config, Found, HttpAnswer, HttpOrder, Input, LookupId, Output,
        Part, Query, Question, RequestId, StoreToken, UploadPolicy, WantId, Wanted,
    },
    codec,
    crypto::Hash,
    delivery::chunk::{CHUNK, ChunkId},
    id::{Address, FieldId, Height},
    payment::reservation::PoolTerms,
    peer::{
        LinkId,
        frames::{Assembler, Frame, MAX_MESSAGE, messages},
        swarm::DEFAULT_LINKS,
        tracker_wire::{Signal, ToTracker},
    },
    time::Moment,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Most outputs of one input: a message holds up to a thousand frames, each with its answer and a notice or two.
const MAX_OUTPUTS: usize = 8192;

/// A data channel as the host sees it.
#[derive(Default)]
struct Channel {
    is_open: bool,
    /// Which neighbour is at the other end; known once a description was exchanged.
    peer: Option<usize>,
    heard: Assembler,
    /// Chunks that the client asked for on this link.
    asked: Vec<ChunkId>,
}

/// What a player may wait for.
enum Wish {
    Segment(u64),
    Map,
    Playlist,
}

/// A client and everything that it waits for.
pub(super) struct Run {
    client: Client,
    now: Moment,
    finalised: usize,
    http: BTreeMap<RequestId, HttpOrder>,
    asks: BTreeMap<AskId, Query>,
    writes: Vec<StoreToken>,
    links: BTreeMap<LinkId, Channel>,
    /// The link whose description was handed in last, and what the client made of it.
    describing: Option<LinkId>,
    signal: Option<Signal>,
    /// What the player waits for.
    wants: BTreeMap<WantId, Wish>,
    next_want: u64,
    lookups: BTreeSet<LookupId>,
    found: u64,
    /// What its rows say was promised before; `None` for rows that were spoilt, which may say anything.
    restored: Option<u128>,
}

impl Run {
    pub(super) fn new(choices: &mut Choices<'_>) -> Self {
        let world = world();
        let config = Config {
            key: world.key.clone(),
            chain: world.chain,
            anchor: Anchor::Genesis,
            node: String::from("http://node"),
            witnesses: Vec::new(),
            skipping: Default::default(),
            publisher: Some(world.publisher.public()),
            tracker: None,
            cache_limit: SEGMENT_BYTES * 4,
            max_links: DEFAULT_LINKS,
            upload: UploadPolicy { is_enabled: true, rate: None, total: None },
            has_tower: true,
        };
        let mut run = Self {
            client: Client::new(config, [3; 32]),
            now: Moment::ZERO,
            finalised: 0,
            http: BTreeMap::new(),
            asks: BTreeMap::new(),
            writes: Vec::new(),
            links: BTreeMap::new(),
            describing: None,
            signal: None,
            wants: BTreeMap::new(),
            next_want: 0,
            lookups: BTreeSet::new(),
            found: 0,
            restored: None,
        };
        let mut rows = row::honest();
        rows.push(row::sealed("device", row::DEVICE.0.to_vec()));
        let kind = choices.below(4);
        run.restored = [Some(row::PROMISED), Some(0)].get(kind).copied().flatten();
        let stored = match kind {
            0 => rows,
            1 => Vec::new(),
            _ => rows.into_iter().map(|(name, row)| (name, choices.spoil(row))).collect(),
        };
        run.feed(Input::Loaded(stored));
        run
    }

    pub(super) fn step(&mut self, choices: &mut Choices<'_>) {
        let input = match choices.below(16) {
            0 => self.jump(),
            1 => {
                self.now = self.now.after(Duration::from_millis(u64::from(choices.byte()) * 8));
                Some(Input::Tick)
            }
            2 | 3 => self.http(choices, true),
            4 => self.http(choices, false),
            5 => self.answer(choices),
            6 => self.writes.pop().map(Input::Stored),
            7 => Some(self.playlist(choices)),
            8 => Some(self.want(choices)),
            9 => Some(self.tracker(choices)),
            10 => self.signalling(choices),
            11..14 => self.link(choices),
            14 => {
                self.finalised = choices.below(4);
                self.jump()
            }
            _ => {
                self.command(choices);
                None
            }
        };
        if let Some(input) = input {
            self.feed(input);
        }
    }

    /// Time passes until the client wants to be woken.
    fn jump(&mut self) -> Option<Input> {
        self.now = self.client.deadline()?.max(self.now);
        Some(Input::Tick)
    }

    fn http(&mut self, choices: &mut Choices<'_>, is_honest: bool) -> Option<Input> {
        let (id, order) = self.http.pop_first()?;
        let HttpAnswer { status, body } = network::http(&order, self.finalised);
        if is_honest {
            return Some(Input::HttpDone(id, HttpAnswer { status, body }));
        }
        let answer = match choices.below(4) {
            0 => return Some(Input::HttpFailed(id)),
            1 => HttpAnswer { status: 500, body },
            2 => HttpAnswer { status: 200, body: choices.spoil(body) },
            _ => HttpAnswer { status, body: choices.spoil(body) },
        };
        Some(Input::HttpDone(id, answer))
    }

    fn answer(&mut self, choices: &mut Choices<'_>) -> Option<Input> {
        let (id, query) = self.asks.pop_first()?;
        let honest = match query {
            Query::Prove { keys, .. } => network::proofs(&keys),
            Query::Submit(_) | Query::Faucet(_) | Query::Closed(_) | Query::Watch(_) => Vec::new(),
        };
        Some(match choices.below(8) {
            0..5 => Input::Answered(id, honest),
            5 => Input::Answered(id, choices.spoil(honest)),
            6 => Input::Refused(id, -32000 - i32::from(choices.byte())),
            _ => Input::Unreachable(id),
        })
    }

    fn playlist(&mut self, choices: &mut Choices<'_>) -> Input {
        let id = WantId(self.next_want);
        self.next_want += 1;
        self.wants.insert(id, Wish::Playlist);
        Input::Playlist(id, network::playlist(choices))
    }

    fn want(&mut self, choices: &mut Choices<'_>) -> Input {
        let kind = choices.below(8);
        if kind == 7
            && let Some((id, _)) = self.wants.pop_first()
        {
            return Input::Unwant(id);
        }
        let id = WantId(self.next_want);
        self.next_want += 1;
        if kind == 6 {
            self.wants.insert(id, Wish::Map);
            let map = MAP.to_vec();
            let loaded = if choices.below(2) == 0 { map } else { choices.spoil(map) };
            return Input::Check(id, Part::Map, loaded);
        }
        let sequence = SEGMENTS.start + u64::from(choices.byte() % 16);
        if kind == 5 {
            self.wants.insert(id, Wish::Segment(sequence));
            let segment = world().segment(sequence).map(|(own, _)| own.clone()).unwrap_or_default();
            let loaded = if choices.below(2) == 0 { segment } else { choices.spoil(segment) };
            return Input::Check(id, Part::Segment(sequence), loaded);
        }
        let buffered_ms = u64::from(choices.byte()) * 40;
        self.wants.insert(id, Wish::Segment(sequence));
        Input::Want(id, Wanted { sequence, buffered_ms })
    }

    fn tracker(&mut self, choices: &mut Choices<'_>) -> Input {
        match choices.below(12) {
            0 => Input::TrackerOpened,
            1 => Input::TrackerClosed,
            2 => {
                let honest = network::tracker(self.signal.as_ref(), choices).to_bytes();
                Input::TrackerMessage(choices.spoil(honest))
            }
            _ => Input::TrackerMessage(network::tracker(self.signal.as_ref(), choices).to_bytes()),
        }
    }

    /// The host's half of a link: describes it, opens it, drains or closes it.
    fn signalling(&mut self, choices: &mut Choices<'_>) -> Option<Input> {
        let ids: Vec<_> = self.links.keys().copied().collect();
        let id = *choices.of(&ids)?;
        let channel = self.links.get_mut(&id)?;
        Some(match choices.below(9) {
            8 => Input::Candidates(id, String::from("a=candidate:1 1 udp 1 10.0.0.1 9 typ host")),
            0..3 => {
                self.describing = Some(id);
                Input::Described(id, String::from("v=0"))
            }
            3..6 => {
                channel.is_open = true;
                Input::LinkOpened(id)
            }
            6 => Input::LinkDrained(id),
            _ => {
                self.links.remove(&id);
                Input::LinkClosed(id)
            }
        })
    }

    fn link(&mut self, choices: &mut Choices<'_>) -> Option<Input> {
        let open = self.links.iter().filter(|(_, channel)| channel.is_open);
        let open: Vec<_> = open.map(|(id, _)| *id).collect();
        let id = *choices.of(&open)?;
        let channel = self.links.get_mut(&id)?;
        let at = channel.peer.unwrap_or_default();
        let honest = network::frame(at, &mut channel.asked, choices).to_bytes();
        let bytes = if choices.below(8) == 7 { choices.spoil(honest) } else { honest };
        let mut pieces: Vec<_> = messages(&bytes).map(<[u8]>::to_vec).collect();
        let last = pieces.pop()?;
        for piece in pieces {
            self.feed(Input::LinkMessage(id, piece));
        }
        Some(Input::LinkMessage(id, last))
    }

    fn command(&mut self, choices: &mut Choices<'_>) {
        let command = match choices.below(16) {
            0..6 => Command::OpenPool(DEPOSIT),
            6..8 => Command::Settle,
            8 => Command::Release,
            9 => Command::AskFaucet,
            10 => Command::OpenPool(Amount::from_units(u128::MAX - u128::from(choices.byte()))),
            11..13 => {
                let amount = Amount::from_units(u128::from(choices.byte()) << choices.below(128));
                Command::Transfer { token: Token::Operational, to: Address([9; 20]), amount }
            }
            14 => return self.look_up(choices),
            13 => {
                let (rate, left) = (choices.byte(), choices.byte());
                Command::SetUpload(UploadPolicy {
                    is_enabled: rate % 2 == 0,
                    rate: Some(u64::from(rate) << 10),
                    total: Some(u64::from(left) << 12),
                })
            }
            _ => Command::Stop,
        };
        let before = self.client.snapshot();
        let mut out = Vec::new();
        let result = self.client.command(self.now, CLOCK, command, &mut out);
        if result.is_err() {
            let mut after = self.client.snapshot();
            after.problems.clone_from(&before.problems);
            assert!(after == before, "a refused command changed something");
        }
        self.take(out);
    }

    /// Somebody looks around in the explorer.
    fn look_up(&mut self, choices: &mut Choices<'_>) {
        let height = Height(u64::from(choices.byte() % 32));
        let level = *choices.of(&Level::ALL).unwrap_or(&Level::Final);
        let id = LookupId(self.next_want);
        self.next_want += 1;
        self.lookups.insert(id);
        let question = match choices.below(8) {
            0 => Question::Block(height),
            1 => Question::Blocks(height),
            2 => Question::Checkpoint(height),
            3 => Question::Account(world().address(), level),
            4 => Question::Pool(world().pool(0), level),
            5 => Question::Stakers(level),
            6 => Question::Field(FieldId(Hash([7; 32])), level),
            // Last, so that inputs which found something before still do.
            _ => return self.feed(Input::FindPools(id)),
        };
        self.feed(Input::LookUp(id, question));
    }

    /// What is found is what the chain holds, whoever lied on the way.
    fn found(found: &Found) {
        let world = world();
        let is_real = |proven: &Proven, header: &Header| {
            let known = world.headers.iter().any(|own| own == header);
            let named = (proven.block, proven.root) == (header.id(), header.state_root);
            // Of what is only included, nobody has said that it is the chain's.
            assert!(named && (known || proven.level == Level::Included), "a header of no chain");
        };
        let under = |proven: &Proven| {
            let known = world.headers.iter().find(|own| own.id() == proven.block);
            assert!(known.is_some() || proven.level == Level::Included, "under no head");
            known.is_some()
        };
        match found {
            Found::Block(found) => is_real(&found.proven, &found.header),
            Found::Blocks(all) => all.iter().for_each(|(proven, header)| is_real(proven, header)),
            Found::Checkpoint(found) => {
                is_real(&found.proven, &found.header);
                assert!(found.guardians == world.spec.guardians, "another set");
            }
            Found::Account(found) => {
                let key = StateKey::account(world.chain, &found.address);
                let own = world.tree.prove(&key).and_then(|proof| proof.value);
                let shown = found.exists.then(|| codec::encode(&found.account));
                let same = own.map(|own| own.to_vec()) == shown;
                assert!(same || !under(&found.proven), "an account that is none");
            }
            Found::Pool(found) => {
                let key = StateKey::pool(world.chain, &found.pool);
                let own = world.tree.prove(&key).and_then(|proof| proof.value);
                let same = own.map(|own| own.to_vec()) == found.state.as_ref().map(codec::encode);
                assert!(same || !under(&found.proven), "a pool that is none");
            }
            Found::Field(found) => {
                let is_absent = found.state.is_none() && found.keys.is_empty();
                assert!(is_absent || !under(&found.proven), "this chain has no fields");
            }
            Found::Stakers(_) => unreachable!("this chain has no stakers"),
            Found::Pools(found) => {
                under(&found.proven);
                let is_own =
                    |(_, terms): &(_, PoolTerms)| Address::of(&terms.creator) == world.address();
                assert!(found.pools.iter().all(is_own), "a pool of somebody else");
            }
        }
    }

    fn feed(&mut self, input: Input) {
        let is_due = input == Input::Tick && self.client.deadline().is_some_and(|d| d <= self.now);
        let mut out = Vec::new();
        self.client.handle(self.now, CLOCK, input, &mut out);
        if is_due {
            let next = self.client.deadline();
            assert!(next.is_none_or(|d| d > self.now), "the deadline stands still at {next:?}");
        }
        self.take(out);
        self.check();
    }

    fn take(&mut self, out: Vec<Output>) {
        assert!(out.len() <= MAX_OUTPUTS, "{} outputs of one input", out.len());
        for output in out {
            match output {
                Output::Http(id, order) => {
                    assert!(self.http.insert(id, order).is_none(), "a request's id used twice");
                }
                Output::CancelHttp(id) => drop(self.http.remove(&id)),
                Output::Ask(id, query) => drop(self.asks.insert(id, query)),
                Output::CreateLink(id, _) => drop(self.links.insert(id, Channel::default())),
                Output::CloseLink(id) => drop(self.links.remove(&id)),
                Output::Send(id, bytes) => self.hear(id, &bytes),
                Output::TrackerSend(bytes) => self.told(&bytes),
                Output::Store(token, ..) => self.writes.push(token),
                Output::Deliver(id, bytes) => {
                    let own = match self.wants.remove(&id) {
                        Some(Wish::Segment(sequence)) => {
                            world().segment(sequence).map(|(own, _)| &own[..])
                        }
                        Some(Wish::Map) => Some(MAP),
                        Some(Wish::Playlist) => Some(&[][..]),
                        None => None,
                    };
                    assert!(own == Some(&bytes[..]), "a wrong byte is played");
                }
                Output::Refuse(id, _) => {
                    assert!(self.wants.remove(&id).is_some(), "refused, and nobody asked");
                }
                Output::Fail(id, _) => drop(self.wants.remove(&id)),
                Output::Found(id, found) => {
                    assert!(self.lookups.remove(&id), "found, and nobody asked");
                    Self::found(&found);
                    self.found += 1;
                }
                Output::Shown(..) => unreachable!("this chain has no fields"),
                Output::Lost(id, _) => {
                    assert!(self.lookups.remove(&id), "lost, and nobody asked");
                }
                Output::ConnectTracker(_)
                | Output::CloseTracker
                | Output::AcceptAnswer(..)
                | Output::AddCandidates(..)
                | Output::Notify(_) => {}
            }
        }
    }

    /// A neighbour receives what the client sends.
    fn hear(&mut self, id: LinkId, bytes: &[u8]) {
        assert!(bytes.len() <= MAX_MESSAGE, "a message of {} bytes", bytes.len());
        let Some(channel) = self.links.get_mut(&id) else { return };
        let mut frames = Vec::new();
        assert!(channel.heard.push(bytes, &mut frames).is_ok(), "it sends what is no frame");
        for frame in frames {
            match frame {
                Frame::Request(request) => channel.asked.push(request.id),
                Frame::Chunk(chunk) => {
                    let segment = world().segment(chunk.id.sequence).map(|(bytes, _)| bytes);
                    let own =
                        segment.and_then(|bytes| bytes.chunks(CHUNK).nth(chunk.id.index.into()));
                    assert!(own == Some(&*chunk.bytes), "a wrong byte is passed on");
                }
                Frame::Hello(_)
                | Frame::Have(_)
                | Frame::HaveDelta(_)
                | Frame::Refuse(_)
                | Frame::Cancel(_)
                | Frame::Voucher(_)
                | Frame::PoolRef(_)
                | Frame::Field(_)
                | Frame::Tick(_)
                | Frame::Bye(_) => {}
            }
        }
    }

    /// The tracker receives what the client sends.
    fn told(&mut self, bytes: &[u8]) {
        let message = ToTracker::from_bytes(bytes);
        assert!(message.is_ok(), "it sends the tracker what is no message");
        if let Ok(ToTracker::Signal(signal)) = message {
            assert!(signal.verify_sender().is_ok(), "a description that it did not sign");
            let place = network::place(signal.body.to);
            if let Some(channel) = self.describing.and_then(|id| self.links.get_mut(&id)) {
                channel.peer = place;
            }
            self.signal = Some(signal.body);
        }
    }

    /// Nothing grows without bound, nothing is believed or paid that must not be.
    fn check(&self) {
        let shown = self.client.snapshot();
        assert!(self.http.len() <= 128, "{} requests at once", self.http.len());
        assert!(self.asks.len() <= 64, "{} questions at once", self.asks.len());
        assert!(self.links.len() <= 16, "{} links", self.links.len());
        assert!(shown.peers.len() <= 16 && shown.problems.len() <= 64, "lists grow");
        assert!(shown.wallet.settlements.len() <= 64, "settlements grow");
        assert!(shown.delivery.cached <= (SEGMENT_BYTES * 4) as u64, "the cache is over its limit");
        let heights = world().headers.len() as u64;
        assert!(shown.chain.settled.0 <= heights, "settled above what was signed");
        let is_final = |held: &antiphon_core::chain::light::Checkpoint| {
            held.header.height == shown.chain.final_height
        };
        assert!(
            shown.chain.final_height.0 == 0 || world().checkpoints.iter().any(is_final),
            "final and nobody signed it"
        );
        if let Some(restored) = self.restored {
            let tail = (SEGMENT_BYTES - CHUNK) as u64;
            let chunks = u128::from(shown.delivery.from_peers / tail);
            let promised = shown.wallet.vouchers_out;
            let owed = chunks * PRICE.units() + restored;
            assert!(promised.units() <= owed, "promised more than was brought");
            assert!(promised <= DEPOSIT, "promised beyond the deposit");
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let shown = self.client.snapshot();
        Outcome {
            delivered: shown.delivery.delivered,
            from_peers: shown.delivery.from_peers,
            served: shown.delivery.chunks_served,
            promised: shown.wallet.vouchers_out.units(),
            earned: shown.wallet.vouchers_in.units(),
            final_height: shown.chain.final_height.0,
            found: self.found,
        }
    }
}
