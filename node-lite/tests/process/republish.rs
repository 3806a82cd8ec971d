//! A publisher that dies, changes its key, or has several renditions, seen by a listener over HTTP.

use crate::{
    host::{Process, get, output, put, refusal},
    publish::{publish, reader, sample, wait_for, wait_until},
};
use antiphon_core::{
    codec,
    crypto::Signed,
    delivery::{
        playlist::{Playlist, Reader},
        record::{MAX_INFO_BYTES, MAX_RECORD_BYTES, Record, StreamInfo},
        rendition,
    },
};
use std::{fs, io::Write as _, net::TcpStream, path::Path};

/// Waits until the playlist reaches this number, and checks that it is whole.
fn reach(process: &Process, path: &str, reader: &mut Reader, number: u64) -> (Playlist, String) {
    let (playlist, text) = wait_until(process, path, |text| {
        let playlist = reader.read_all(text).unwrap();
        let last = playlist.segments.last()?.sequence;
        (rendition::number(last) >= number).then_some(playlist)
    });
    let first = playlist.segments[0].sequence;
    let numbers = playlist.segments.iter().map(|segment| segment.sequence);
    assert!(numbers.eq(first..first + playlist.segments.len() as u64), "no number is left out");
    assert!(playlist.segments.iter().all(|segment| segment.verified().is_some()));
    (playlist, text)
}

/// The dates of a playlist as they are written: all of one length, so their order is that of time.
fn dates(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:")).collect()
}

#[test]
fn after_a_sudden_death_the_playlist_is_there_at_once_and_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let source = sample();
    let mut process = publish(data.path(), &["--source", &source, "--loop"]);
    let mut reader = reader(&process);
    let mut last = 4;
    reach(&process, "/live.m3u8", &mut reader, last);
    for _ in 0..2 {
        process.kill();
        process = publish(data.path(), &["--source", &source, "--loop"]);
        let answer = get(process.address(), "/live.m3u8", "");
        assert_eq!(answer.status, 200, "nobody waits for a segment");
        let held = reader.read_all(answer.text()).unwrap().segments.pop().unwrap();
        let bytes = get(process.address(), &format!("/{}", held.uri), "").body;
        assert!(held.verified().unwrap().body.describes(&bytes), "nor for a file");
        assert!(held.sequence >= last);
        last = held.sequence + 1;
        let (_, text) = reach(&process, "/live.m3u8", &mut reader, last);
        assert!(!text.contains("#EXT-X-DISCONTINUITY\n"), "{text}");
        assert!(dates(&text).is_sorted());
    }
}

#[test]
fn a_folder_that_grew_while_the_publisher_was_gone_is_followed_from_where_it_was() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = folder.path().to_str().unwrap();
    let names = ["00.m4s", "01.m4s", "02.m4s", "03.m4s"];
    for name in names.iter().chain(&["init.mp4"]) {
        fs::copy(format!("{}/{name}", sample()), folder.path().join(name)).unwrap();
    }
    let list = |count: usize| {
        let mut text =
            String::from("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n");
        names[..count].iter().for_each(|name| text += &format!("#EXTINF:2.048,\n{name}\n"));
        fs::write(folder.path().join("new"), text).unwrap();
        fs::rename(folder.path().join("new"), folder.path().join("live.m3u8")).unwrap();
    };
    list(2);
    let process = publish(data.path(), &["--source", source]);
    wait_for(&process, 2);
    process.kill();
    list(4);
    let process = publish(data.path(), &["--source", source]);
    let (playlist, text) = wait_for(&process, 4);
    assert!(playlist.segments.iter().map(|segment| segment.sequence).eq(0..4), "each once");
    assert!(!text.contains("#EXT-X-DISCONTINUITY\n"), "{text}");
}

#[test]
fn a_key_that_is_changed_while_the_stream_runs_signs_on_and_tokens_too() {
    let data = tempfile::tempdir().unwrap();
    let source = sample();
    let process = publish(data.path(), &["--source", &source, "--loop"]);
    let mut reader = reader(&process);
    let (before, old) = reach(&process, "/live.m3u8", &mut reader, 4);
    let folder = data.path().to_str().unwrap();
    let said: serde_json::Value =
        serde_json::from_str(&output(&["rotate", "--data", folder])).unwrap();
    assert_eq!(said["publisher"], process.ready["publisher"]);
    assert!(!data.path().join("publisher.key").exists(), "the old secret is gone");
    let (after, _) = wait_until(&process, "/live.m3u8", |text| {
        let playlist = reader.read_all(text).unwrap();
        (playlist.signer != before.signer).then_some(playlist)
    });
    assert_eq!(after.signer.to_string(), said["signer"].as_str().unwrap());
    assert_eq!(after.stream, before.stream);
    assert!(after.segments.iter().all(|segment| segment.verified().is_some()));
    let first = after.segments[0].sequence;
    assert!(before.segments.iter().any(|segment| segment.sequence == first), "without a gap");
    assert_eq!(reader.read_all(&old).unwrap_err().code(), "playlist/old-key");
    process.kill();
    let process = publish(data.path(), &["--source", &source, "--loop"]);
    assert_eq!(process.ready["signer"], said["signer"], "over a restart, too");
    reach(&process, "/live.m3u8", &mut reader, first + 10);
    let chain = process.ready["chain"].as_str().unwrap();
    assert!(output(&["token", "--data", folder, "--chain", chain]).len() > 200);
    assert!(refusal(&["rotate", "--data", "/nothing"]).contains("opening /nothing"));
}

#[test]
fn two_renditions_of_a_folder_are_one_stream() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    two_renditions(folder.path());
    let source = folder.path().to_str().unwrap();
    let process = publish(data.path(), &["--source", source, "--loop"]);
    let (_, main) = wait_until(&process, "/live.m3u8", |text| {
        (text.matches("#EXT-X-STREAM-INF").count() == 2).then_some(())
    });
    assert!(main.contains("BANDWIDTH=70000,CODECS=\"mp4a.40.2\"\nlive-0.m3u8\n"), "{main}");
    let mut reader = reader(&process);
    let (low, low_text) = reach(&process, "/live-0.m3u8", &mut reader, 4);
    let (high, high_text) = reach(&process, "/live-1.m3u8", &mut reader, 4);
    assert_eq!(low.stream, high.stream);
    assert_eq!(high.segments[0].sequence, rendition::sequence(1, 0).unwrap());
    assert_eq!(dates(&low_text)[..4], dates(&high_text)[..4], "they can be matched by date");
    for segment in [&low.segments[0], &high.segments[0]] {
        let record = &segment.verified().unwrap().body;
        let path = format!("/{}", segment.uri);
        assert!(record.describes(&get(process.address(), &path, "").body));
        let alone = get(process.address(), &format!("{path}.record"), "").body;
        let alone: Signed<Record> = codec::decode(&alone, MAX_RECORD_BYTES).unwrap();
        assert_eq!(Some(&alone), segment.verified(), "by itself");
    }
    let info = get(process.address(), "/live.stream", "").body;
    let info: Signed<StreamInfo> = codec::decode(&info, MAX_INFO_BYTES).unwrap();
    assert_eq!(info.body.id(crate::publish::CHAIN), low.stream);
    let sum = |list: &Playlist| -> u32 {
        list.segments[..4].iter().map(|s| s.verified().unwrap().body.length).sum()
    };
    assert_eq!(sum(&low) + 4 * 40_008, sum(&high));
    process.kill();
    let process = publish(data.path(), &["--source", source, "--loop"]);
    let main_again = get(process.address(), "/live.m3u8", "");
    assert_eq!(main_again.text(), main, "after a restart");
    reach(&process, "/live-1.m3u8", &mut reader, 6);
}

#[test]
fn a_segment_that_is_listed_before_it_has_come_is_waited_for_and_over_a_restart_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let mut process = publish(data.path(), &["--push"]);
    let file = |name: &str| fs::read(format!("{}/{name}", sample())).unwrap();
    let names = ["00.m4s", "01.m4s", "02.m4s", "03.m4s", "04.m4s"];
    let list = |count: usize| {
        let mut text =
            String::from("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n");
        names[..count].iter().for_each(|name| text += &format!("#EXTINF:2.048,\n{name}\n"));
        text.into_bytes()
    };
    let send = |process: &Process, name: &str, bytes: &[u8]| {
        assert_eq!(put(process.address(), &format!("/push/{name}"), "", bytes).status, 204);
    };
    send(&process, "live.m3u8", &list(1));
    send(&process, "00.m4s", &file("00.m4s"));
    assert_eq!(get(process.address(), "/live.m3u8", "").status, 503, "its map has not come");
    send(&process, "init.mp4", &file("init.mp4"));
    assert_eq!(wait_for(&process, 1).0.segments.len(), 1);
    send(&process, "live.m3u8", &list(2));
    send(&process, "01.m4s", &file("01.m4s"));
    assert_eq!(wait_for(&process, 2).0.segments.len(), 2);
    process.kill();
    process = publish(data.path(), &["--push"]);
    send(&process, "live.m3u8", &list(4));
    send(&process, "03.m4s", &file("03.m4s"));
    send(&process, "live.m3u8", &list(5));
    let (playlist, text) = wait_for(&process, 3);
    assert!(playlist.segments.iter().map(|segment| segment.sequence).eq(0..3));
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "one was missed: {text}");
}

#[test]
fn an_encoder_that_hangs_up_with_its_last_byte_has_pushed_all_the_same() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push"]);
    let names = ["init.mp4", "00.m4s", "01.m4s", "02.m4s", "03.m4s"];
    for name in names {
        let bytes = fs::read(format!("{}/{name}", sample())).unwrap();
        push_and_go(process.address(), name, &bytes);
    }
    let mut text = String::from("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n");
    names[1..].iter().for_each(|name| text += &format!("#EXTINF:2.048,\n{name}\n"));
    push_and_go(process.address(), "live.m3u8", text.as_bytes());
    assert_eq!(wait_for(&process, 4).0.segments.len(), 4);
}

#[test]
fn a_segment_that_comes_after_its_followers_is_in_its_place_and_one_that_never_comes_is_a_gap() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push"]);
    let push = |name: &str, bytes: &[u8]| {
        assert_eq!(put(process.address(), &format!("/push/{name}"), "", bytes).status, 204);
    };
    let file = |name: &str| fs::read(format!("{}/{name}", sample())).unwrap();
    let list = |count: usize| {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n";
        let names = (0..count).map(|n| format!("#EXTINF:2.048,\n0{n}.m4s\n"));
        push("live.m3u8", names.fold(head.to_owned(), |text, name| text + &name).as_bytes());
    };
    list(3);
    for name in ["02.m4s", "init.mp4", "01.m4s", "00.m4s"] {
        push(name, &file(name));
    }
    let (playlist, text) = wait_for(&process, 3);
    for (segment, name) in playlist.segments.iter().zip(["00.m4s", "01.m4s", "02.m4s"]) {
        assert_eq!(get(process.address(), &format!("/{}", segment.uri), "").body, file(name));
    }
    assert!(!text.contains("#EXT-X-DISCONTINUITY\n"), "{text}");
    list(5);
    push("04.m4s", &file("04.m4s"));
    assert_eq!(wait_for(&process, 3).0.segments.len(), 3, "the fourth may still come");
    list(6);
    let (playlist, text) = wait_for(&process, 4);
    assert_eq!(playlist.segments.len(), 4);
    assert!(text.contains("#EXT-X-DISCONTINUITY\n"), "{text}");
    push("05.m4s", &file("05.m4s"));
    wait_for(&process, 5);
}

/// Pushes as ffmpeg does: in chunks, on a connection that it closes without a look at the answer.
pub(crate) fn push_and_go(address: &str, name: &str, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        format!("PUT /push/{name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let size = format!("{:x}\r\n", bytes.len());
    let body = [head.as_bytes(), size.as_bytes(), bytes, b"\r\n0\r\n\r\n"].concat();
    stream.write_all(&body).unwrap();
}

#[test]
fn playlists_that_are_pushed_are_renditions_of_one_stream() {
    let data = tempfile::tempdir().unwrap();
    let process = publish(data.path(), &["--push"]);
    let address = process.address();
    let file = |name: &str| fs::read(format!("{}/{name}", sample())).unwrap();
    let send = |name: &str, bytes: &[u8]| put(address, &format!("/push/{name}"), "", bytes).status;
    assert_eq!(send("init.mp4", &file("init.mp4")), 204);
    for (playlist, segment) in [("low.m3u8", "00.m4s"), ("high.m3u8", "01.m4s")] {
        assert_eq!(send(segment, &file(segment)), 204);
        let text = format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2.048,\n{segment}\n"
        );
        assert_eq!(send(playlist, text.as_bytes()), 204);
    }
    let catalogue = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nlow.m3u8\n\
                     #EXT-X-STREAM-INF:BANDWIDTH=128000\nhigh.m3u8\n";
    assert_eq!(send("master.m3u8", catalogue.as_bytes()), 204);
    assert_eq!(send("02.m4s", &file("02.m4s")), 204);
    let cyclic = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n../master.m3u8\n";
    assert_eq!(send("master.m3u8", cyclic.as_bytes()), 422);
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2.048,\n02.m4s\n";
    assert_eq!(send("low.m3u8", text.as_bytes()), 204);
    let main = get(address, "/live.m3u8", "");
    assert!(main.text().contains("BANDWIDTH=128000\nlive-1.m3u8\n"), "{}", main.text());
    let mut reader = reader(&process);
    let low = reader.read_all(get(address, "/live-0.m3u8", "").text()).unwrap();
    let high = reader.read_all(get(address, "/live-1.m3u8", "").text()).unwrap();
    assert_eq!((low.segments.len(), high.segments.len()), (2, 1));
    let segment = &high.segments[0];
    assert_eq!(get(address, &format!("/{}", segment.uri), "").body, file("01.m4s"));
}

/// Writes the sample as two renditions into a folder: the low one as it is, the high one with as much again that decoders
/// pass over.
fn two_renditions(folder: &Path) {
    for (rendition, padding) in [("low", 0), ("high", 40_000)] {
        fs::create_dir(folder.join(rendition)).unwrap();
        for entry in fs::read_dir(sample()).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = fs::read(&path).unwrap();
            if padding > 0 && path.extension().is_some_and(|extension| extension == "m4s") {
                bytes.extend(8_u32.saturating_add(padding).to_be_bytes());
                bytes.extend(b"free");
                bytes.resize(bytes.len() + padding as usize, 7);
            }
            fs::write(folder.join(rendition).join(path.file_name().unwrap()), bytes).unwrap();
        }
    }
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=70000,CODECS=\"mp4a.40.2\"\nlow/index.m3u8\n\
                #EXT-X-STREAM-INF:BANDWIDTH=200000,CODECS=\"mp4a.40.2\"\nhigh/index.m3u8\n";
    fs::write(folder.join("master.m3u8"), text).unwrap();
}
