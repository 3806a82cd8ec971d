//! The life of a client that reaches nobody.

mod keeping;
mod terms;

use super::*;
use crate::{event::EventStream, options::ConnectOptions};
use antiphon_core::crypto::SecretKey;
use std::path::Path;

/// Chosen here: many times what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn who_sleeps_lets_go_of_the_file_and_goes_on_when_it_is_woken() {
    let folder = tempfile::tempdir().unwrap();
    let session = awake(folder.path()).await;
    assert_eq!(session.ask(Request::Calls).await, Ok(Vec::new()));
    session.sleep(false).await;
    assert_eq!(refused(&session).await, "client/suspended");
    let other = awake(folder.path()).await;
    other.sleep(true).await;
    session.wake().await.unwrap();
    assert_eq!(session.ask(Request::Calls).await, Ok(Vec::new()));
    session.sleep(true).await;
    assert_eq!(refused(&session).await, "client/closed");
    assert_eq!(session.wake().await, Err(AntiphonError::unavailable("client/closed")));
}

#[tokio::test]
async fn a_folder_has_one_client() {
    let folder = tempfile::tempdir().unwrap();
    let _session = awake(folder.path()).await;
    let (second, _) = session(folder.path());
    assert_eq!(second.wake().await, Err(AntiphonError::unavailable("storage/in-use")));
    let (third, _) = session(Path::new("/dev/null/folder"));
    assert_eq!(third.wake().await, Err(AntiphonError::unavailable("storage/not-opened")));
}

#[tokio::test]
async fn a_crash_is_a_new_start_three_times_and_then_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (session, events) = session(folder.path());
    session.wake().await.unwrap();
    for crash in 1..=MAX_CRASHES {
        panic(&session).await;
        let event = told(&events).await;
        if crash == MAX_CRASHES {
            assert_eq!(event, AntiphonEvent::Fatal { code: String::from("client/gave-up") });
            assert_eq!(refused(&session).await, "client/gave-up");
            return;
        }
        assert_eq!(event, AntiphonEvent::Restarted { code: String::from("client/panicked") });
        let again = async {
            while session.ask(Request::Calls).await.is_err() {
                sleep(PAUSE).await;
            }
        };
        timeout(PATIENCE, again).await.unwrap();
    }
    unreachable!("the last crash is the end");
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let session = awake(folder.path()).await;
    let unknown = session.ask(|reply| Request::Call(String::from("x"), reply)).await;
    assert_eq!(unknown.unwrap_err().code(), "call/unknown-key");
    let faucet = session.ask(|reply| Request::Command(Command::AskFaucet, reply)).await;
    assert_eq!(faucet.unwrap_err().code(), "client/not-ready");
    assert_eq!(session.meet(Some("x".repeat(65))).await, Err(AntiphonError::invalid("name")));
    session.sleep(true).await;
}

async fn awake(folder: &Path) -> Arc<Session> {
    let (session, _) = session(folder);
    session.wake().await.unwrap();
    session
}

fn session(folder: &Path) -> (Arc<Session>, Arc<EventStream>) {
    session_of(options(folder))
}

fn options(folder: &Path) -> ConnectOptions {
    let folder = folder.to_str().unwrap().to_owned();
    ConnectOptions::new(String::from("http://127.0.0.1:1"), "07".repeat(32), folder)
}

fn session_of(options: ConnectOptions) -> (Arc<Session>, Arc<EventStream>) {
    let plan = Plan::read(options, SecretKey::from_bytes(&[1; 32])).unwrap();
    let ears = Ears::new(plan.terms);
    let heard = ears.events.stream();
    (Session::new(plan, ears), heard)
}

async fn refused(session: &Session) -> String {
    session.ask(Request::Calls).await.unwrap_err().code()
}

async fn panic(session: &Session) {
    let Door::Open(requests) = session.door().clone() else { panic!("it is awake") };
    requests.send(Request::Panic).await.unwrap();
}

/// The next event that is about the client's life.
async fn told(events: &EventStream) -> AntiphonEvent {
    let life = async {
        loop {
            let event = events.next().await.unwrap();
            if matches!(event, AntiphonEvent::Restarted { .. } | AntiphonEvent::Fatal { .. }) {
                return event;
            }
        }
    };
    timeout(PATIENCE, life).await.unwrap()
}
