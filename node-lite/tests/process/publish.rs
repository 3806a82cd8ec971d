use crate::{
    host::{Process, exchange, get, put, refusal, send_and_hang_up},
    republish::push_and_go,
};
use antiphon_core::{
    crypto::{Hash, PublicKey},
    delivery::{
        chunk::{CHUNK, Chunk},
        playlist::{Expected, Playlist, Reader},
    },
    id::ChainId,
};
use std::{path::Path, thread::sleep, time::Duration};

pub(crate) const CHAIN: ChainId = ChainId(Hash([7; 32]));

pub(crate) fn sample() -> String {
    format!("{}/../www/sample", env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn publish(data: &Path, more: &[&str]) -> Process {
    let (chain, data) = (CHAIN.0.to_hex(), data.to_str().unwrap());
    let mut arguments = vec!["publish", "--chain", &chain, "--data", data];
    arguments.extend(more);
    Process::start(&arguments)
}

/// Reads the playlist as a listener who knows the publisher would; waits for the first one.
fn playlist(process: &Process) -> (Playlist, String) {
    let mut reader = reader(process);
    wait_until(process, "/live.m3u8", |text| reader.read_all(text).ok())
}

/// What a listener reads with who knows the publisher.
pub(crate) fn reader(process: &Process) -> Reader {
    let key = process.ready["publisher"].as_str().unwrap();
    Reader::new(CHAIN, Expected::Publisher(PublicKey(Hash::from_hex(key).unwrap().0)))
}

/// Asks for a page until it is something.
pub(crate) fn wait_until<T>(
    process: &Process,
    path: &str,
    mut is: impl FnMut(&str) -> Option<T>,
) -> (T, String) {
    for _ in 0..600 {
        let answer = get(process.address(), path, "");
        assert!([200, 404, 503].contains(&answer.status), "{}", answer.status);
        if answer.status == 200
            && let Some(found) = is(answer.text())
        {
            return (found, answer.text().to_owned());
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{path} is not what is waited for");
}

pub(crate) fn wait_for(process: &Process, segments: usize) -> (Playlist, String) {
    let mut reader = reader(process);
    wait_until(process, "/live.m3u8", |text| {
        reader.read_all(text).ok().filter(|playlist| playlist.segments.len() >= segments)
    })
}

#[test]
fn options_that_listeners_could_not_use_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, data) = (CHAIN.0.to_hex(), folder.path().to_str().unwrap().to_owned());
    for (option, value, words) in [
        ("--node", "node.example", "http:// or https://"),
        ("--tracker", "https://tracker.example", "ws:// or wss://"),
        ("--target-ms", "0", "100..=60000"),
        ("--price", "a", "--price: an amount"),
        ("--window", "0", "1 to"),
    ] {
        let said =
            refusal(&["publish", "--push", "--chain", &chain, "--data", &data, option, value]);
        assert!(said.contains(words), "{option} {value}: {said}");
    }
}

#[test]
fn the_sample_plays_live_verifies_and_is_served_in_ranges() {
    let data = tempfile::tempdir().unwrap();
    let source = sample();
    let process = publish(data.path(), &["--source", &source, "--loop", "--price", "0.00002"]);
    let (playlist, text) = wait_for(&process, 4);
    assert_eq!(playlist.stream.0.to_hex(), process.ready["stream"].as_str().unwrap());
    assert_eq!(playlist.info.price.units(), 2000);
    assert!(text.contains("#EXT-X-PROGRAM-DATE-TIME:"), "{text}");
    let segment = &playlist.segments[0];
    let path = format!("/{}", segment.uri);
    let whole = get(process.address(), &path, "");
    assert_eq!((whole.status, whole.header("content-type")), (200, "audio/mp4"));
    assert!(whole.header("cache-control").contains("immutable"));
    let record = &segment.verified().unwrap().body;
    for index in 0..record.count() {
        let first = usize::from(index) * CHUNK;
        let last = (first + CHUNK).min(whole.body.len()) - 1;
        let part = get(process.address(), &path, &format!("Range: bytes={first}-{last}\r\n"));
        assert_eq!(part.status, 206);
        let range = format!("bytes {first}-{last}/{}", whole.body.len());
        assert_eq!(part.header("content-range"), range);
        Chunk::verify(record, index, &part.body).unwrap();
    }
    let map = text.split("#EXT-X-MAP:URI=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(get(process.address(), &format!("/{map}"), "").status, 200);
}

#[test]
fn a_page_of_any_origin_may_read_ranges_and_conditions_are_honoured() {
    let data = tempfile::tempdir().unwrap();
    let source = sample();
    let process = publish(data.path(), &["--source", &source, "--loop"]);
    let (playlist, _) = wait_for(&process, 1);
    let (address, path) = (process.address(), format!("/{}", playlist.segments[0].uri));
    let answer = get(address, &path, "Origin: http://page.example\r\nRange: bytes=-100\r\n");
    assert_eq!((answer.status, answer.body.len()), (206, 100));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-expose-headers").contains("content-range"));
    let length = get(address, &path, "").body.len();
    for (range, status) in [
        (format!("bytes={length}-"), 416),
        ("bytes=0-1,5-6".to_owned(), 200),
        ("lines=0-1".to_owned(), 200),
        (format!("bytes=-{}", length + 1), 200),
        (format!("bytes=0-{}", length + 1), 206),
    ] {
        assert_eq!(get(address, &path, &format!("Range: {range}\r\n")).status, status, "{range}");
    }
    let etag = get(address, &path, "").header("etag").to_owned();
    assert_eq!(get(address, &path, &format!("If-None-Match: {etag}\r\n")).status, 304);
    let stale = "Range: bytes=0-1\r\nIf-Range: \"old\"\r\n";
    assert_eq!(get(address, &path, stale).status, 200);
    let head = exchange(address, &format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n"), b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), length.to_string());
    assert_eq!(get(address, "/nothing.m4s", "").status, 404);
}

#[test]
fn what_an_encoder_pushes_is_published() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push", "--push-token", "secret"]);
    let address = process.address();
    let token = "Authorization: Bearer secret\r\n";
    for wrong in ["", "Authorization: Bearer wrong\r\n"] {
        assert_eq!(put(address, "/push/init.mp4", wrong, b"x").status, 401);
    }
    let file = |name: &str| std::fs::read(format!("{}/{name}", sample())).unwrap();
    assert_eq!(put(address, "/push/init.mp4", token, &file("init.mp4")).status, 204);
    let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
                    #EXT-X-MAP:URI=\"init.mp4\"\n"
        .to_owned();
    for name in ["00.m4s", "01.m4s"] {
        assert_eq!(put(address, &format!("/push/{name}"), token, &file(name)).status, 204);
        text += &format!("#EXTINF:2.048,\n{name}\n");
        assert_eq!(put(address, "/push/live.m3u8", token, text.as_bytes()).status, 204);
    }
    let (playlist, _) = playlist(&process);
    assert_eq!(playlist.segments.len(), 2);
    let served = get(address, &format!("/{}", playlist.segments[1].uri), "");
    assert_eq!(served.body, file("01.m4s"));
    let delete = format!("DELETE /push/00.m4s HTTP/1.1\r\nHost: x\r\n{token}");
    assert_eq!(exchange(address, &delete, b"").status, 204);
    assert_eq!(get(address, &format!("/{}", playlist.segments[0].uri), "").status, 200);
}

#[test]
fn pushes_that_are_cut_too_long_or_no_playlist_leave_nothing_behind() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push"]);
    let address = process.address();
    // Refused by its length, before a byte of it is read.
    let huge = "PUT /push/00.m4s HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n";
    assert_eq!(exchange(address, huge, b"").status, 413);
    let cut = "PUT /push/00.m4s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n";
    assert!([0, 400].contains(&send_and_hang_up(address, cut, &[1; 10]).status));
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n00.m4s\n";
    // Were a part of it kept, the missing initialisation segment would be what is wrong.
    assert_eq!(put(address, "/push/live.m3u8", "", text.as_bytes()).status, 204);
    assert_eq!(get(address, "/live.m3u8", "").status, 503);
    assert_eq!(put(address, "/push/live.m3u8", "", b"hello").status, 422);
    assert_eq!(put(address, "/push/empty.m4s", "", b"").status, 400);
    let statuses = (0..80).map(|n| put(address, &format!("/push/{n}x.m4s"), "", b"x").status);
    assert_eq!(statuses.filter(|status| *status == 507).count(), 80 - 64);
}

#[test]
fn a_folder_is_followed_as_it_grows() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().to_str().unwrap();
    let process = publish(data.path(), &["--source", source]);
    for name in ["init.mp4", "00.m4s", "01.m4s", "02.m4s"] {
        std::fs::copy(format!("{}/{name}", sample()), folder.path().join(name)).unwrap();
    }
    let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n".to_owned();
    for (count, name) in [(1, "00.m4s"), (2, "01.m4s"), (3, "02.m4s")] {
        text += &format!("#EXTINF:2.048,\n{name}\n");
        std::fs::write(folder.path().join("new"), &text).unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("live.m3u8")).unwrap();
        let (playlist, _) = wait_for(&process, count);
        assert_eq!(playlist.segments.len(), count);
    }
}

#[test]
fn a_folder_that_ends_ends_the_stream_and_an_encoder_that_starts_again_goes_on_with_it() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--source", folder.path().to_str().unwrap()];
    for name in ["init.mp4", "00.m4s", "01.m4s", "02.m4s"] {
        std::fs::copy(format!("{}/{name}", sample()), folder.path().join(name)).unwrap();
    }
    let write = |text: &str| {
        std::fs::write(folder.path().join("new"), text).unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("live.m3u8")).unwrap();
    };
    let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n";
    let two = format!("{head}#EXTINF:2.048,\n00.m4s\n#EXTINF:2.048,\n01.m4s\n");
    write(&format!("{two}#EXT-X-ENDLIST\n"));
    let ended = |process: &Process| {
        let mut reader = reader(process);
        wait_until(process, "/live.m3u8", |text| {
            reader.read_all(text).ok().filter(|playlist| playlist.is_ended)
        })
        .0
    };
    let process = publish(data.path(), &arguments);
    let playlist = ended(&process);
    assert_eq!(playlist.segments.len(), 2);
    let path = format!("/{}", playlist.segments[1].uri);
    assert_eq!(get(process.address(), &path, "").status, 200, "what is listed is served on");
    drop(process);
    let process = publish(data.path(), &arguments);
    let text = get(process.address(), "/live.m3u8", "").text().to_owned();
    assert!(text.ends_with("#EXT-X-ENDLIST\n"), "from its first answer on: {text}");
    write(&format!("{two}#EXTINF:2.048,\n02.m4s\n"));
    let (playlist, _) = wait_for(&process, 3);
    assert!(!playlist.is_ended);
}

#[test]
fn an_encoder_that_pushes_the_end_ends_the_stream_once_all_has_come() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push"]);
    let address = process.address();
    let push = |name: &str, bytes: &[u8]| {
        assert_eq!(put(address, &format!("/push/{name}"), "", bytes).status, 204, "{name}");
    };
    let file = |name: &str| std::fs::read(format!("{}/{name}", sample())).unwrap();
    push("init.mp4", &file("init.mp4"));
    push("00.m4s", &file("00.m4s"));
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n\
                #EXTINF:2.048,\n00.m4s\n#EXTINF:2.048,\n01.m4s\n#EXT-X-ENDLIST\n";
    push("live.m3u8", list.as_bytes());
    assert!(!playlist(&process).0.is_ended, "the last segment is still on its way");
    push("01.m4s", &file("01.m4s"));
    let playlist = playlist(&process).0;
    assert!(playlist.is_ended && playlist.segments.len() == 2);
}

/// Starts an encoder's last minute: three segments are listed with the end, and the last of them does not come.
fn end_without_the_last(data: &Path) -> Process {
    let process = publish(data, &["--push"]);
    let push = |name: &str, bytes: &[u8]| {
        let answer = put(process.address(), &format!("/push/{name}"), "", bytes);
        assert_eq!(answer.status, 204, "{name}: {}", answer.text());
    };
    push("s0.aac", b"first");
    push("s1.aac", b"second");
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ns0.aac\n#EXTINF:1,\ns1.aac\n\
                #EXTINF:1,\ns2.aac\n#EXT-X-ENDLIST\n";
    push("live.m3u8", list.as_bytes());
    process
}

fn wait_for_the_end(process: &Process) -> (Playlist, String) {
    let mut reader = reader(process);
    wait_until(process, "/live.m3u8", |text| {
        reader.read_all(text).ok().filter(|playlist| playlist.is_ended)
    })
}

#[test]
fn a_pushed_stream_whose_last_file_never_comes_ends_with_what_came() {
    let data = tempfile::tempdir().unwrap();
    let process = end_without_the_last(data.path());
    assert!(!playlist(&process).0.is_ended, "it may still come");
    let (playlist, text) = wait_for_the_end(&process);
    assert_eq!(playlist.segments.len(), 2);
    assert!(playlist.segments.iter().all(|segment| segment.verified().is_some()), "{text}");
    let last = get(process.address(), &format!("/{}", playlist.segments[1].uri), "");
    assert_eq!(last.body, b"second");
}

#[test]
fn a_publisher_that_is_killed_while_it_waits_for_the_last_file_ends_the_stream_when_it_is_back() {
    let data = tempfile::tempdir().unwrap();
    let process = end_without_the_last(data.path());
    let before = playlist(&process).1;
    process.kill();
    let process = publish(data.path(), &["--push"]);
    assert_eq!(get(process.address(), "/live.m3u8", "").text(), before, "what was listed stays");
    let (_, text) = wait_for_the_end(&process);
    assert_eq!(text, format!("{before}#EXT-X-ENDLIST\n"));
    process.kill();
    let process = publish(data.path(), &["--push"]);
    assert_eq!(get(process.address(), "/live.m3u8", "").text(), text, "and so does the end");
}

#[test]
fn a_file_that_never_comes_does_not_stop_those_that_have() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push"]);
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ns0.aac\n#EXTINF:1,\ns1.aac\n\
                #EXTINF:1,\ns2.aac\n";
    for (name, bytes) in [("s0.aac", "first"), ("s2.aac", "third"), ("live.m3u8", list)] {
        assert_eq!(
            put(process.address(), &format!("/push/{name}"), "", bytes.as_bytes()).status,
            204
        );
    }
    // No other playlist comes, so time alone can tell.
    let (playlist, text) = wait_for(&process, 2);
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
    assert!(!playlist.is_ended);
}

#[test]
fn what_a_publisher_does_is_counted_for_its_keeper_alone() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push", "--metrics", "127.0.0.1:0"]);
    let address = process.address();
    let file = |name: &str| std::fs::read(format!("{}/{name}", sample())).unwrap();
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n\
                #EXTINF:2.048,\n00.m4s\n#EXT-X-ENDLIST\n";
    let pushed = [("init.mp4", file("init.mp4")), ("00.m4s", file("00.m4s"))];
    for (name, bytes) in &pushed {
        assert_eq!(put(address, &format!("/push/{name}"), "", bytes).status, 204);
    }
    // As ffmpeg does it: nobody is there to hear the answer.
    push_and_go(address, "live.m3u8", list.as_bytes());
    let (playlist, text) = playlist(&process);
    let segment = format!("/{}", playlist.segments[0].uri);
    assert_eq!(get(address, &segment, "").status, 200);
    assert_eq!(get(address, &segment, "Range: bytes=0-99\r\n").status, 206);
    let record = get(address, &format!("{segment}.record"), "").body.len();
    exchange(address, &format!("HEAD {segment} HTTP/1.1\r\nHost: x\r\n"), b"");
    assert_eq!(get(address, "/wp-login.php", "").status, 404);
    assert_eq!(put(address, "/push/empty.m4s", "", b"").status, 400);
    let metrics = process.ready["metrics"].as_str().unwrap();
    let keeper = metrics.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let answer = get(keeper, "/metrics", "");
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let taken = list.len() + pushed.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let whole = file("00.m4s").len();
    for line in [
        String::from("requests_total{kind=\"push\",status=\"204\"} 3"),
        format!("traffic_bytes_total{{kind=\"push\",status=\"204\"}} {taken}"),
        String::from("requests_total{kind=\"push\",status=\"400\"} 1"),
        String::from("requests_total{kind=\"segment\",status=\"200\"} 2"),
        format!("traffic_bytes_total{{kind=\"segment\",status=\"200\"}} {whole}"),
        String::from("traffic_bytes_total{kind=\"segment\",status=\"206\"} 100"),
        format!("traffic_bytes_total{{kind=\"record\",status=\"200\"}} {record}"),
        String::from("requests_total{kind=\"other\",status=\"404\"} 1"),
        String::from("segments_total{rendition=\"0\"} 1"),
        String::from("ended 1"),
    ] {
        let line = format!("antiphon_publish_{line}");
        assert!(answer.text().lines().any(|has| has == line), "{line}\n{}", answer.text());
    }
    let asked = "antiphon_publish_requests_total{kind=\"playlist\",status=\"200\"} ";
    assert!(answer.text().lines().any(|has| has.starts_with(asked)), "{}", answer.text());
    let traffic = "antiphon_publish_traffic_bytes_total{kind=\"playlist\",status=\"200\"} ";
    let sent = answer.text().lines().find_map(|has| has.strip_prefix(traffic)).unwrap();
    assert!(sent.parse::<usize>().unwrap() >= text.len());
    let age = "antiphon_publish_newest_age_seconds{rendition=\"0\"} ";
    let age = answer.text().lines().find_map(|has| has.strip_prefix(age)).unwrap();
    assert!((0.0..60.0).contains(&age.parse::<f64>().unwrap()), "{age}");
    assert_eq!(get(address, "/metrics", "").status, 404);
}

/// A development network with a state of its own.
fn network(data: &Path) -> Process {
    let chain = data.join("chain");
    Process::start(&["dev", "--block-time", "100ms", "--data", chain.to_str().unwrap()])
}

#[test]
fn the_chain_is_the_nodes_unless_another_is_given_which_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let network = network(data.path());
    let (node, chain) =
        (network.ready["base"].as_str().unwrap(), network.ready["chain"].as_str().unwrap());
    let folder = data.path().join("publish");
    let base = ["publish", "--data", folder.to_str().unwrap(), "--push", "--node", node];
    let stream = |more: &[&str]| Process::start(&[&base[..], more].concat());
    assert_eq!(stream(&[]).ready["chain"], chain, "asked");
    assert_eq!(stream(&["--chain", chain]).ready["chain"], chain, "compared");
    let other = CHAIN.0.to_hex();
    let refused = refusal(&[&base[..], &["--chain", &other]].concat());
    assert!(refused.contains(&other) && refused.contains(chain), "{refused}");
}

#[test]
fn without_a_node_that_answers_the_chain_must_be_given_and_is_enough() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let silent = "http://127.0.0.1:1";
    let base = ["publish", "--data", folder, "--push"];
    assert!(refusal(&base).contains("--chain"));
    assert!(refusal(&[&base[..], &["--node", silent]].concat()).contains("does not answer"));
    let tls = refusal(&[&base[..], &["--node", "https://127.0.0.1:1"]].concat());
    assert!(tls.contains("does not answer") && tls.contains("--chain"), "{tls}");
    let process = publish(data.path(), &["--push", "--node", silent]);
    assert_eq!(process.ready["chain"], CHAIN.0.to_hex(), "the stream does not wait for a node");
}

#[test]
fn what_cannot_be_published_is_said_in_words() {
    let data = tempfile::tempdir().unwrap();
    let source = sample();
    let process = publish(data.path(), &["--source", &source, "--loop"]);
    let chain = CHAIN.0.to_hex();
    let folder = data.path().to_str().unwrap();
    let base = ["publish", "--chain", &chain, "--data", folder, "--push"];
    assert!(refusal(&base).contains("another process publishes"));
    let other = [&base[..], &["--name", "other", "--listen", process.address()]].concat();
    assert!(refusal(&other).contains("is the port taken?"));
    let open = [&base[..], &["--name", "other", "--listen", "0.0.0.0:0"]].concat();
    assert!(refusal(&open).contains("--push-token"));
    assert!(refusal(&["publish", "--chain", "xyz", "--push"]).contains("64 hexadecimal digits"));
    let file =
        ["publish", "--chain", &chain, "--data", folder, "--name", "f", "--file", "/nothing"];
    assert!(refusal(&file).contains("is not a file"));
}
