use super::*;
use antiphon_core::peer::frames::MAX_MESSAGE;
use std::net::SocketAddr;
use tokio::{net::UdpSocket, time::timeout};
use webrtc::{
    data_channel::{DataChannelEvent, RTCDataChannelMessage},
    peer_connection::RTCIceServer,
};

const US: LinkId = LinkId(1);
const THEM: LinkId = LinkId(2);
/// Chosen here: many times what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn two_ends_meet_and_what_is_sent_comes_in_order_and_is_drained() {
    let (mut us, mut them) = (End::new(), End::new());
    meet(&mut us, &mut them).await;
    let messages: Vec<Vec<u8>> = (0..40).map(|n| vec![n; MAX_MESSAGE]).collect();
    for message in &messages {
        us.links.send(US, message.clone());
    }
    for message in messages {
        assert_eq!(them.next().await, LinkEvent::Message(THEM, message));
    }
    assert_eq!(us.next().await, LinkEvent::Drained(US));
    them.links.send(THEM, vec![7]);
    let mut heard = us.next().await;
    while heard == LinkEvent::Drained(US) {
        heard = us.next().await;
    }
    assert_eq!(heard, LinkEvent::Message(US, vec![7]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_sends_what_waits_first_and_the_other_hears_of_both() {
    let (mut us, mut them) = (End::new(), End::new());
    meet(&mut us, &mut them).await;
    us.links.send(US, vec![1; 1000]);
    us.links.close(US);
    assert_eq!(them.next().await, LinkEvent::Message(THEM, vec![1; 1000]));
    assert_eq!(them.next().await, LinkEvent::Closed(THEM));
    timeout(PATIENCE, us.links.ended()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_takes_nothing_is_given_up_before_memory_is() {
    let (mut us, mut them) = (End::new(), End::new());
    meet(&mut us, &mut them).await;
    // Nobody takes what comes there: more waits than one end may let wait.
    for _ in 0..MAX_WAITING + MAX_QUEUED / MAX_MESSAGE + 400 {
        us.links.send(US, vec![0; MAX_MESSAGE]);
    }
    let mut told = us.next().await;
    while matches!(told, LinkEvent::Drained(_)) {
        told = us.next().await;
    }
    assert_eq!(told, LinkEvent::Closed(US));
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_that_come_after_the_descriptions_make_the_link_whatever_is_among_them() {
    let (mut us, mut them) = (End::new(), End::new());
    let bare = |sdp: &str| {
        let (late, bare): (Vec<&str>, Vec<&str>) =
            sdp.lines().partition(|line| line.contains("candidate"));
        (format!("{}\r\n", bare.join("\r\n")), late.join("\n"))
    };
    us.links.create(US, None);
    let LinkEvent::Described(US, offer) = us.next().await else { panic!() };
    let (offer, ours) = bare(&offer);
    them.links.create(THEM, Some(offer));
    let LinkEvent::Described(THEM, answer) = them.next().await else { panic!() };
    let (answer, theirs) = bare(&answer);
    us.links.accept(US, answer);
    them.links.add(THEM, format!("a=candidate:nonsense\n\n{ours}"));
    us.links.add(US, theirs);
    assert_eq!(us.next().await, LinkEvent::Opened(US));
    assert_eq!(them.next().await, LinkEvent::Opened(THEM));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_second_channel_is_let_go() {
    let mut us = End::new();
    us.links.create(US, None);
    let LinkEvent::Described(US, offer) = us.next().await else { panic!() };
    let told = Arc::new(Told::default());
    let foe = options().connect(told.clone()).await.unwrap();
    let init = RTCDataChannelInit { negotiated: Some(CHANNEL_ID), ..Default::default() };
    let _first = foe.create_data_channel(CHANNEL_LABEL, Some(init)).await.unwrap();
    let _second = foe.create_data_channel("more", None).await.unwrap();
    foe.set_remote_description(RTCSessionDescription::offer(offer).unwrap()).await.unwrap();
    let answer = foe.create_answer(None).await.unwrap();
    foe.set_local_description(answer).await.unwrap();
    told.is_gathered.subscribe().wait_for(|is_it| *is_it).await.unwrap();
    us.links.accept(US, foe.local_description().await.unwrap().sdp);
    let mut heard = us.next().await;
    if heard == LinkEvent::Opened(US) {
        heard = us.next().await;
    }
    assert_eq!(heard, LinkEvent::Closed(US));
    foe.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_description_ends_the_link_and_nothing_else() {
    let mut us = End::new();
    us.links.create(US, Some(String::from("v=0\r\nnonsense")));
    assert_eq!(us.next().await, LinkEvent::Closed(US));
    us.links.create(THEM, None);
    let LinkEvent::Described(THEM, _) = us.next().await else { panic!() };
    us.links.accept(THEM, String::from("v=0"));
    assert_eq!(us.next().await, LinkEvent::Closed(THEM));
    us.links.send(THEM, vec![1]);
    us.links.accept(LinkId(9), String::new());
    us.links.close(LinkId(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stun_server_sees_is_told_and_one_that_is_silent_holds_no_call() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("stun:{}", server.local_addr().unwrap());
    let with = |url: String| {
        let server = RTCIceServer { urls: vec![url], ..Default::default() };
        RtcOptions { servers: vec![server], ..options() }
    };
    tokio::spawn(async move {
        let mut request = [0; 1500];
        while let Ok((_, from)) = server.recv_from(&mut request).await {
            server.send_to(&seen_as(&request), from).await.unwrap();
        }
    });
    let described = describe(with(url)).await;
    assert!(described.contains("203.0.113.9 4567 typ srflx"), "{described}");
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let began = std::time::Instant::now();
    let described = describe(with(format!("stun:{}", silent.local_addr().unwrap()))).await;
    assert!(described.contains("127.0.0.1") && !described.contains("srflx"), "{described}");
    assert!(began.elapsed() < 5 * GATHER_PATIENCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_by_relays_alone_tells_the_relays_address_and_none_of_its_own() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (username, credential) = (String::from("listener"), String::from("secret"));
    let urls = vec![format!("turn:{}?transport=udp", server.local_addr().unwrap())];
    let servers = vec![RTCIceServer { urls, username, credential }];
    tokio::spawn(async move {
        let mut request = [0; 1500];
        while let Ok((length, from)) = server.recv_from(&mut request).await {
            server.send_to(&allocated(&request[..length]), from).await.unwrap();
        }
    });
    let options = RtcOptions { servers, is_relay_only: true, ..options() };
    options.check().await.unwrap();
    let described = describe(options).await;
    let candidates: Vec<_> = described.lines().filter(|l| l.contains("candidate:")).collect();
    assert!(!candidates.is_empty(), "{described}");
    let told = " 203.0.113.9 4567 typ relay raddr 0.0.0.0 rport 9";
    assert!(candidates.iter().all(|line| line.contains(told)), "{described}");
    assert!(!described.contains("127.0.0.1"), "{described}");
}

/// What a relay answers that wants a name first and has a place at 203.0.113.9:4567 for whoever tells one
/// (RFC 8656 §7.2 and §18.5).
fn allocated(request: &[u8]) -> Vec<u8> {
    let attribute = |kind: u16, value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap();
        let padded = value.iter().copied().chain([0; 4]).take(value.len().next_multiple_of(4));
        kind.to_be_bytes()
            .into_iter()
            .chain(length.to_be_bytes())
            .chain(padded)
            .collect::<Vec<u8>>()
    };
    let is_named = request.windows(8).any(|bytes| bytes == b"listener");
    let (kind, attributes) = if is_named {
        let seen = seen_as(request);
        (
            0x0103_u16,
            [attribute(0x16, &seen[24..]), attribute(0x0D, &600_u32.to_be_bytes())].concat(),
        )
    } else {
        let unauthorized = attribute(0x09, &[0, 0, 4, 1]);
        (0x0113, [unauthorized, attribute(0x14, b"realm"), attribute(0x15, b"nonce")].concat())
    };
    let length = u16::try_from(attributes.len()).unwrap();
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), &request[4..20], &attributes].concat()
}

#[test]
fn of_a_description_only_the_relays_are_left_where_it_hides() {
    let told = of_relays(concat!(
        "v=0\r\nc=IN IP4 0.0.0.0\r\n",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n",
        "a=candidate:2 1 udp 1 192.0.2.2 9 typ srflx raddr 192.0.2.1 rport 7\r\n",
        "a=candidate:3 1 udp 1 2001:db8::9 4567 typ relay raddr 2001:db8::1 rport 7\r\n",
        "a=end-of-candidates\r\n",
    ));
    let relay = "a=candidate:3 1 udp 1 2001:db8::9 4567 typ relay raddr :: rport 9\r\n";
    assert_eq!(told, format!("v=0\r\nc=IN IP4 0.0.0.0\r\n{relay}a=end-of-candidates\r\n"));
}

/// What a server answers that sees whoever asks at 203.0.113.9:4567 (RFC 8489 §14.2).
fn seen_as(request: &[u8]) -> Vec<u8> {
    let mut answer = vec![1, 1, 0, 12];
    answer.extend(&request[4..20]);
    answer.extend([0, 0x20, 0, 8, 0, 1]);
    let address = [0x11, 0xD7, 203, 0, 113, 9];
    let mask = [0x21, 0x12, 0x21, 0x12, 0xA4, 0x42];
    answer.extend(address.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_address_is_told_in_place_of_our_own() {
    let external = vec!["203.0.113.7".parse().unwrap()];
    let described = describe(RtcOptions { external, ..options() }).await;
    let candidates: Vec<_> = described.lines().filter(|l| l.contains("candidate:")).collect();
    assert!(!candidates.is_empty());
    assert!(candidates.iter().all(|line| line.contains(" 203.0.113.7 ")), "{candidates:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_link_could_be_made_with_is_said_at_the_start() {
    options().check().await.unwrap();
    let url = |url: &str| RTCIceServer { urls: vec![url.to_owned()], ..Default::default() };
    for server in [url("http://stun.example"), url("stun"), url("turn:turn.example")] {
        let options = RtcOptions { servers: vec![server.clone()], ..options() };
        assert!(options.check().await.is_err(), "{server:?}");
    }
    let elsewhere = RtcOptions { listen: vec!["192.0.2.1:0".parse().unwrap()], ..options() };
    let said = format!("{:#}", elsewhere.check().await.unwrap_err());
    assert!(said.contains("192.0.2.1"), "{said}");
}

/// Returns the description of an offer.
async fn describe(options: RtcOptions) -> String {
    let (tell, mut events) = mpsc::channel(MAX_WAITING);
    let mut links = RtcLinks::new(options, tell);
    links.create(US, None);
    let LinkEvent::Described(US, sdp) = events.recv().await.unwrap() else { panic!() };
    links.close(US);
    sdp
}

#[test]
fn a_channel_is_open_before_its_first_message_in_whatever_order_the_stack_says_so() {
    let says = |is_string, length: usize| {
        let data = BytesMut::from(vec![7; length].as_slice());
        Some(DataChannelEvent::OnMessage(RTCDataChannelMessage { is_string, data }))
    };
    let message = |length| LinkEvent::Message(US, vec![7; length]);
    let mut opening = Opening::new(US, true);
    assert_eq!(opening.hear(Some(DataChannelEvent::OnBufferedAmountLow)), Some(vec![]));
    assert_eq!(opening.hear(says(true, 3)), Some(vec![]), "text");
    assert_eq!(opening.hear(says(false, 3)), Some(vec![LinkEvent::Opened(US), message(3)]));
    assert_eq!(opening.hear(Some(DataChannelEvent::OnOpen)), Some(vec![]), "told already");
    assert_eq!(opening.hear(says(false, 60_000)), Some(vec![message(MAX_MESSAGE + 1)]));
    assert_eq!(opening.hear(Some(DataChannelEvent::OnClosing)), None);
    assert_eq!(opening.hear(None), None);
    let mut first = Opening::new(US, true);
    assert_eq!(first.hear(Some(DataChannelEvent::OnOpen)), Some(vec![LinkEvent::Opened(US)]));
    assert_eq!((first.due(), first.tell()), (None, None));
}

#[test]
fn who_answered_speaks_second_or_when_nobody_has_spoken() {
    let mut second = Opening::new(US, false);
    assert_eq!(second.hear(Some(DataChannelEvent::OnOpen)), Some(vec![]));
    assert!(second.due().is_some());
    assert_eq!(second.tell(), Some(LinkEvent::Opened(US)));
    assert_eq!((second.due(), second.tell()), (None, None));
    let mut spoken_to = Opening::new(US, false);
    spoken_to.hear(Some(DataChannelEvent::OnOpen));
    let data = BytesMut::from(&[1][..]);
    let message = DataChannelEvent::OnMessage(RTCDataChannelMessage { is_string: false, data });
    let told = [LinkEvent::Opened(US), LinkEvent::Message(US, vec![1])];
    assert_eq!(spoken_to.hear(Some(message)), Some(told.to_vec()));
    assert_eq!(spoken_to.due(), None);
}

/// Events that wait at one end.
const MAX_WAITING: usize = 64;

struct End {
    links: RtcLinks,
    events: mpsc::Receiver<LinkEvent>,
}

impl End {
    fn new() -> Self {
        let (tell, events) = mpsc::channel(MAX_WAITING);
        Self { links: RtcLinks::new(options(), tell), events }
    }

    async fn next(&mut self) -> LinkEvent {
        timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap()
    }
}

fn options() -> RtcOptions {
    let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    RtcOptions { listen, external: Vec::new(), servers: Vec::new(), is_relay_only: false }
}

/// Opens a link between two ends.
async fn meet(us: &mut End, them: &mut End) {
    us.links.create(US, None);
    let LinkEvent::Described(US, offer) = us.next().await else { panic!() };
    them.links.create(THEM, Some(offer));
    let LinkEvent::Described(THEM, answer) = them.next().await else { panic!() };
    us.links.accept(US, answer);
    assert_eq!(us.next().await, LinkEvent::Opened(US));
    us.links.send(US, vec![0]);
    assert_eq!(them.next().await, LinkEvent::Opened(THEM));
    assert_eq!(them.next().await, LinkEvent::Message(THEM, vec![0]), "the first word is heard");
    assert_eq!(us.next().await, LinkEvent::Drained(US));
}
