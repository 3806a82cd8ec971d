//! Keeps so many transfers on their way, a thread for each node, and reads from the first node's disk what became of them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_core::chain::transaction::decode_transaction;
use antiphon_core::id::Height;
use antiphon_node::shell::driver::Handle;
use antiphon_node::storage::Storage as _;
use anyhow::{Context as _, Result};

use crate::count::{Figures, Flight, resident, used_by, written};
use crate::network::{Network, THREADS};
use crate::settle::{Options, WARM_UP};
use crate::transfer::{Reference, Sender, senders};

/// Transfers handed to a node at once.
const HANDFUL: usize = 32;
/// What is not settled after this long was lost.
const LOST: Duration = Duration::from_secs(30);
/// Between two looks at the disk.
const PAUSE: Duration = Duration::from_millis(5);

/// What the threads share.
struct Shared<'a> {
    network: &'a Network,
    outstanding: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    flight: Flight,
    reference: Reference,
    is_over: bool,
}

impl Shared<'_> {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs the load and returns the figures after the warm-up.
pub(crate) fn run(options: &Options, network: &Network) -> Result<Figures> {
    let shared =
        Shared { network, outstanding: options.outstanding, state: Mutex::new(State::default()) };
    let mut queues: Vec<VecDeque<Sender<'_>>> = Vec::new();
    queues.resize_with(network.handles.len(), VecDeque::new);
    for (number, sender) in senders(network).into_iter().enumerate() {
        let place = number % network.handles.len();
        queues.get_mut(place).context("a queue for each node")?.push_back(sender);
    }
    let genesis = network.store.settled(Height(0))?.context("a chain has a genesis")?.id;
    shared.with(|state| state.reference.block = genesis);
    thread::scope(|scope| {
        for (node, queue) in network.handles.iter().zip(queues) {
            let shared = &shared;
            scope.spawn(move || {
                if let Err(error) = feed(shared, node, queue) {
                    eprintln!("a loader has ended: {error:#}");
                }
            });
        }
        let figures = watch(options, &shared);
        shared.with(|state| state.is_over = true);
        figures
    })
}

/// Hands transfers to one node for as long as there is room on the way.
fn feed(shared: &Shared<'_>, node: &Handle, mut senders: VecDeque<Sender<'_>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let chain = shared.network.chain;
    loop {
        let (is_over, count, reference) =
            shared.with(|state| (state.is_over, state.flight.len(), state.reference));
        if is_over {
            return Ok(());
        }
        if count >= shared.outstanding {
            thread::sleep(PAUSE);
            continue;
        }
        let mut txs = Vec::with_capacity(HANDFUL);
        for _ in 0..HANDFUL.min(senders.len()) {
            let Some(mut sender) = senders.pop_front() else { break };
            txs.push(sender.next(chain, reference)?);
            senders.push_back(sender);
        }
        let ids: Vec<_> = txs.iter().map(|tx| tx.body.id(chain)).collect();
        shared.with(|state| ids.into_iter().for_each(|id| state.flight.send(id)));
        let submit = node.call(move |node, out| {
            txs.into_iter().filter_map(|tx| node.submit(tx, out).err()).next()
        });
        if let Some(error) = runtime.block_on(submit)? {
            eprintln!("refused: {error}");
        }
    }
}

/// Follows the chain on the first node's disk until the time is over.
fn watch(options: &Options, shared: &Shared<'_>) -> Result<Figures> {
    let mut figures = Figures::default();
    let (began, mut told, mut head) = (Instant::now(), Instant::now(), Height(0));
    let mut before = None;
    while began.elapsed() < WARM_UP + Duration::from_secs(options.seconds) {
        let measured = began.elapsed() >= WARM_UP;
        if measured && before.is_none() {
            before = Some((used_by(THREADS), written()));
        }
        head = read_blocks(shared, head, measured.then_some(&mut figures))?;
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            figures.resident.push(resident());
            let (count, lost) =
                shared.with(|state| (state.flight.len(), state.flight.forget_older(LOST)));
            eprintln!("{} settled, {count} on their way, {lost} lost", figures.settled);
        }
        thread::sleep(PAUSE);
    }
    figures.seconds = (began.elapsed() - WARM_UP).as_secs_f64();
    let ((before, written_before), after) = (before.unwrap_or_default(), used_by(THREADS));
    (figures.nodes, figures.load) = (after.0 - before.0, after.1 - before.1);
    figures.written = written() - written_before;
    Ok(figures)
}

/// Reads what was settled and finalised since, and returns the new head.
fn read_blocks(
    shared: &Shared<'_>,
    mut head: Height,
    mut figures: Option<&mut Figures>,
) -> Result<Height> {
    let Network { spec, chain, store, .. } = shared.network;
    while let Some(settled) = store.settled(Height(head.0 + 1))? {
        head = Height(head.0 + 1);
        let decoded = settled.block.body.iter().filter_map(|bytes| decode_transaction(bytes).ok());
        let ids: Vec<_> = decoded.map(|tx| tx.body.id(*chain)).collect();
        let times: Vec<_> = shared.with(|state| {
            state.reference = Reference { height: head, block: settled.id };
            ids.iter().filter_map(|id| state.flight.settle(id, head)).collect()
        });
        if let Some(figures) = figures.as_deref_mut() {
            figures.settled += times.len();
            times.into_iter().for_each(|time| figures.to_settled.add(time));
        }
    }
    let newest = head.0 - head.0 % spec.checkpoint_interval;
    for height in [newest, newest.saturating_sub(spec.checkpoint_interval)] {
        if height > 0 && store.certificate(Height(height))?.is_some() {
            let times = shared.with(|state| state.flight.finalise(Height(height)));
            if let Some(figures) = figures {
                times.into_iter().for_each(|time| figures.to_final.add(time));
            }
            break;
        }
    }
    Ok(head)
}
