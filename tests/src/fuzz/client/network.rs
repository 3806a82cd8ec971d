//! What a mostly honest network says to the client: playlists, files, segments, proofs, the tracker, neighbours.

use crate::fuzz::{
    choice::Choices,
    world::{PEERS, PRICE, SEGMENTS, world},
};
use antiphon_core::{
    chain::{light::File, proof::MAX_KEYS, spec::Token, state::StateKey},
    client::{HttpAnswer, HttpOrder, Loaded},
    codec::{self, Bounded, Text, encode},
    crypto::{Hash, Signed},
    delivery::{
        chunk::ChunkId,
        have::{HaveDelta, segments},
        serve::Refusal,
    },
    id::{Address, BlockId, ChainId, Height, PeerId},
    payment::tick::Preimage,
    peer::{
        frames::{ByeReason, ChunkBytes, Frame, Hello, Refuse, Request, Terms},
        tracker_wire::{
            Candidate, Candidates, ForwardedSignal, Signal, SignalKind, ToListener, TrackerRefusal,
        },
    },
};

/// Returns what the player loads as the playlist: mostly the honest one.
pub(super) fn playlist(choices: &mut Choices<'_>) -> Loaded {
    let first = SEGMENTS.start + u64::from(choices.byte() % 8);
    let text = world().playlist(first, 4 + choices.below(5));
    let text = match choices.below(8) {
        0 => String::from_utf8_lossy(&choices.spoil(text.into_bytes())).into_owned(),
        _ => text,
    };
    Loaded { url: String::from("http://origin/live.m3u8"), text }
}

/// Returns the honest answer to an HTTP request.
pub(super) fn http(order: &HttpOrder, finalised: usize) -> HttpAnswer {
    let missing = HttpAnswer { status: 404, body: Vec::new() };
    if let Some(path) = order.url.strip_prefix("http://node") {
        let body = file(path).and_then(|file| world().file(&file, finalised));
        return body.map_or(missing, |body| HttpAnswer { status: 200, body });
    }
    let name = order.url.strip_prefix("seg").and_then(|name| name.strip_suffix(".m4s"));
    let segment = name.and_then(|name| world().segment(name.parse().ok()?));
    let Some((bytes, _)) = segment else { return missing };
    let Some((from, to)) = order.range else {
        return HttpAnswer { status: 200, body: bytes.clone() };
    };
    let range = usize::try_from(from).unwrap()..usize::try_from(to).unwrap().min(bytes.len());
    HttpAnswer { status: 206, body: bytes[range].to_vec() }
}

fn file(path: &str) -> Option<File> {
    let (kind, name) = path.strip_prefix("/light/")?.split_once('/').unwrap_or(("tip", ""));
    let hash = Hash::from_hex(name).unwrap_or_default();
    Some(match kind {
        "spec" => File::Spec(ChainId(hash)),
        "header" => File::Header(BlockId(hash)),
        "checkpoint" => File::Checkpoint(BlockId(hash)),
        "guardians" => File::Guardians(hash),
        "validators" => File::Validators(hash),
        "change" => File::Change(hash),
        "final" => File::Final(Height(name.parse().unwrap_or_default())),
        "span" => File::Span(BlockId(hash)),
        "body" => File::Body(BlockId(hash)),
        "news" => File::News,
        _ => File::Tip,
    })
}

/// Returns the honest answer to a request for proofs.
pub(super) fn proofs(keys: &[u8]) -> Vec<u8> {
    let keys: Bounded<StateKey, MAX_KEYS> = codec::decode(keys, 1 << 16).unwrap();
    world().prove(&keys)
}

/// Returns one message of the tracker. `signal` is what the client sent last for a neighbour.
pub(super) fn tracker(signal: Option<&Signal>, choices: &mut Choices<'_>) -> ToListener {
    let world = world();
    let rank = u64::from(choices.byte());
    match choices.below(8) {
        0 => ToListener::Challenge([1; 32]),
        1 | 2 => ToListener::Welcome(world.stream, rank),
        3 => {
            let candidate =
                |at: usize| Candidate { peer: world.peer(at), rank: rank.wrapping_add(at as u64) };
            let peers: Vec<_> = (0..PEERS).map(candidate).collect();
            let peers = peers.try_into().unwrap();
            let crowd = u32::MAX >> choices.below(32);
            ToListener::Candidates(Candidates { stream: world.stream, crowd, peers })
        }
        4 => ToListener::Refused(match rank % 3 {
            0 => TrackerRefusal::NotSignedIn,
            1 => TrackerRefusal::NoSuchPeer,
            _ => TrackerRefusal::TooMuch,
        }),
        kind => {
            let answered = signal.filter(|_| kind != 5).filter(|s| s.kind == SignalKind::Offer);
            let at = choices.below(PEERS);
            let at = answered.and_then(|s| place(s.to)).unwrap_or(at);
            let body = Signal {
                stream: world.stream,
                from: world.peer(at),
                to: PeerId(world.key.public()),
                session: answered.map_or(rank, |signal| signal.session),
                kind: if answered.is_some() { SignalKind::Answer } else { SignalKind::Offer },
                sdp: Text::try_from("v=0").unwrap(),
            };
            let signal = Signed::new(&world.peers[at], ChainId::default(), body);
            ToListener::Signal(ForwardedSignal { rank, signal })
        }
    }
}

/// Returns which neighbour a key names.
pub(super) fn place(peer: PeerId) -> Option<usize> {
    (0..PEERS).find(|at| world().peer(*at) == peer)
}

/// Returns what neighbour `at` says when it opens a link.
pub(super) fn hello(at: usize) -> Frame {
    let payee = Address::of(&world().peers[at].public());
    let terms = Some(Terms { payee, price: PRICE, token: Token::Operational });
    Frame::Hello(Hello { stream: world().stream, features: 0, terms })
}

/// Returns one frame of neighbour `at`. `asked` is what the client wants from it.
pub(super) fn frame(at: usize, asked: &mut Vec<ChunkId>, choices: &mut Choices<'_>) -> Frame {
    let sequence = SEGMENTS.start + u64::from(choices.byte() % 16);
    let id = ChunkId { sequence, index: u16::from(choices.byte() % 3) };
    let promise = |choices: &mut Choices<'_>| {
        let (seq, cum) = (choices.byte().into(), choices.byte().into());
        let voucher = encode(&world().voucher(at, seq, cum).to_compact());
        Bounded::try_from(voucher).unwrap()
    };
    match choices.below(17) {
        0 => hello(at),
        1 => {
            let all =
                SEGMENTS.flat_map(|sequence| (0..2).map(move |index| ChunkId { sequence, index }));
            Frame::Have(segments(all))
        }
        2 => Frame::HaveDelta(HaveDelta { added: segments([id]), ..HaveDelta::default() }),
        3 => {
            let list = |sequence| Bounded::try_from(vec![sequence]).unwrap();
            let (removed, fetching) = (list(sequence), list(sequence + 1));
            Frame::HaveDelta(HaveDelta { added: Bounded::new(), removed, fetching })
        }
        4 | 5 => Frame::Request(Request { id, voucher: None }),
        6 => Frame::Request(Request { id, voucher: Some(promise(choices)) }),
        7..10 => match asked.pop() {
            Some(id) => Frame::Chunk(ChunkBytes { id, bytes: chunk(id).try_into().unwrap() }),
            None => Frame::HaveDelta(HaveDelta { added: segments([id]), ..HaveDelta::default() }),
        },
        // A chunk that nobody asked for.
        10 => Frame::Chunk(ChunkBytes { id, bytes: chunk(id).try_into().unwrap() }),
        11 => {
            let id = asked.pop().unwrap_or(id);
            Frame::Refuse(Refuse { id, reason: Refusal::Busy })
        }
        12 => Frame::Cancel(id),
        13 => Frame::Voucher(promise(choices)),
        14 => Frame::PoolRef(world().pool(at)),
        15 => Frame::Tick(Preimage([choices.byte(); 32])),
        _ => Frame::Bye(ByeReason::Leaving),
    }
}

/// Returns the honest bytes of a chunk; none for one that does not exist.
fn chunk(id: ChunkId) -> Vec<u8> {
    let segment = world().segment(id.sequence).map(|(bytes, _)| bytes.as_slice());
    let mut chunks = segment.unwrap_or_default().chunks(antiphon_core::delivery::chunk::CHUNK);
    chunks.nth(id.index.into()).unwrap_or_default().to_vec()
}
