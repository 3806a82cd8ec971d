use super::*;
use reqwest::header::HeaderMap;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::handshake::server::{ErrorResponse, Request, Response},
};

/// Chosen here: many times what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn messages_pass_both_ways_and_the_end_is_told_once() {
    let (tracker, mut socket, mut events) = dialled(None).await;
    let (mut far, headers) = tracker.accept().await;
    assert!(!headers.contains_key(SEC_WEBSOCKET_PROTOCOL));
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerOpened));
    socket.send(vec![1, 2]);
    assert_eq!(far.next().await.unwrap().unwrap(), Message::Binary(vec![1, 2].into()));
    far.send(Message::Binary(vec![3].into())).await.unwrap();
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerMessage(vec![3])));
    drop(far);
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerClosed));
    socket.send(vec![4]);
}

#[tokio::test]
async fn of_a_socket_that_was_closed_nothing_is_told_any_more() {
    let (tracker, mut socket, mut events) = dialled(None).await;
    let (mut far, _) = tracker.accept().await;
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerOpened));
    socket.send(vec![1]);
    socket.close();
    assert_eq!(
        far.next().await.unwrap().unwrap(),
        Message::Binary(vec![1].into()),
        "its last word"
    );
    assert!(far.next().await.unwrap().unwrap().is_close());
    assert_eq!(next(&mut socket, &mut events).await, None);
    socket.connect(tracker.url());
    let _again = tracker.accept().await;
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerOpened));
}

#[tokio::test]
async fn a_token_goes_as_the_subprotocol() {
    let (tracker, ..) = dialled(Some(String::from("abc"))).await;
    let (_, headers) = tracker.accept().await;
    assert_eq!(headers[SEC_WEBSOCKET_PROTOCOL], "antiphon-token.abc");
}

#[tokio::test]
async fn a_tracker_that_is_not_there_says_too_much_or_takes_nothing_is_lost() {
    let (tell, mut events) = mpsc::channel(16);
    let mut socket = Socket::new(tell, None);
    for url in ["ws://127.0.0.1:1", "nonsense", "http://127.0.0.1:1"] {
        socket.connect(url.to_owned());
        assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerClosed), "{url}");
    }
    let tracker = Tracker::new().await;
    socket.connect(tracker.url());
    let (mut far, _) = tracker.accept().await;
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerOpened));
    far.send(Message::Binary(vec![0; MAX_TRACKER_MESSAGE + 1].into())).await.unwrap();
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerClosed));
    socket.connect(tracker.url());
    let (_far, _) = tracker.accept().await;
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerOpened));
    // No turn is left to whoever sends.
    for _ in 0..MAX_WAITING + 2 {
        socket.send(vec![0; 16]);
    }
    assert_eq!(next(&mut socket, &mut events).await, Some(Input::TrackerClosed));
}

/// A tracker that does as it is told.
struct Tracker(TcpListener);

impl Tracker {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self) -> String {
        format!("ws://{}", self.0.local_addr().unwrap())
    }

    /// Takes the next socket, and tells what it was asked with.
    #[allow(clippy::result_large_err, reason = "the library's own type of answer")]
    async fn accept(&self) -> (WebSocketStream<TcpStream>, HeaderMap) {
        let (stream, _) = self.0.accept().await.unwrap();
        let mut headers = HeaderMap::new();
        let look = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            headers.clone_from(request.headers());
            if let Some(protocol) = request.headers().get(SEC_WEBSOCKET_PROTOCOL) {
                response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
            }
            Ok(response)
        };
        let far = accept_hdr_async(stream, look).await.unwrap();
        (far, headers)
    }
}

async fn dialled(token: Option<String>) -> (Tracker, Socket, mpsc::Receiver<SocketEvent>) {
    let tracker = Tracker::new().await;
    let (tell, events) = mpsc::channel(16);
    let mut socket = Socket::new(tell, token);
    socket.connect(tracker.url());
    (tracker, socket, events)
}

/// What the client is told of the next event.
async fn next(socket: &mut Socket, events: &mut mpsc::Receiver<SocketEvent>) -> Option<Input> {
    let event = timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
    socket.hear(event)
}
