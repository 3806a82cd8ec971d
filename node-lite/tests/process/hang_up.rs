//! Encoders that hang up as soon as they have pushed, in every way that TCP knows.

use crate::{
    host::{Process, get},
    publish::{publish, wait_for},
};
use std::{thread::sleep, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    runtime::Runtime,
};

/// How a sender leaves after its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    /// Closes the socket: a FIN, and a reset for whoever answers.
    Close,
    /// Resets the connection at once (`SO_LINGER` 0).
    Reset,
    /// Closes only its own side, and waits for the answer.
    HalfClose,
}

const WAYS: [Leave; 3] = [Leave::Close, Leave::Reset, Leave::HalfClose];

/// Sizes of bodies: below what a server reads at once, and above.
const SIZES: [usize; 4] = [1, 700, 7_000, 50_000];

/// Pushes of each size in each way. A lost one is a matter of how threads meet.
const ROUNDS: usize = 25;

#[test]
fn what_was_sent_whole_counts_however_its_sender_leaves() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push", "--metrics", "127.0.0.1:0"]);
    let runtime = Runtime::new().unwrap();
    for (before, leave) in WAYS.into_iter().enumerate() {
        for _ in 0..ROUNDS {
            for size in SIZES {
                let answer = runtime.block_on(push(&process, "x.aac", (size, size), leave));
                assert_eq!(
                    answer.starts_with("HTTP/1.1 204 "),
                    leave == Leave::HalfClose,
                    "{answer}"
                );
            }
        }
        let count = (before + 1) * ROUNDS * SIZES.len();
        wait_until(&process, "204", count, leave);
    }
}

#[test]
fn what_is_shorter_than_it_said_counts_for_nothing_however_its_sender_leaves() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push", "--metrics", "127.0.0.1:0"]);
    let runtime = Runtime::new().unwrap();
    for (before, leave) in WAYS.into_iter().enumerate() {
        for _ in 0..ROUNDS {
            for size in SIZES {
                let answer = runtime.block_on(push(&process, "s0.aac", (size - 1, size), leave));
                assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
            }
        }
        wait_until(&process, "400", (before + 1) * ROUNDS * SIZES.len(), leave);
    }
    let list = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns0.aac\n";
    runtime.block_on(send(&process, "live.m3u8", list, list.len(), Leave::HalfClose));
    assert_eq!(get(process.address(), "/live.m3u8", "").status, 503, "there is no such file");
    assert_eq!(pushes(&process, "204"), 1, "the list");
}

#[test]
fn a_stream_is_published_of_pushes_that_nobody_waits_for() {
    for leave in WAYS {
        let data = tempfile::tempdir().unwrap();
        let process = publish(data.path(), &["--push"]);
        let runtime = Runtime::new().unwrap();
        let mut text = String::from("#EXTM3U\n#EXT-X-TARGETDURATION:2\n");
        for n in 0..4 {
            let name = format!("s{n}.aac");
            runtime.block_on(push(&process, &name, (9_000, 9_000), leave));
            text += &format!("#EXTINF:2,\n{name}\n");
        }
        // One list: of two that overtake each other the older one is that of an encoder that begins anew.
        runtime.block_on(send(&process, "live.m3u8", text.as_bytes(), text.len(), leave));
        let (playlist, text) = wait_for(&process, 4);
        assert_eq!(playlist.segments.len(), 4);
        assert!(!text.contains("#EXT-X-DISCONTINUITY\n"), "{leave:?}: {text}");
    }
}

/// Sends `sent` bytes under a head that says `said`.
async fn push(process: &Process, name: &str, (sent, said): (usize, usize), leave: Leave) -> String {
    send(process, name, &vec![7; sent], said, leave).await
}

/// Sends a request in one write and leaves; returns the answer if the sender waits for one.
async fn send(process: &Process, name: &str, body: &[u8], said: usize, leave: Leave) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    if leave == Leave::Reset {
        socket.set_zero_linger().unwrap();
    }
    let mut stream = socket.connect(process.address().parse().unwrap()).await.unwrap();
    let head = format!("PUT /push/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: {said}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    if leave == Leave::HalfClose {
        stream.shutdown().await.unwrap();
        stream.read_to_end(&mut answer).await.unwrap();
    }
    String::from_utf8(answer).unwrap()
}

/// How many pushes were answered so, as the keeper is told.
fn pushes(process: &Process, status: &str) -> usize {
    let metrics = process.ready["metrics"].as_str().unwrap();
    let keeper = metrics.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let begins = format!("antiphon_publish_requests_total{{kind=\"push\",status=\"{status}\"}} ");
    let answer = get(keeper, "/metrics", "");
    let count = answer.text().lines().find_map(|line| line.strip_prefix(&begins));
    count.map_or(0, |count| count.parse().unwrap())
}

fn wait_until(process: &Process, status: &str, count: usize, leave: Leave) {
    for _ in 0..200 {
        if pushes(process, status) >= count {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{leave:?}: {} of {count} pushes were answered by {status}", pushes(process, status));
}
