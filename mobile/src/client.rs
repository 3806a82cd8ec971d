//! The public API: `connect` gives an `Antiphon`, which proves, pays, and carries a stream; named as in a page.

use crate::{
    call::{CallView, MoneyEvent},
    error::AntiphonError,
    event::{EventStream, Teller},
    found::{AccountFound, Exhibit},
    options::{ConnectOptions, Plan, Surroundings},
    runtime::{on_runtime, runtime},
    secretary::{Ears, Reply, Request},
    session::Session,
    sign_in::{Challenge, SignedIn},
    snapshot::{Level, Snapshot},
    text::{Address, Amount, hex_32},
    wallet::Account,
};
use antiphon_core::{
    chain::spec,
    client::{Command, FieldOffer, Found, PaymentAt, Question, journal::Act},
    crypto::PublicKey,
    id::FieldId,
};
use std::sync::Arc;
use tokio::sync::watch;

/// One of the two tokens of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Token {
    /// Is bonded.
    Staking,
    /// Pays for everything else.
    Operational,
}

/// A running client of one account on one chain.
///
/// What moves money takes a key: any text of at most 64 bytes that stands for one thing wanted once. Called again with it, the
/// client says how far that is and pays nothing. It is written down before anything leaves, and goes on whatever becomes
/// of whoever called.
#[derive(Debug, uniffi::Object)]
pub struct Antiphon {
    session: Arc<Session>,
    ears: Ears,
}

/// Starts a client, and returns when it has read what it knew before; nothing is waited for on the network.
///
/// # Errors
/// `options/invalid`; `storage/…` where the folder cannot be used.
#[uniffi::export]
pub async fn connect(
    options: ConnectOptions,
    account: Arc<Account>,
) -> Result<Arc<Antiphon>, AntiphonError> {
    let plan = Plan::read(options, account.0.secret().clone())?;
    on_runtime(async move {
        let ears = Ears { shown: watch::Sender::new(Arc::default()), events: Teller::new() };
        let session = Session::new(plan, ears.clone());
        session.wake().await?;
        Ok(Arc::new(Antiphon { session, ears }))
    })
    .await
}

#[uniffi::export]
impl Antiphon {
    /// Returns everything there is to show, as of the last change.
    pub fn snapshot(&self) -> Snapshot {
        (&**self.ears.shown.borrow()).into()
    }

    /// Returns a stream of every event from now on.
    pub fn events(&self) -> Arc<EventStream> {
        self.ears.events.stream()
    }

    /// Waits for the oldest change of a call that is not handled yet. It is told again, after a restart too, until
    /// `event_handled` has been called with its number; of a call that moves on meanwhile only the newest change is.
    ///
    /// # Errors
    /// `client/suspended`, `client/closed`.
    pub async fn next_event(&self) -> Result<MoneyEvent, AntiphonError> {
        self.ask(Request::NextEvent).await
    }

    /// Says that a change was handled, durably.
    ///
    /// # Errors
    /// As `next_event`.
    pub async fn event_handled(&self, id: u64) -> Result<(), AntiphonError> {
        self.ask(move |reply| Request::Handled(id, reply)).await
    }

    /// Returns how far a call is.
    ///
    /// # Errors
    /// `call/unknown-key`; as `next_event`.
    pub async fn call(&self, key: String) -> Result<CallView, AntiphonError> {
        self.ask(move |reply| Request::Call(key, reply)).await
    }

    /// Returns every call that is remembered, the one that changed last at the end.
    ///
    /// # Errors
    /// As `next_event`.
    pub async fn calls(&self) -> Result<Vec<CallView>, AntiphonError> {
        self.ask(Request::Calls).await
    }

    /// Sends `amount` smallest units to an address.
    ///
    /// # Errors
    /// Why the client refuses: nothing was done, and the key is free. `call/key-reused`.
    pub async fn transfer(
        &self,
        key: String,
        to: Address,
        amount: Amount,
        token: Token,
    ) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Transfer { token: token.into(), to: to.0, amount: amount.0 }).await
    }

    /// Locks `deposit` smallest units on chain to pay for the stream that is listened to.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn open_pool(&self, key: String, deposit: Amount) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::OpenPool(deposit.0)).await
    }

    /// Reserves `amount` on the chain for one payee alone, for a purpose of at most 32 bytes. The payee is sure of it at once, if
    /// it is around; otherwise it waits, and comes back when its period is over. Watch `snapshot().gifts`.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn give(
        &self,
        key: String,
        to: Address,
        amount: Amount,
        purpose: String,
    ) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Give { to: to.0, amount: amount.0, purpose }).await
    }

    /// Pays a member of a field. It is money once it is committed.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn pay_member(
        &self,
        key: String,
        field: String,
        payee: Address,
        amount: Amount,
    ) -> Result<CallView, AntiphonError> {
        let field = field_id(&field)?;
        self.begin(key, Act::PayMember { field, payee: payee.0, amount: amount.0 }).await
    }

    /// Bonds `amount` smallest units of the staking token with a staker.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn bond(
        &self,
        key: String,
        staker: Address,
        amount: Amount,
    ) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Bond(staker.0, amount.0)).await
    }

    /// Lets a part of a bond leave; it can be withdrawn after `snapshot().chain.spec.unbonding` blocks.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn unbond(
        &self,
        key: String,
        staker: Address,
        amount: Amount,
    ) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Unbond(staker.0, amount.0)).await
    }

    /// Takes what has left a bond, and the rewards that wait.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn withdraw(&self, key: String, staker: Address) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Withdraw(staker.0)).await
    }

    /// Asks the faucet of a development chain for tokens.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn ask_faucet(&self) -> Result<(), AntiphonError> {
        self.command(Command::AskFaucet).await
    }

    /// Sends the best voucher of every pool to the chain. Watch `snapshot().wallet.settlements`.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn settle(&self) -> Result<(), AntiphonError> {
        self.command(Command::Settle).await
    }

    /// Takes back what is left in pools that have ended.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn release(&self) -> Result<(), AntiphonError> {
        self.command(Command::Release).await
    }

    /// Listens to the stream of a media playlist as one of its peers: fetches, verifies, keeps, serves, and is paid.
    ///
    /// # Errors
    /// `options/invalid` for what is no URL; `client/suspended`, after which it is listened to once the client is resumed.
    pub async fn listen(&self, playlist: String) -> Result<(), AntiphonError> {
        let url = antiphon_host::web::parse(&playlist, None);
        let url = url.map_err(|_| AntiphonError::invalid("playlist"))?.to_string();
        let session = self.session.clone();
        on_runtime(async move { session.listen(Some(url)).await }).await
    }

    /// Wants no more of the stream. What is here is still served.
    ///
    /// # Errors
    /// `client/suspended`, `client/closed`.
    pub async fn stop_listening(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.listen(None).await }).await
    }

    /// Tells how the device is: what it gives away depends on that, and on the terms of `connect`.
    ///
    /// # Errors
    /// `client/suspended`, after which it counts once the client is resumed.
    pub async fn set_surroundings(&self, around: Surroundings) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.surround(around).await }).await
    }

    /// Meets whoever else enters the room of this name; needs a `tracker`. Listeners of a stream have met already.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn enter_room(&self, name: String) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.meet(Some(name)).await }).await
    }

    /// Leaves the room. Fields go on.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn leave_room(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.meet(None).await }).await
    }

    /// Invites others, by key (`snapshot().around`), to a payment field in which each locks `deposit`. This client leads it.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn propose_field(
        &self,
        others: Vec<String>,
        deposit: Amount,
    ) -> Result<(), AntiphonError> {
        let key = |text: &String| hex_32(text, "others").map(|key| PublicKey(key.0));
        let others = others.iter().map(key).collect::<Result<_, _>>()?;
        let offer = FieldOffer { others, deposit: deposit.0, dispute: None };
        self.command(Command::ProposeField(offer)).await
    }

    /// Signs the terms of an invitation, or the next version of a field: the deposit may be locked from now on.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn accept_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::AcceptField(field_id(&field)?)).await
    }

    /// Forgets an invitation.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn decline_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::DeclineField(field_id(&field)?)).await
    }

    /// Asks all members of a field that this client leads to let somebody in, by key, who locks `deposit`.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn admit_member(
        &self,
        field: String,
        key: String,
        deposit: Amount,
    ) -> Result<(), AntiphonError> {
        let (field, key) = (field_id(&field)?, PublicKey(hex_32(&key, "key")?.0));
        self.command(Command::AdmitMember { field, key, deposit: deposit.0 }).await
    }

    /// Leaves a field of three or more with what this client has in it; the others go on.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn leave_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::LeaveField(field_id(&field)?)).await
    }

    /// Closes a field: at once if every member signs, alone if one is silent.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn close_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::CloseField(field_id(&field)?)).await
    }

    /// Removes what is kept of a field that is over.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn forget_field(&self, field: String) -> Result<(), AntiphonError> {
        self.command(Command::ForgetField(field_id(&field)?)).await
    }

    /// Proves one payment of a closed field: `round` and `index` as `snapshot().fields` shows them.
    ///
    /// # Errors
    /// Why there is no proof, in a stable code.
    pub async fn prove_payment(
        &self,
        field: String,
        round: u32,
        index: u32,
    ) -> Result<Exhibit, AntiphonError> {
        let payment = PaymentAt { field: field_id(&field)?, round, index };
        Ok(self.ask(move |reply| Request::Prove(payment, reply)).await?.into())
    }

    /// Returns the newest state of a field that all members have signed, as a file of evidence; none while there is none.
    ///
    /// # Errors
    /// `client/suspended`, `client/closed`.
    pub async fn field_evidence(&self, field: String) -> Result<Option<Vec<u8>>, AntiphonError> {
        let field = field_id(&field)?;
        self.ask(move |reply| Request::Evidence(field, reply)).await
    }

    /// Returns an account, proven under the newest block believed at least to a level.
    ///
    /// # Errors
    /// `lookup/…`.
    pub async fn find_account(
        &self,
        address: Address,
        level: Level,
    ) -> Result<AccountFound, AntiphonError> {
        let question = Question::Account(address.0, level.into());
        match self.ask(move |reply| Request::LookUp(question, reply)).await? {
            Found::Account(found) => Ok((&*found).into()),
            // The client answers each question with its own kind of answer.
            Found::Block(_)
            | Found::Blocks(_)
            | Found::Checkpoint(_)
            | Found::Pool(_)
            | Found::Field(_)
            | Found::Stakers(_) => Err(AntiphonError::refused("lookup/missing")),
        }
    }

    /// Signs the account in at the web site `origin`, such as `https://example.org`, which the application names, not the site: what is
    /// signed counts there alone. The site draws `nonce`, 64 hexadecimal digits, and says when it `expires`, in milliseconds since 1970.
    ///
    /// # Errors
    /// `sign-in/bad-origin`, `sign-in/bad-expiry`: nothing is signed then.
    pub async fn sign_in(
        &self,
        origin: String,
        nonce: String,
        expires: u64,
    ) -> Result<SignedIn, AntiphonError> {
        let challenge = Challenge { origin, nonce: hex_32(&nonce, "nonce")?, expires };
        self.ask(move |reply| Request::SignIn(challenge, reply)).await
    }

    /// Returns the file that proves that the chain has split and who split it, once a witness has shown it.
    ///
    /// # Errors
    /// `client/suspended`, `client/closed`.
    pub async fn fork_proof(&self) -> Result<Option<Vec<u8>>, AntiphonError> {
        self.ask(Request::ForkProof).await
    }

    /// Puts the client to sleep: pays what it owes, says goodbye, and lets go of sockets and file, as iOS demands of an
    /// application in the background. Calls fail with `client/suspended` until `resume`. Returns when all is let go.
    ///
    /// # Errors
    /// None but `client/panicked`.
    pub async fn suspend(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move {
            session.sleep(false).await;
            Ok(())
        })
        .await
    }

    /// Wakes the client: stream and room are those of before, and what was on its way is waited for.
    ///
    /// # Errors
    /// `client/closed`; `storage/…` where the folder cannot be used.
    pub async fn resume(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.wake().await }).await
    }

    /// Ends the client for good, as `suspend` does; streams of events end, too.
    ///
    /// # Errors
    /// None but `client/panicked`.
    pub async fn shut_down(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move {
            session.sleep(true).await;
            Ok(())
        })
        .await
    }
}

impl Antiphon {
    async fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request + Send + 'static,
    ) -> Result<T, AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.ask(request).await }).await
    }

    async fn begin(&self, key: String, act: Act) -> Result<CallView, AntiphonError> {
        self.ask(move |reply| Request::Begin(key, act, reply)).await
    }

    async fn command(&self, command: Command) -> Result<(), AntiphonError> {
        self.ask(move |reply| Request::Command(command, reply)).await
    }
}

impl Drop for Antiphon {
    fn drop(&mut self) {
        let session = self.session.clone();
        if let Ok(runtime) = runtime() {
            // Whoever forgets to shut down has it done, but does not wait for it.
            runtime.spawn(async move { session.sleep(true).await });
        }
    }
}

impl From<Token> for spec::Token {
    fn from(token: Token) -> Self {
        match token {
            Token::Staking => Self::Staking,
            Token::Operational => Self::Operational,
        }
    }
}

fn field_id(text: &str) -> Result<FieldId, AntiphonError> {
    hex_32(text, "field").map(FieldId)
}
