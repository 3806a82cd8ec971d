//! The life of a client: started, started again after a crash, put to sleep, woken, closed.
//!
//! ```text
//! Asleep --wake--> Awake --sleep--> Asleep          what is owed is paid, goodbye, last rows durable, sockets and file let go
//!                   | '--panic--> Awake again, three times at most; then Closed
//!                   '--close, a disk that failed--> Closed
//! ```
//!
//! What a backup is made of and brings is in `keeping`.

mod keeping;

use crate::{
    error::AntiphonError,
    event::AntiphonEvent,
    options::Plan,
    runtime::{on_runtime, runtime},
    secretary::{Ears, Reply, Request, Secretary},
    sharing::{Surroundings, UploadTerms},
};
use antiphon_core::{
    client::{Client, Command},
    delivery::sharing::Sharing,
};
use antiphon_host::{
    desk::{Desk, Means},
    disk::{Disk, DiskError, Row, is_in_use},
    errands::Errands,
    events::{self, Events},
    giving::Giving,
    links::RtcLinks,
    run::Host,
    socket::Socket,
    tuner::Tuner,
    web::Web,
};
use std::{
    fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// The file of a folder in which rows are.
const ROWS: &str = "antiphon.redb";
/// Crashes after which a client stays down. Chosen here: as in a page.
const MAX_CRASHES: u32 = 3;
/// Requests that wait before whoever asks more has to wait, too.
const MAX_WAITING: usize = 64;
/// How often a file that is in use is opened again, and how long between.
const MAX_TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);
/// How long links may take to end.
const LAST_LINKS: Duration = Duration::from_secs(2);

/// Why an application that closed a client is not answered.
const CLOSED: &str = "client/closed";

/// Whether a client can be asked.
#[derive(Clone, Debug)]
enum Door {
    Open(mpsc::Sender<Request>),
    Asleep,
    /// For good, and why: a stable code.
    Closed(&'static str),
}

/// What the application wants of a client, whenever it is awake.
#[derive(Clone, Debug, Default)]
struct Wishes {
    stream: Option<String>,
    room: Option<String>,
    terms: UploadTerms,
    around: Surroundings,
}

/// What runs a client that is awake.
#[derive(Debug)]
struct Watch {
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

/// A client and its life.
#[derive(Debug)]
pub(crate) struct Session {
    plan: Plan,
    ears: Ears,
    door: Mutex<Door>,
    wishes: Mutex<Wishes>,
    /// Bytes that its clients have given, or may have given where one crashed.
    given: Arc<AtomicU64>,
    watch: tokio::sync::Mutex<Option<Watch>>,
}

/// A client that is ready to run.
struct Ready {
    host: Host<RtcLinks, Secretary>,
    events: Events,
    rows: Vec<Row>,
    requests: mpsc::Receiver<Request>,
}

impl Session {
    pub(crate) fn new(plan: Plan, ears: Ears) -> Arc<Self> {
        let wishes = Mutex::new(Wishes { terms: plan.terms, ..Wishes::default() });
        let (door, watch) = (Mutex::new(Door::Asleep), tokio::sync::Mutex::new(None));
        Arc::new(Self { plan, ears, door, wishes, given: Arc::default(), watch })
    }

    /// Starts the client, unless it is awake.
    ///
    /// # Errors
    /// `client/closed`; `storage/…` where the file cannot be opened.
    pub(crate) async fn wake(self: &Arc<Self>) -> Result<(), AntiphonError> {
        let mut watch = self.watch.lock().await;
        // Nobody may wait at the door: it is looked at, and let go.
        let door = self.door().clone();
        match door {
            Door::Open(_) => Ok(()),
            Door::Closed(why) => Err(AntiphonError::unavailable(why)),
            Door::Asleep => self.start(&mut watch, None).await,
        }
    }

    /// Starts the client, after what a backup brings is written, if there is one.
    async fn start(
        self: &Arc<Self>,
        watch: &mut Option<Watch>,
        backup: Option<&[u8]>,
    ) -> Result<(), AntiphonError> {
        let ready = self.prepare(backup).await?;
        let (stop, stopped) = oneshot::channel();
        let session = self.clone();
        let done = runtime()?.spawn(async move { session.supervise(ready, stopped).await });
        *watch = Some(Watch { stop, done });
        Ok(())
    }

    /// Ends the client until it is woken, or for good.
    pub(crate) async fn sleep(&self, is_for_good: bool) {
        let mut watch = self.watch.lock().await;
        let next = match *self.door() {
            Door::Closed(why) if !is_for_good => Door::Closed(why),
            _ if is_for_good => Door::Closed(CLOSED),
            Door::Open(_) | Door::Asleep | Door::Closed(_) => Door::Asleep,
        };
        *self.door() = next;
        halt(&mut watch).await;
        if is_for_good {
            self.ears.events.end();
        }
    }

    /// Asks the client, and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request,
    ) -> Result<T, AntiphonError> {
        let requests = match self.door().clone() {
            Door::Open(requests) => requests,
            Door::Asleep => return Err(AntiphonError::unavailable("client/suspended")),
            Door::Closed(why) => return Err(AntiphonError::unavailable(why)),
        };
        let (reply, answer) = oneshot::channel();
        if requests.send(request(reply)).await.is_ok()
            && let Ok(answer) = answer.await
        {
            return answer;
        }
        Err(self.lost(&requests).await)
    }

    /// Listens to a stream, now and after each sleep.
    pub(crate) async fn listen(&self, url: Option<String>) -> Result<(), AntiphonError> {
        self.wishes().stream.clone_from(&url);
        self.ask(|reply| Request::Listen(url, reply)).await
    }

    /// Enters a room, or leaves it, now and after each sleep.
    pub(crate) async fn meet(&self, room: Option<String>) -> Result<(), AntiphonError> {
        let command = enter(room.as_deref())?;
        self.ask(|reply| Request::Command(command, reply)).await?;
        self.wishes().room = room;
        Ok(())
    }

    /// Gives away what the terms allow in these surroundings, now and after each sleep.
    pub(crate) async fn surround(&self, around: Surroundings) -> Result<(), AntiphonError> {
        self.wishes().around = around;
        self.ask(|reply| Request::Surround(around, reply)).await
    }

    /// Gives away what other terms allow, now and after each sleep.
    pub(crate) async fn agree(&self, terms: UploadTerms) -> Result<(), AntiphonError> {
        self.wishes().terms = terms;
        self.ask(|reply| Request::Agree(terms, reply)).await
    }

    /// Why nobody answered: what becomes of a client that ended is known a moment later.
    async fn lost(&self, asked: &mpsc::Sender<Request>) -> AntiphonError {
        let is_undecided = |door: &Door| matches!(door, Door::Open(now) if now.same_channel(asked));
        for _ in 0..MAX_TRIES {
            if !is_undecided(&self.door()) {
                break;
            }
            sleep(PAUSE).await;
        }
        AntiphonError::unavailable(match *self.door() {
            Door::Open(_) => "client/restarted",
            Door::Asleep => "client/suspended",
            Door::Closed(why) => why,
        })
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file and makes a client of what is in it, and in a backup.
    async fn prepare(&self, backup: Option<&[u8]>) -> Result<Ready, AntiphonError> {
        let (tellers, mut events) = events::events();
        let (plan, done) = (self.plan.clone(), tellers.disk.clone());
        let opened = on_runtime(async move { Ok(open(&plan, done).await) }).await?;
        let (disk, mut rows) = opened?;
        if let Some(file) = backup {
            rows = self.take(file, (&disk, rows, &mut events)).await?;
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| AntiphonError::unavailable("secret/failed"))?;
        let wishes = self.wishes().clone();
        let given = self.given.load(Ordering::Relaxed);
        let sharing = Sharing::new(wishes.terms.into(), wishes.around.into(), given);
        let client = Client::new(self.plan.config(sharing.policy()), seed);
        let web = Web::new().map_err(|_| AntiphonError::unavailable("node/unreachable"))?;
        let errands = Errands::new(self.plan.node.clone(), web, &tellers);
        let means = Means {
            links: self.plan.ways.links(tellers.links.clone()),
            socket: Socket::new(tellers.socket.clone(), self.plan.token.clone()),
            disk,
            errands: errands.with_tower(self.plan.tower.clone()),
        };
        let desk = Desk::new(client, wishes.stream.map(Tuner::new), means);
        let giving = Giving::new(sharing, self.given.clone());
        let secretary = Secretary::new(self.plan.chain, self.ears.clone(), giving);
        let (sender, requests) = mpsc::channel(MAX_WAITING);
        if let Some(room) = wishes.room {
            let (reply, _) = oneshot::channel();
            // It is served once the client runs; there is room for one.
            let _ = sender.try_send(Request::Command(enter(Some(&room))?, reply));
        }
        *self.door() = Door::Open(sender);
        Ok(Ready { host: Host::new(desk, secretary), events, rows, requests })
    }

    /// Runs a client, and another after it if it crashes, until it is stopped.
    async fn supervise(self: Arc<Self>, first: Ready, mut stop: oneshot::Receiver<()>) {
        let mut ready = first;
        for crash in 1..=MAX_CRASHES {
            let (end, at_end) = oneshot::channel();
            let task = tokio::spawn(run(ready, at_end));
            tokio::pin!(task);
            let outcome = tokio::select! {
                outcome = &mut task => outcome,
                _ = &mut stop => {
                    let _ = end.send(());
                    drop(task.await);
                    return;
                }
            };
            match outcome {
                Ok(Ok(())) => return,
                Ok(Err(_)) => return self.end("storage/write-failed"),
                Err(_) if crash == MAX_CRASHES => return self.end("client/gave-up"),
                Err(_) => {}
            }
            let code = String::from("client/panicked");
            self.ears.events.tell(AntiphonEvent::Restarted { code });
            match self.prepare(None).await {
                Ok(again) => ready = again,
                Err(_) => return self.end("storage/not-opened"),
            }
        }
    }

    fn end(&self, code: &'static str) {
        *self.door() = Door::Closed(code);
        self.ears.events.tell(AntiphonEvent::Fatal { code: code.to_owned() });
        self.ears.events.end();
    }
}

/// Ends what runs a client.
async fn halt(watch: &mut Option<Watch>) {
    if let Some(Watch { stop, done }) = watch.take() {
        // It may have ended by itself.
        let _ = stop.send(());
        let _ = done.await;
    }
}

/// Runs a client until it is told to end; then lets go of sockets and file.
async fn run(ready: Ready, stop: oneshot::Receiver<()>) -> Result<(), DiskError> {
    let Ready { mut host, mut events, rows, mut requests } = ready;
    let stop = async {
        if stop.await.is_err() {
            // Who could say it is gone, and with it the reason to end.
            core::future::pending::<()>().await;
        }
    };
    let outcome = host.run(rows, &mut events, &mut requests, stop).await;
    let links = host.into_parts().0.ended();
    // What they tell is taken from them while they end: none may wait for it.
    let last = async {
        tokio::select! { () = links => {}, () = async { while events.discard().await {} } => {} }
    };
    // Who has not said goodbye by then is heard no more anyway.
    let _ = timeout(LAST_LINKS, last).await;
    events.written_out().await;
    outcome
}

/// Opens the file of rows, on a thread that may wait.
async fn open(
    plan: &Plan,
    done: mpsc::Sender<antiphon_host::disk::Written>,
) -> Result<(Disk, Vec<Row>), AntiphonError> {
    let mut tries = 0;
    loop {
        let (folder, chain, done) = (plan.folder.clone(), plan.chain, done.clone());
        let opening = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&folder)?;
            Disk::open(&folder.join(ROWS), chain, done)
        });
        match opening.await {
            Ok(Ok(opened)) => return Ok(opened),
            // A client that crashed lets it go when its last write is done.
            Ok(Err(error)) if is_in_use(&error) && tries < MAX_TRIES => sleep(PAUSE).await,
            Ok(Err(error)) if is_in_use(&error) => {
                return Err(AntiphonError::unavailable("storage/in-use"));
            }
            _ => return Err(AntiphonError::unavailable("storage/not-opened")),
        }
        tries += 1;
    }
}

fn enter(room: Option<&str>) -> Result<Command, AntiphonError> {
    let Some(name) = room else { return Ok(Command::Exit) };
    name.try_into().map(Command::Enter).map_err(|_| AntiphonError::invalid("name"))
}

#[cfg(test)]
mod tests;
