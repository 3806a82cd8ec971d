//! A player beside a client, and an origin that both can load from.

use crate::{Antiphon, AntiphonError, ConnectOptions, Words, connect};
use antiphon_core::{
    amount::Amount,
    chain::spec::Token,
    codec::{Bounded, Text},
    crypto::{Hash, SecretKey, Signed},
    delivery::{
        playlist::{record_tag, stream_tag},
        record::{Map, Record, StreamInfo},
    },
    id::ChainId,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

const CHAIN: ChainId = ChainId(Hash([7; 32]));
const WORDS: &[u8] = b"legal winner thank year wave sausage worth useful legal winner thank yellow";
const MAP: &[u8] = b"how to decode what follows";
/// The segments of the playlist; the origin does not answer for the last.
const LISTED: std::ops::Range<u64> = 5..9;
const SILENT: u64 = 8;
/// Longest wait of the player.
const BUFFERED_MS: u64 = 10_000;
/// Chosen here: many times what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_player_is_brought_what_was_signed_told_what_was_not_and_let_go_when_it_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let client = listener(folder.path().to_str().unwrap(), &origin().await).await;
    let media = client.media();
    let wanted = |sequence| media.segment(sequence, BUFFERED_MS);
    let unknown = wanted(LISTED.end).await.unwrap_err();
    assert_eq!(unknown, AntiphonError::unavailable("fetch/unknown-segment"));
    let bytes = async {
        loop {
            match wanted(6).await {
                Ok(bytes) => return bytes,
                // Its playlist is being loaded.
                Err(error) => assert_eq!(error.code(), "fetch/unknown-segment"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(timeout(PATIENCE, bytes).await.unwrap(), Some(segment(6)));
    assert_eq!(media.check(Some(6), segment(6)).await, Ok(Some(segment(6))));
    assert_eq!(media.check(None, MAP.to_vec()).await, Ok(Some(MAP.to_vec())));
    let altered = media.check(Some(6), segment(7)).await.unwrap_err();
    assert_eq!(altered, AntiphonError::refused("origin/bad-chunk"));
    let other = media.check(None, segment(6)).await.unwrap_err();
    assert!(matches!(other, AntiphonError::Refused { .. }), "{other}");
    let foreign = media.check(Some(99), segment(6)).await.unwrap_err();
    assert_eq!(foreign, AntiphonError::unavailable("fetch/unknown-segment"));
    let cancel = async {
        sleep(Duration::from_millis(100)).await;
        media.cancel();
    };
    let (told, ()) = tokio::join!(timeout(PATIENCE, wanted(SILENT)), cancel);
    assert_eq!(told, Ok(Ok(None)));
    assert_eq!(wanted(6).await, Ok(None), "and it stays so");
    assert_eq!(client.media().segment(6, BUFFERED_MS).await, Ok(Some(segment(6))));
    client.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_player_that_asks_for_too_much_is_told_so_and_what_it_gave_up_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let client = listener(folder.path().to_str().unwrap(), &origin().await).await;
    let known = async {
        while client.media().segment(6, BUFFERED_MS).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, known).await.unwrap();
    let media = client.media();
    let mut waiting = Vec::new();
    let refused = async {
        loop {
            let (asked, player) = (client.clone(), media.clone());
            waiting.push(tokio::spawn(async move { player.segment(SILENT, BUFFERED_MS).await }));
            sleep(Duration::from_millis(5)).await;
            if let Err(error) = asked.media().check(None, MAP.to_vec()).await {
                return error;
            }
        }
    };
    let refused = timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(refused, AntiphonError::unavailable("fetch/too-many"));
    media.cancel();
    for one in waiting {
        assert_eq!(one.await.unwrap(), Ok(None));
    }
    assert_eq!(client.media().segment(6, BUFFERED_MS).await, Ok(Some(segment(6))));
    client.shut_down().await.unwrap();
}

/// A client that listens to the stream of this origin, and reaches nobody else.
async fn listener(folder: &str, origin: &str) -> Arc<Antiphon> {
    let node = String::from("http://127.0.0.1:1");
    let options = ConnectOptions::new(node, CHAIN.0.to_hex(), folder.to_owned());
    let account = Words::restore(WORDS).unwrap().account(0).unwrap();
    let client = connect(options, Arc::new(account)).await.unwrap();
    client.listen(format!("{origin}/live.m3u8")).await.unwrap();
    client
}

/// Starts an origin, and returns its URL.
async fn origin() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    url
}

/// Answers one request, and closes.
async fn serve(mut stream: TcpStream) {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut buffer).await.unwrap();
        if length == 0 {
            return;
        }
        request.extend(&buffer[..length]);
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap();
    let sequence = path.strip_prefix("/seg").and_then(|rest| rest.strip_suffix(".m4s"));
    let body = match sequence.map(|number| number.parse().unwrap()) {
        Some(SILENT) => return sleep(PATIENCE).await,
        Some(sequence) => segment(sequence),
        None => playlist().into_bytes(),
    };
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // Whoever asked may have given up.
    let _ = stream.write_all(&[head.into_bytes(), body].concat()).await;
}

fn segment(sequence: u64) -> Vec<u8> {
    vec![u8::try_from(sequence).unwrap(); 20_000]
}

fn playlist() -> String {
    let key = SecretKey::from_bytes(&[3; 32]);
    let info = StreamInfo {
        publisher: key.public(),
        name: Text::try_from("radio").unwrap(),
        price: Amount::from_units(1),
        token: Token::Operational,
        target_ms: 2000,
        tracker: Text::try_from("").unwrap(),
        node: Text::try_from("").unwrap(),
        maps: Bounded::try_from(vec![Map::of(MAP).unwrap()]).unwrap(),
        heirs: Bounded::new(),
    };
    let stream = info.id(CHAIN);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n{}\n\
         #EXT-X-MEDIA-SEQUENCE:{}\n#EXT-X-MAP:URI=\"init.mp4\"\n",
        stream_tag(&Signed::new(&key, CHAIN, info)),
        LISTED.start,
    );
    for sequence in LISTED {
        let record = Record::of(stream, sequence, &segment(sequence)).unwrap();
        let tag = record_tag(&Signed::new(&key, CHAIN, record));
        text += &format!("{tag}\n#EXTINF:2.000,\nseg{sequence}.m4s\n");
    }
    text
}
