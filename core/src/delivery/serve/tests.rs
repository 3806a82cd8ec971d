use super::*;
use crate::{
    crypto::SecretKey,
    delivery::{
        chunk::{CHUNK, Chunk},
        record::Record,
    },
    id::StreamId,
};
use alloc::vec;

const CHUNKS: usize = 40;
const OPEN: Policy = Policy { is_enabled: true, rate: None, total: None };

#[test]
fn a_request_within_credit_is_served_at_once_and_uses_it_up() {
    let mut serve = serving(OPEN, 2);
    let out = feed(&mut serve, 0, request(1, 0));
    assert_eq!(out, [Output::Send(asked(1, 0), vec![0; CHUNK])]);
    assert_eq!(feed(&mut serve, 0, request(1, 1)).len(), 1);
    assert!(feed(&mut serve, 0, request(1, 2)).is_empty(), "it waits for a voucher");
    assert_eq!(serve.stats(), Stats { bytes: 2 * CHUNK as u64, chunks: 2, refused: 0 });
    let out = feed(&mut serve, 100, Input::Credit(peer(1), 1));
    assert_eq!(out.len(), 1);
}

#[test]
fn without_credit_a_request_is_refused_at_its_patience_and_not_before() {
    let mut serve = serving(OPEN, 0);
    assert!(feed(&mut serve, 0, request(1, 0)).is_empty());
    assert_eq!(serve.deadline(), Some(at(400)));
    assert!(feed(&mut serve, 399, Input::Tick).is_empty());
    let out = feed(&mut serve, 400, Input::Tick);
    assert_eq!(out, [Output::Refuse(asked(1, 0), Refusal::NoCredit)]);
    assert_eq!(serve.deadline(), None);
}

#[test]
fn a_peer_is_being_served_while_it_waits_and_while_it_reads_what_it_got() {
    let mut serve = serving(OPEN, 1);
    let is_serving = |serve: &Serve, ms| serve.is_serving(at(ms), &peer(1));
    assert!(!is_serving(&serve, 0) && !serve.is_serving(at(0), &peer(9)));
    feed(&mut serve, 0, request(1, 0));
    assert!(is_serving(&serve, 0));
    feed(&mut serve, 10, Input::Drained(peer(1), 0));
    assert!(!is_serving(&serve, 10), "it has all");
    feed(&mut serve, 20, request(1, 1));
    assert!(is_serving(&serve, 20), "it waits for credit");
    feed(&mut serve, 30, Input::Credit(peer(1), 1));
    // Who does not read what it asked for keeps no place by it.
    let unread = at(30).after(SENDING_PATIENCE).as_millis();
    assert!(is_serving(&serve, unread - 1) && !is_serving(&serve, unread));
}

#[test]
fn credit_without_limit_is_never_used_up() {
    let mut serve = serving(OPEN, UNLIMITED);
    for index in 0..10 {
        assert!(!serve.is_sending(&peer(1)));
        assert_eq!(feed(&mut serve, 0, request(1, index)).len(), 1);
        assert!(serve.is_sending(&peer(1)) && !serve.is_sending(&peer(2)));
        feed(&mut serve, 0, Input::Drained(peer(1), 0));
    }
}

#[test]
fn a_full_line_holds_back_until_a_buffer_drains_and_refuses_in_time() {
    let mut serve = serving(OPEN, UNLIMITED);
    feed(&mut serve, 0, Input::Joined(peer(2)));
    feed(&mut serve, 0, Input::Credit(peer(2), UNLIMITED));
    let mut sent = 0;
    for index in 0..4 {
        sent += sent_to(&feed(&mut serve, 0, request(1, index))).len();
        sent += sent_to(&feed(&mut serve, 0, request(2, index))).len();
    }
    assert_eq!(sent, MAX_SENDING / CHUNK);
    // The first has two in its buffer, the second one.
    let out = feed(&mut serve, 10, Input::Drained(peer(1), CHUNK));
    assert_eq!(out, [Output::Send(asked(2, 1), vec![0; CHUNK])]);
    let taken_back = Input::Cancel(asked(2, 2));
    assert_eq!(feed(&mut serve, 20, taken_back), []);
    assert_eq!(serve.deadline(), Some(at(400)));
    let out = feed(&mut serve, 400, Input::Tick);
    let refused = |n, index| Output::Refuse(asked(n, index), Refusal::Busy);
    let left = [refused(1, 2), refused(1, 3), refused(2, 3)];
    assert!(out.len() == 3 && left.iter().all(|refused| out.contains(refused)), "{out:?}");
}

#[test]
fn who_does_not_read_fills_its_own_window_and_keeps_nobody_waiting_for_long() {
    let mut serve = serving(OPEN, UNLIMITED);
    feed(&mut serve, 0, Input::Joined(peer(2)));
    feed(&mut serve, 0, Input::Credit(peer(2), UNLIMITED));
    let mut held = 0;
    for ms in (0..20_000).step_by(250) {
        for index in 0..16 {
            let of = u16::try_from(ms / 250 % 2).unwrap() * 16 + index;
            held += sent_to(&feed(&mut serve, ms, request(1, of))).len();
        }
        held += sent_to(&feed(&mut serve, ms, Input::Tick)).len();
    }
    assert_eq!(held, MAX_OUTSTANDING / CHUNK);
    assert_eq!(sent_to(&feed(&mut serve, 20_000, request(2, 0))), [peer(2)]);
    // While it fills its window, others wait for a second at most.
    let mut serve = serving(OPEN, UNLIMITED);
    feed(&mut serve, 0, Input::Joined(peer(2)));
    feed(&mut serve, 0, Input::Credit(peer(2), UNLIMITED));
    for index in 0..8 {
        feed(&mut serve, 0, request(1, index));
    }
    assert_eq!(sent_to(&feed(&mut serve, 900, request(2, 0))), []);
    assert_eq!(serve.deadline(), Some(at(1000)));
    assert_eq!(sent_to(&feed(&mut serve, 1000, Input::Tick)), [peer(2)]);
}

#[test]
fn a_queue_that_is_full_refuses_and_forgets_nothing() {
    let mut serve = serving(OPEN, 0);
    for index in 0..16 {
        assert!(feed(&mut serve, 0, request(1, index)).is_empty());
    }
    assert!(feed(&mut serve, 0, request(1, 3)).is_empty(), "a repeated request is one");
    let out = feed(&mut serve, 0, request(1, 16));
    assert_eq!(out, [Output::Refuse(asked(1, 16), Refusal::Busy)]);
    let mut sent = feed(&mut serve, 1, Input::Credit(peer(1), 99)).len();
    while sent < 16 {
        let more = feed(&mut serve, 1, Input::Drained(peer(1), 0)).len();
        assert!(more > 0, "{sent} were sent");
        sent += more;
    }
}

#[test]
fn peers_are_served_in_turn() {
    let mut serve = serving(Policy { rate: Some(CHUNK as u64), ..OPEN }, UNLIMITED);
    feed(&mut serve, 0, Input::Joined(peer(2)));
    feed(&mut serve, 0, Input::Credit(peer(2), UNLIMITED));
    feed(&mut serve, 0, request(1, 0));
    let mut turns = Vec::new();
    for round in 1..5 {
        let now = 1000 * u64::from(round);
        feed(&mut serve, now - 100, request(1, round));
        feed(&mut serve, now - 100, request(2, round));
        turns.extend(sent_to(&feed(&mut serve, now, Input::Tick)));
        for n in [1, 2] {
            feed(&mut serve, now, Input::Drained(peer(n), 0));
        }
        feed(&mut serve, now + 300, Input::Tick);
    }
    assert_eq!(turns, [peer(2), peer(1), peer(2), peer(1)]);
}

#[test]
fn the_rate_cap_holds_over_time_and_sends_the_moment_it_may() {
    let rate = 2 * CHUNK as u64;
    let mut serve = serving(Policy { rate: Some(rate), ..OPEN }, UNLIMITED);
    let mut bytes = 0;
    for ms in 0..10_000_u64 {
        let index = u16::try_from(ms % CHUNKS as u64).unwrap();
        bytes += sent_to(&feed(&mut serve, ms, request(1, index))).len() * CHUNK;
        feed(&mut serve, ms, Input::Drained(peer(1), 0));
    }
    let allowed = usize::try_from(rate * 11).unwrap();
    assert!(bytes <= allowed && bytes * 10 >= allowed * 8, "{bytes} of {allowed}");

    let mut serve = serving(Policy { rate: Some(CHUNK as u64 * 4), ..OPEN }, UNLIMITED);
    for index in 0..5 {
        feed(&mut serve, 0, request(1, index));
    }
    feed(&mut serve, 0, Input::Drained(peer(1), 0));
    assert_eq!(serve.deadline(), Some(at(250)));
    assert!(feed(&mut serve, 249, Input::Tick).is_empty());
    assert_eq!(feed(&mut serve, 250, Input::Tick).len(), 1);
}

#[test]
fn nothing_is_given_past_the_cap_or_once_serving_is_off() {
    let mut serve = serving(Policy { total: Some(CHUNK as u64 + 5), ..OPEN }, UNLIMITED);
    assert_eq!(sent_to(&feed(&mut serve, 0, request(1, 0))).len(), 1);
    let out = feed(&mut serve, 0, request(1, 1));
    assert_eq!(out, [Output::Refuse(asked(1, 1), Refusal::Spent)]);
    assert_eq!(serve.left(), Some(5));
    // What was given counts, also if the same is agreed to again.
    feed(&mut serve, 0, Input::Agreed(Policy { total: Some(CHUNK as u64 + 5), ..OPEN }));
    assert_eq!(serve.left(), Some(5));
    feed(&mut serve, 0, Input::Agreed(Policy { total: Some(CHUNK as u64 * 2), ..OPEN }));
    assert_eq!(serve.left(), Some(CHUNK as u64));
    feed(&mut serve, 0, Input::Agreed(Policy { total: Some(1), ..OPEN }));
    assert_eq!(serve.left(), Some(0));
    feed(&mut serve, 0, Input::Agreed(OPEN));
    feed(&mut serve, 0, Input::Credit(peer(1), 0));
    feed(&mut serve, 0, request(1, 2));
    let out = feed(&mut serve, 0, Input::Agreed(Policy { is_enabled: false, ..OPEN }));
    assert_eq!(out, [Output::Refuse(asked(1, 2), Refusal::Off)]);
    let out = feed(&mut serve, 0, request(1, 3));
    assert_eq!(out, [Output::Refuse(asked(1, 3), Refusal::Off)]);
}

#[test]
fn what_is_not_here_strange_or_taken_back_is_not_sent() {
    let mut serve = serving(OPEN, 0);
    let absent = Asked { peer: peer(1), id: ChunkId { sequence: 9, index: 0 } };
    let out = feed(&mut serve, 0, Input::Request(absent));
    assert_eq!(out, [Output::Refuse(absent, Refusal::NotHere)]);
    assert!(feed(&mut serve, 0, request(7, 0)).is_empty(), "nobody knows this peer");
    feed(&mut serve, 0, request(1, 0));
    feed(&mut serve, 0, request(1, 1));
    feed(&mut serve, 0, Input::Cancel(asked(1, 0)));
    let out = feed(&mut serve, 1, Input::Credit(peer(1), 9));
    assert_eq!(out, [Output::Send(asked(1, 1), vec![0; CHUNK])]);
    feed(&mut serve, 1, Input::Left(peer(1)));
    assert!(feed(&mut serve, 1, request(1, 2)).is_empty());
}

#[test]
fn what_was_evicted_while_it_waited_is_refused() {
    let mut serve = serving(OPEN, 0);
    feed(&mut serve, 0, request(1, 0));
    let mut out = Vec::new();
    serve.handle(at(1), Input::Credit(peer(1), 5), &Cache::new(0), &mut out);
    assert_eq!(out, [Output::Refuse(asked(1, 0), Refusal::NotHere)]);
}

fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

fn peer(n: u8) -> PeerId {
    PeerId(SecretKey::from_bytes(&[n; 32]).public())
}

fn asked(n: u8, index: u16) -> Asked {
    Asked { peer: peer(n), id: ChunkId { sequence: 1, index } }
}

fn request(n: u8, index: u16) -> Input {
    Input::Request(asked(n, index))
}

fn cache() -> Cache {
    let record = Record::of(StreamId::default(), 1, &vec![0; CHUNKS * CHUNK]).unwrap();
    let mut cache = Cache::new(CHUNKS * CHUNK);
    for index in 0..record.count() {
        cache.insert(Chunk::verify(&record, index, &[0; CHUNK]).unwrap()).unwrap();
    }
    cache
}

fn serving(policy: Policy, credit: u64) -> Serve {
    let mut serve = Serve::new(policy);
    feed(&mut serve, 0, Input::Joined(peer(1)));
    feed(&mut serve, 0, Input::Credit(peer(1), credit));
    serve
}

fn feed(serve: &mut Serve, ms: u64, input: Input) -> Vec<Output> {
    std::thread_local! {
        static CACHE: Cache = cache();
    }
    let mut out = Vec::new();
    CACHE.with(|cache| serve.handle(at(ms), input, cache, &mut out));
    out
}

fn sent_to(out: &[Output]) -> Vec<PeerId> {
    let to = |o: &Output| if let Output::Send(asked, _) = o { Some(asked.peer) } else { None };
    out.iter().filter_map(to).collect()
}
