//! The seeds: for each target some inputs that an honest world would give it, so that a fuzzer starts beyond the door.

mod promise;

use super::world::{CLOCK, VOUCHERS, world};
use antiphon_core::{
    amount::Amount,
    chain::{
        light::{Anchor, File, ForkProof, Kept},
        spec::Token,
        state::StateKey,
        transaction::{Delay, Exchange, Message, Part, SignedTransaction, Transaction},
    },
    codec::{Bounded, Text, encode},
    crypto::{Hash, SecretKey, Signed},
    delivery::{
        chunk::ChunkId,
        have::{HaveDelta, segments},
        heir::Heir,
        playlist::{record_tag, stream_tag},
        record::StreamInfo,
        serve::Refusal,
    },
    id::{Address, ChainId, DelayId, Height, PeerId},
    payment::{tick::Preimage, voucher::Promise},
    peer::{
        frames::{ByeReason, ChunkBytes, Frame, Hello, Parcel, Refuse, Request, Terms},
        tracker_wire::{
            Candidate, Candidates, ForwardedSignal, Near, Nearby, Relay, Relayed, SignIn, Signal,
            SignalKind, ToListener, ToTracker, TrackerRefusal,
        },
    },
    wallet::{address, mnemonic::Words},
};

/// Inputs with a name each.
pub(super) type Seeds = Vec<(&'static str, Vec<u8>)>;

fn with(kind: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    [&[kind][..], bytes.as_ref()].concat()
}

pub(super) fn light_files() -> Seeds {
    let world = world();
    let guardians = world.spec.guardians.clone();
    let [one, other] = [0, 1].map(|at: usize| world.checkpoints[at].clone());
    let fork = ForkProof::new(one.clone(), other, guardians.clone());
    let kept = Kept { anchor: Anchor::Genesis, checkpoint: one, guardians };
    vec![
        ("spec", with(0, encode(&world.spec))),
        ("tip", with(1, encode(&world.tip(1)))),
        ("header", with(2, encode(&world.headers[8]))),
        ("checkpoint", with(3, encode(&world.checkpoints[0]))),
        ("guardians", with(4, encode(&world.spec.guardians))),
        ("validators", with(5, encode(&world.spec.validators))),
        ("change", with(6, encode(&world.change()))),
        ("kept", with(7, kept.to_bytes())),
        ("fork", with(8, fork.to_bytes())),
        ("span", with(9, encode(&world.headers[..3].to_vec()))),
        ("news", with(11, world.file(&File::News, 1).unwrap_or_default())),
        ("body", with(10, encode(&vec![vec![1_u8, 2, 3], Vec::new()]))),
    ]
}

pub(super) fn state_proofs() -> Seeds {
    let world = world();
    let me = StateKey::account(world.chain, &world.address());
    let keys = [me, StateKey::pool(world.chain, &world.pool(0)), StateKey(Hash([7; 32]))];
    let [own, pool, none] = keys.map(|key| encode(&world.tree.prove(&key).unwrap()));
    vec![
        ("account", with(0, own)),
        ("pool", with(0, pool)),
        ("absence", with(0, none)),
        ("answer", with(1, world.prove(&keys))),
        ("account-value", with(3, world.tree.value(&keys[0]).unwrap())),
        ("pool-value", with(4, world.tree.value(&keys[1]).unwrap())),
        ("paid-value", with(5, encode(&(3_u64, 44_u128, 0_u8)))),
    ]
}

pub(super) fn transaction() -> Seeds {
    let world = world();
    let (to, amount) = (Address([3; 20]), Amount::from_units(5));
    let terms = super::world::terms(&world.key, world.stream, CLOCK.0);
    let part = |address| vec![Part { address, amount }].try_into().unwrap();
    let me = Address::of(&world.key.public());
    let exchange = Exchange { token: Token::Operational, from: part(me), to: part(to) };
    let messages = vec![
        Message::Transfer { token: Token::Operational, to, amount },
        Message::Exchange(Box::new(exchange)),
        Message::Delay(Delay { token: Token::Staking, to, amount, blocks: 9, guard: Some(to) }),
        Message::Cancel(DelayId(Hash([6; 32]))),
        Message::CreatePool(terms),
        Message::Settle(Box::new(world.voucher(0, 3, 44).into())),
        Message::Release(world.pool(1)),
        Message::Report(promise::overdraft()),
        Message::Collect { pool: world.pool(0), target: to },
    ];
    let signed = |messages: Vec<Message>| {
        let body = Transaction {
            sender: world.key.public().into(),
            sequence: 1,
            reference_height: Height(8),
            reference_block: world.headers[7].id(),
            scope: Text::try_from("a").unwrap(),
            max_fee: Amount::from_units(1),
            cosigners: Bounded::new(),
            messages: messages.try_into().unwrap(),
        };
        SignedTransaction::new(&world.key, world.chain, body).to_bytes()
    };
    vec![("all-kinds", signed(messages)), ("empty", signed(Vec::new()))]
}

pub(super) fn vouchers() -> Seeds {
    let voucher = |(seq, cum)| world().voucher(0, seq, cum);
    vec![
        ("compact", encode(&voucher(VOUCHERS[0]).to_compact())),
        ("whole", encode(&Promise::from(voucher(VOUCHERS[2])))),
        ("compact-ticks", encode(&promise::ticked().voucher.to_compact())),
        ("tick", encode(&promise::ticked())),
    ]
}

pub(super) fn fields() -> Seeds {
    super::field::seeds()
}

pub(super) fn records() -> Seeds {
    let world = world();
    let info = Signed::new(&world.publisher, world.chain, world.info.clone());
    vec![("stream", info.to_bytes()), ("record", world.segments[0].1.to_bytes())]
}

pub(super) fn playlists() -> Seeds {
    let world = world();
    let (honest, info) = (world.playlist(5, 3), world.info.clone());
    let tag = stream_tag(&Signed::new(&world.publisher, world.chain, info.clone()));
    let lines = |text: &str, count: usize| with(0, format!("{honest}{}", text.repeat(count)));
    let record = record_tag(&world.segments[2].1);
    vec![
        ("heir", with(1, [&[0][..], usurped(&info).as_bytes()].concat())),
        ("not-utf8", with(1, b"\x01\xff\xfe#EXT-X-ANTIPHON-STREAM:\xc3")),
        ("negative-duration", with(1, b"\x03#EXTINF:-2.0,")),
        ("endless-duration", with(1, b"\x03#EXTINF:1e400,")),
        ("rendition", with(1, b"\x02#EXT-X-MEDIA-SEQUENCE:17592186044415")),
        ("past-renditions", with(1, b"\x02#EXT-X-MEDIA-SEQUENCE:17592186044416")),
        ("sequence-again", lines("#EXT-X-MEDIA-SEQUENCE:5\n", 1)),
        ("record-twice", lines(&format!("{record}\n#EXTINF:2,\nseg.m4s\n"), 2)),
        ("many-tags", lines("#EXT-X-GAP\n", 60)),
        ("wide", lines("#wide", 150)),
        ("cyclic", lines("#EXT-X-STREAM-INF:BANDWIDTH=1\nlive.m3u8\n", 2)),
        ("key", lines("#EXT-X-KEY:METHOD=AES-128,URI=\"https://k/1\"\n", 1)),
        ("whole", with(0, honest.clone())),
        ("ended", with(0, world.playlist(7, 2) + "#EXT-X-ENDLIST\n")),
        ("multivariant", with(0, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n")),
        ("stream-twice", with(1, [&[3][..], tag.as_bytes()].concat())),
        ("byte-range", with(1, b"\x04#EXT-X-BYTERANGE:100@0")),
        ("duration", with(1, b"\x04#EXTINF:4294967.2951,title")),
        ("sequence", with(1, b"\x02#EXT-X-MEDIA-SEQUENCE:18446744073709551615")),
        ("spoilt", vec![2, 200, 0, 0, 1]),
    ]
}

/// The tag of a stream that a key signs which made itself the heir.
fn usurped(info: &StreamInfo) -> String {
    let thief = SecretKey::from_bytes(&[66; 32]);
    let heir = Heir::new(&thief, info.publisher, 0, thief.public());
    let info = StreamInfo { heirs: vec![heir].try_into().unwrap(), ..info.clone() };
    stream_tag(&Signed::new(&thief, world().chain, info))
}

pub(super) fn typed_texts() -> Seeds {
    let words = Words::from_entropy(&[7; 16]).unwrap().to_text();
    vec![
        ("address", with(0, address::to_text(&Address([5; 20])))),
        ("words", with(1, words.as_bytes())),
        ("many-words", with(1, Words::from_entropy(&[9; 32]).unwrap().to_text().as_bytes())),
        ("amount", with(8, "12.5")),
        ("largest-amount", with(38, "3.40282366920938463463374607431768211455")),
    ]
}

pub(super) fn frames() -> Seeds {
    let world = world();
    let id = ChunkId { sequence: 5, index: 1 };
    let voucher = Bounded::try_from(encode(&world.voucher(0, 1, 2).to_compact())).unwrap();
    let (payee, price) = (world.address(), super::world::PRICE);
    let terms = Some(Terms { payee, price, token: Token::Operational });
    let list = |sequence: u64| Bounded::try_from(vec![sequence]).unwrap();
    let all = [
        Frame::Hello(Hello { stream: world.stream, features: 0, terms }),
        Frame::Have(segments([id, ChunkId { sequence: 6, index: 9 }])),
        Frame::HaveDelta(HaveDelta { added: segments([id]), removed: list(3), fetching: list(8) }),
        Frame::Request(Request { id, voucher: Some(voucher.clone()) }),
        Frame::Chunk(ChunkBytes { id, bytes: vec![7; 300].try_into().unwrap() }),
        Frame::Refuse(Refuse { id, reason: Refusal::Busy }),
        Frame::Cancel(id),
        Frame::Voucher(voucher),
        Frame::PoolRef(world.pool(0)),
        Frame::Bye(ByeReason::Leaving),
        Frame::Field(parcel()),
        Frame::Tick(Preimage([7; 32])),
    ];
    let stream: Vec<u8> = all.iter().flat_map(Frame::to_bytes).collect();
    let cut = |cuts: [u8; 8], stream: &[u8]| [&cuts[..], stream].concat();
    vec![
        ("one-of-each", cut([1, 0, 2, 3, 5, 0, 7, 11], &stream)),
        ("at-once", cut([255; 8], &stream)),
        ("hello", cut([0; 8], &all[0].to_bytes())),
    ]
}

fn parcel() -> Parcel {
    Parcel::try_from(vec![5; 90]).unwrap()
}

pub(super) fn tracker_messages() -> Seeds {
    let world = world();
    let me = PeerId(world.key.public());
    let body = Signal {
        stream: world.stream,
        from: world.peer(0),
        to: me,
        session: 9,
        kind: SignalKind::Offer,
        sdp: Text::try_from("v=0").unwrap(),
    };
    let signal = Signed::new(&world.peers[0], ChainId::default(), body);
    let url = Text::try_from("ws://tracker").unwrap();
    let peers = vec![Candidate { peer: world.peer(1), rank: 4 }].try_into().unwrap();
    let forwarded = ForwardedSignal { rank: 3, signal: signal.clone() };
    let (stream, from) = (world.stream, world.peer(0));
    let relay = Relay { stream, to: from, parcel: parcel() };
    let relayed = Relayed { stream, from, parcel: parcel() };
    let nearby = vec![Nearby { doublings: 4, peer: from }].try_into().unwrap();
    let near = Near { stream, peers: nearby };
    vec![
        ("sign-in", ToTracker::SignIn(SignIn::new(&world.key, [1; 32], url)).to_bytes()),
        ("join", ToTracker::Join(world.stream).to_bytes()),
        ("leave", ToTracker::Leave(world.stream).to_bytes()),
        ("signal", ToTracker::Signal(signal).to_bytes()),
        ("heartbeat", ToTracker::Heartbeat.to_bytes()),
        ("relay", ToTracker::Relay(relay).to_bytes()),
        ("near", ToTracker::Near(near).to_bytes()),
        ("relayed", ToListener::Relayed(relayed).to_bytes()),
        ("challenge", ToListener::Challenge([1; 32]).to_bytes()),
        ("welcome", ToListener::Welcome(world.stream, 7).to_bytes()),
        (
            "candidates",
            ToListener::Candidates(Candidates { stream: world.stream, crowd: 2, peers }).to_bytes(),
        ),
        ("forwarded", ToListener::Signal(forwarded).to_bytes()),
        ("refused", ToListener::Refused(TrackerRefusal::TooMuch).to_bytes()),
    ]
}

pub(super) fn stored_rows() -> Seeds {
    vec![
        ("honest", vec![0, 1, 0, 1, 1, 0, 2, 1, 0, 3, 1, 0]),
        ("torn", vec![0, 1, 1, 40, 0, 1, 2, 1, 1, 9, 0, 1]),
        ("flipped", vec![0, 1, 1, 3, 0, 0, 255, 3, 1, 1, 200, 1, 0, 4]),
    ]
}

#[cfg(not(target_family = "wasm"))]
pub(super) fn node_messages() -> Seeds {
    use antiphon_core::chain::{
        carried::Carried,
        certificate::{Counts, FinalityVote, Vote},
        header::SignedHeader,
    };
    use antiphon_node::{
        bft::message::{Block, EpochChange, Message, SignedEpochChange, SignedVote},
        guardian::{self, Share, Tally},
    };
    let world = world();
    let header = world.headers[0].clone();
    let (height, block) = (header.height, header.id());
    let signature = world.key.sign_digest(block.0);
    let vote = Vote { validators_hash: header.validators_hash, height, block };
    let vote = SignedVote::new(&world.key, world.chain, 0, vote);
    let change = EpochChange {
        validators_hash: header.validators_hash,
        epoch: header.epoch,
        high_cc: world.tip(0).certificate,
    };
    let change = SignedEpochChange { change, index: 1, signature, last_vote: Some(vote.clone()) };
    let body = vec![vec![1, 2, 3].try_into().unwrap()].try_into().unwrap();
    let signed = SignedHeader { header, signature };
    let held = &world.checkpoints[0];
    let guardians_hash = held.header.guardians_hash;
    let (height, block) = (held.certificate.height, held.certificate.block);
    let share = Share {
        vote: FinalityVote { guardians_hash, height, block },
        index: 0,
        signature: held.certificate.signature,
    };
    let counts = (0..world.spec.guardians.members.len()).map(|at| u32::from(at < 3));
    let tally = guardian::Message::Tally(Box::new(Tally {
        round: 1,
        vote: share.vote.clone(),
        counts: Counts::new(counts.collect()).unwrap(),
        signature: share.signature,
    }));
    let certificate = guardian::Message::Certificate(held.certificate.clone());
    vec![
        (
            "block",
            with(
                0,
                encode(&Message::Block(Box::new(Block {
                    signed,
                    carried: Carried::default(),
                    body,
                }))),
            ),
        ),
        ("vote", with(0, encode(&Message::Vote(vote)))),
        ("epoch-change", with(0, encode(&Message::EpochChange(Box::new(change))))),
        ("share", with(1, encode(&guardian::Message::Share(share)))),
        ("certificate", with(1, encode(&certificate))),
        ("tally", with(1, encode(&tally))),
    ]
}

pub(super) fn light_machine() -> Seeds {
    let honest = [0, 0].repeat(40);
    let later: Vec<u8> = [&honest[..], &[8, 3, 11], &honest[..80]].concat();
    vec![
        ("follows", [&[0, 0, 0][..], &later].concat()),
        ("restarts", [&[0, 1, 1, 8, 3][..], &honest].concat()),
        ("witnessed", [&[1, 0, 0][..], &later].concat()),
        ("pinned", [&[3, 0, 0, 8, 2][..], &honest, &[11], &honest[..20]].concat()),
        (
            "lies",
            [&[0, 0, 0][..], &[5, 0, 9, 0, 0, 1, 0, 0, 6, 0, 3, 11, 7, 0, 11].repeat(8)].concat(),
        ),
    ]
}

pub(super) fn payee_machine() -> Seeds {
    let start = [0, 6, 1, 0, 0, 0, 0, 1, 1, 0];
    let pays: Vec<u8> = (1..9).flat_map(|n| [0, 2, n, n * 4, 0, 8, 0, 11, 1]).collect();
    vec![
        ("pays", [&[0][..], &start, &pays].concat()),
        (
            "settles",
            [&[0][..], &start, &pays, &[0, 2, 20, 45, 0, 8, 0, 6, 2, 0, 1, 2, 45]].concat(),
        ),
        ("restarts", [&[1][..], &start, &pays].concat()),
        ("early", [&[0, 0, 0, 0, 0, 2, 1, 2][..], &start[..3], &[0, 1, 2, 0, 0, 8]].concat()),
        ("stalls", [&[0][..], &start, &pays, &[0, 7, 255, 0, 11, 1]].concat()),
    ]
}

/// A listener that syncs, meets its neighbours, plays, pays, serves and earns.
pub(super) fn client_machine() -> Seeds {
    let http = |count| [2].repeat(count);
    let playlist = [7, 0, 4, 1];
    let sync = [&http(12)[..], &[14, 3], &http(12), &[5, 0, 5, 0, 5, 0, 0], &http(8)].concat();
    let proofs = [5, 0, 5, 0, 5, 0, 6];
    let pool = [&[15, 0, 6, 0][..], &http(4), &proofs, &proofs].concat();
    let tracker = [9, 0, 9, 3, 0, 0, 9, 3, 5, 1, 9, 3, 0, 3];
    let dial: Vec<u8> = (0..3).flat_map(|at| [10, at, 0, 9, 3, at, 6, at]).collect();
    let open: Vec<u8> = (0..3).flat_map(|at| [10, at, 3, 11, at, 0, 0, 0, 0]).collect();
    let have: Vec<u8> = (0..3).flat_map(|at| [11, at, 0, 0, 1, 0, 11, at, 0, 0, 14, 0]).collect();
    let chunks: Vec<u8> = (0..3).flat_map(|at| [11, at, 0, 0, 7, 0, 11, at, 0, 0, 7, 0]).collect();
    let plays: Vec<u8> =
        (0..8).flat_map(|s| [&[8, 0, s, 250][..], &chunks, &[6, 6, 0]].concat()).collect();
    let asks: Vec<u8> = (0..3)
        .flat_map(|at| {
            [
                11, at, 7, 0, 4, 0, 11, at, 7, 1, 4, 0, 11, at, 6, 0, 6, 9, 60, 0, 5, 0, 6, 11, at,
                6, 1, 4, 0,
            ]
        })
        .collect();
    let whole = [
        &[0][..],
        &sync,
        &playlist,
        &[8, 6, 0, 8, 6, 1, 3, 0, 0, 1, 8, 5, 0, 0, 8, 5, 0, 1, 9, 0, 0, 1],
        &proofs,
        &tracker,
        &dial,
        &open,
        &have,
        &pool,
        &plays,
        &asks,
        &proofs,
        &asks,
        &[15, 6],
    ]
    .concat();
    // Each question at a height below, at and above the heads, between honest answers.
    let looks: Vec<u8> = (0..6)
        .flat_map(|kind| [15, 14, 3 + kind * 5, kind, kind].into_iter().chain([2; 6]).chain([5, 0]))
        .collect();
    let explored = [&[1][..], &sync, &looks, &proofs, &looks, &http(8), &proofs];
    let alone = [&[1][..], &playlist, &[8, 0, 0, 10, 8, 0, 1, 20], &http(6), &[0, 0, 0], &http(4)];
    let lies = [
        &[1][..],
        &sync,
        &playlist,
        &tracker,
        &dial,
        &open,
        &have,
        &[8, 0, 2, 200],
        &[11, 0, 0, 0, 7, 7, 9, 0, 0, 1, 11, 1, 0, 0, 7, 7, 200, 1, 1],
        &[9, 2, 3, 1, 1, 0, 0, 4, 1, 0, 2, 40, 0, 4, 3, 1, 1, 0],
    ];
    vec![
        ("whole", whole),
        ("alone", alone.concat()),
        ("explored", explored.concat()),
        ("lies", lies.concat()),
        (
            "damaged",
            [&[2, 9, 0, 0, 1, 5, 0, 1, 3, 0, 2, 8, 0, 0, 1, 0, 0][..], &sync, &playlist].concat(),
        ),
    ]
}

pub(super) fn member_messages() -> Seeds {
    let letters = super::member::letters();
    let mut seeds = Seeds::new();
    for (kind, name) in [
        (2, "pay"),
        (3, "receipts"),
        (4, "credits"),
        (5, "propose"),
        (6, "ask"),
        (7, "part"),
        (8, "vote"),
        (9, "sealed"),
        (10, "close"),
        (11, "summon"),
        (12, "consent"),
        (13, "leave"),
    ] {
        // A field's id, then the kind.
        let letter = letters.iter().find(|letter| letter[32] == kind).unwrap();
        seeds.push((name, letter.clone()));
    }
    seeds
}

pub(super) fn member_machine() -> Seeds {
    let pay = |from: u8, to: u8| [from, 0, to, 7];
    let write = |at: u8| [at, 9];
    let deliver = [0, 2, 0];
    let turn: Vec<u8> = [&write(0)[..], &deliver, &write(1), &deliver, &write(2)].concat();
    let many = turn.repeat(8);
    let pays = [pay(1, 2), pay(2, 0), pay(0, 1)].concat();
    let close = [0, 13, 0];
    vec![
        ("round", [&pays[..], &many, &close, &many, &many].concat()),
        ("crash", [&pays[..], &turn, &[1, 11], &many, &close, &turn, &[0, 11], &many].concat()),
        ("spoilt", [&pays[..], &write(1), &[0, 8, 0, 40, 0, 0, 5], &many, &close, &many].concat()),
        ("late", [&pays[..], &many, &close, &[0, 7, 0, 1, 12, 255, 2, 12, 255], &many].concat()),
        ("closes", [&pays[..], &many, &[1, 13, 3], &many, &[1, 13, 1, 2, 13, 1], &many].concat()),
        (
            "amends",
            [&[0, 13, 4][..], &many, &[1, 13, 5, 2, 13, 5], &many, &[1, 13, 1], &many].concat(),
        ),
        ("alone", [&pays[..], &[2, 13, 3], &[2, 13, 1].repeat(12), &many].concat()),
    ]
}
