//! A proven balance without a page: `light-client NODE CHAIN ADDRESS`.
//!
//! ```text
//! chain id ─hash─> spec ─guardians' signatures─> checkpoint ─state root─> account
//! ```
//!
//! The chain's id is all that is trusted: whatever the node says is checked, and a node that lies is only as good as none.
//! `Light` and `Lookups` decide; this program carries their questions to the node and the answers back.

#![allow(clippy::print_stdout, reason = "a program for a terminal")]

use antiphon_core::{
    chain::{
        Level,
        light::{self, Anchor, File, Light, Skipping, Source, Stored},
        lookup::{self, AccountFound, Found, LookupId, Lookups, ProofId, Question},
        spec::Token,
    },
    crypto::Hash,
    id::{Address, ChainId},
    time::Moment,
    wallet::{address, book::Query},
};
use antiphon_host::{clock, remote::RemoteNode};
use anyhow::{Context as _, bail};
use std::time::{Duration, Instant};
use std::{collections::VecDeque, env};

/// How long the chain may take to prove it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Digits after the point of either token.
const DECIMALS: u8 = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [node, chain, address] = words.as_slice() else { bail!("light-client NODE CHAIN ADDRESS") };
    let chain = Hash::from_hex(chain).map(ChainId).context("CHAIN is 64 hexadecimal digits")?;
    let address = address::parse(address)?;
    let mut client = Client::new(RemoteNode::new(node)?, chain);
    let found = client.balance(address, Level::Final).await?;
    let balance = found.account.balance(Token::Operational).to_decimal(DECIMALS);
    println!("{balance} at block {}, final", found.proven.height.0);
    Ok(())
}

/// What the machines want from the node.
enum Order {
    File(Source, File),
    Fact(LookupId, File),
    Proof(ProofId, Query),
}

struct Client {
    node: RemoteNode,
    light: Light,
    lookups: Lookups,
    orders: VecDeque<Order>,
    began: Instant,
    refused: String,
    found: Option<AccountFound>,
}

impl Client {
    fn new(node: RemoteNode, chain: ChainId) -> Self {
        let (anchor, skipping) = (Anchor::Genesis, Skipping::Off);
        let light = Light::new(light::Config { chain, anchor, skipping, witnesses: 0 });
        let (lookups, orders) = (Lookups::default(), VecDeque::new());
        let refused = String::from("the node does not answer, or keeps another chain");
        let began = Instant::now();
        Self { node, light, lookups, orders, began, refused, found: None }
    }

    /// Returns what the chain is proven to say of an address, under a head believed at least so far.
    async fn balance(&mut self, address: Address, level: Level) -> anyhow::Result<AccountFound> {
        self.follow(light::Input::Loaded(Stored::default()));
        let mut count = 0;
        while self.began.elapsed() < PATIENCE {
            while let Some(order) = self.orders.pop_front() {
                self.ask(order).await;
            }
            if let Some(found) = self.found.take() {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.follow(light::Input::Tick);
            if self.light.head(level).is_some() {
                count += 1;
                let (question, mut out) = (Question::Account(address, level), Vec::new());
                self.lookups.ask(&self.light, LookupId(count), question, &mut out);
                self.lift(out);
            }
        }
        bail!("not proven within {} s: {}", PATIENCE.as_secs(), self.refused)
    }

    async fn ask(&mut self, order: Order) {
        match order {
            Order::File(from, file) => match self.node.file(&file).await.ok().flatten() {
                Some(bytes) => self.follow(light::Input::Fetched(from, file, bytes)),
                None => self.follow(light::Input::Missing(from, file)),
            },
            Order::Fact(id, file) => {
                let bytes = self.node.file(&file).await.ok().flatten();
                self.look(lookup::Input::File(id, file, bytes));
            }
            Order::Proof(id, query) => match self.node.ask(&query).await {
                Ok(bytes) => self.look(lookup::Input::Answered(id, bytes)),
                Err(_) => self.look(lookup::Input::Unanswered(id)),
            },
        }
    }

    fn follow(&mut self, input: light::Input) {
        let (now, mut out) = (Moment::ZERO.after(self.began.elapsed()), Vec::new());
        self.light.handle(now, clock::now(), input, &mut out);
        for output in out {
            match output {
                light::Output::Fetch(from, file) => self.orders.push_back(Order::File(from, file)),
                light::Output::Refused(error) => self.refused = error.to_string(),
                // One answer is wanted: nothing is kept for another start.
                light::Output::Keep(_) | light::Output::KeepFork(_) => {}
                light::Output::Advanced | light::Output::Alarm => {}
            }
        }
    }

    fn look(&mut self, input: lookup::Input) {
        let mut out = Vec::new();
        self.lookups.handle(&self.light, input, &mut out);
        self.lift(out);
    }

    fn lift(&mut self, outputs: Vec<lookup::Output>) {
        for output in outputs {
            match output {
                lookup::Output::Fetch(id, file) => self.orders.push_back(Order::Fact(id, file)),
                lookup::Output::Ask(id, query) => self.orders.push_back(Order::Proof(id, query)),
                lookup::Output::Found(_, found) => {
                    if let Found::Account(found) = *found {
                        self.found = Some(*found);
                    }
                }
                lookup::Output::Lost(_, error) => self.refused = error.to_string(),
            }
        }
    }
}
