//! What is asked of whoever keeps a client.

use super::Ask;
use crate::{
    call::{CallView, MoneyEvent},
    error::AntiphonError,
    sharing::{Surroundings, UploadTerms},
    sign_in::{Challenge, SignedIn},
};
use antiphon_core::{
    client::{Command, Exhibit, Found, PaymentAt, Question, journal::Act},
    id::FieldId,
};
use antiphon_host::disk::Row;
use tokio::sync::oneshot;

/// Whoever asked, and waits.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, AntiphonError>>;

/// What an application asks.
#[derive(Debug)]
pub(crate) enum Request {
    /// Move money, once by this key.
    Begin(String, Act, Reply<CallView>),
    /// Do what needs no key, because it is the same twice.
    Command(Command, Reply<()>),
    /// How far is this call?
    Call(String, Reply<CallView>),
    /// How far are all of them?
    Calls(Reply<Vec<CallView>>),
    /// What has changed, and is not handled yet?
    NextEvent(Reply<MoneyEvent>),
    /// It is handled.
    Handled(u64, Reply<()>),
    /// What does the chain say?
    LookUp(Question, Reply<Found>),
    /// One payment of a closed field as a file.
    Prove(PaymentAt, Reply<Exhibit>),
    /// The newest sealed state of a field as a file.
    Evidence(FieldId, Reply<Option<Vec<u8>>>),
    /// Which pools of this key does no row here know?
    FindPools(Reply<Found>),
    /// Every row that is written.
    Rows(Reply<Vec<Row>>),
    /// Sign in at a web site.
    SignIn(Challenge, Reply<SignedIn>),
    /// The file that proves a split.
    ForkProof(Reply<Option<Vec<u8>>>),
    /// Listen to this playlist, or to none.
    Listen(Option<String>, Reply<()>),
    /// Bring or judge this for a player.
    Play(Ask, Reply<Vec<u8>>),
    /// Give away what these terms allow.
    Agree(UploadTerms, Reply<()>),
    /// The device is on another network, or has other power.
    Surround(Surroundings, Reply<()>),
    /// Fail as nothing should.
    #[cfg(test)]
    Panic,
}
