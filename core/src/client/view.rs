//! Gathers what an application sees.

use super::{
    AccountView, BanView, ChainView, Client, DeliveryView, FieldProven, FieldShow, FieldView,
    HeadView, Leveled, LockedView, PayerView, PeerView, PoolView, Problem, SentView,
    SettlementView, Snapshot, SpecView, Status, StreamView, WalletView,
};
use crate::{
    amount::Amount,
    chain::{
        Level,
        light::Head,
        spec::{ChainSpec, Token},
        state::Account,
    },
    id::{Address, Height, PoolId},
    payment::{
        payee::BookView,
        payer::Freeze,
        reservation::{PoolState, PoolStatus},
    },
    peer::swarm::Banned,
    time::millis,
    wallet::book::{PoolProof, Sent, Shown},
};
use alloc::{string::ToString, vec::Vec};

/// Code of the problem that the node cannot be reached.
pub(super) const NODE_DOWN: &str = "node/unreachable";
/// Code of the problem that the tracker cannot be reached.
pub(super) const TRACKER_DOWN: &str = "tracker/unreachable";

/// Bans that a snapshot names. Chosen here: more than a person reads.
pub const MAX_BANS_SHOWN: usize = 32;

impl Client {
    /// Returns everything that an application may show, at this moment.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            stream: self.stream_view(),
            chain: self.chain_view(),
            delivery: self.delivery_view(),
            peers: self.peer_views(),
            bans: self.ban_views(),
            around: self.around(),
            fields: self.field_views(),
            gifts: self.gift_views(),
            wallet: self.wallet_view(),
            problems: self.problems(),
        }
    }

    /// Returns this client's address, once its wallet is read.
    pub(super) fn address(&self) -> Option<Address> {
        Some(self.purse.as_ref()?.book.address())
    }

    /// Returns what this key owns as the newest settled head shows it, and that head's height.
    pub(super) fn settled_account(&self) -> Option<(Height, &Account)> {
        let shown = self.purse.as_ref()?.book.account(Level::Settled)?;
        Some((shown.height, &shown.value))
    }

    /// Returns the file that proves that the chain has split, once a witness has shown it.
    pub fn fork_proof(&self) -> Option<Vec<u8>> {
        self.light.fork().map(|proof| proof.to_bytes())
    }

    fn stream_view(&self) -> Option<StreamView> {
        self.stream.as_ref().map(|stream| StreamView {
            name: stream.info.name.as_str().to_string(),
            publisher: stream.info.publisher.to_string(),
            publisher_address: Address::of(&stream.signer),
            is_pinned: self.config.publisher.is_some(),
            price: stream.info.price,
            newest: stream.newest,
        })
    }

    fn chain_view(&self) -> ChainView {
        let head = |level| self.light.head(level);
        let height = |level| head(level).map_or(Height(0), |head| head.header.height);
        ChainView {
            id: self.config.chain.0.to_hex(),
            node: self.node,
            included: height(Level::Included),
            settled: height(Level::Settled),
            final_height: height(Level::Final),
            final_block: head(Level::Final).map_or_else(Default::default, |h| h.block.0.to_hex()),
            signers: self.light.signers(),
            time: head(Level::Settled).map_or(0, |head| head.header.time.0),
            age: head(Level::Settled).map_or(0, |head| head.age(self.clock)),
            final_age: head(Level::Final).map(|head| head.age(self.clock)),
            standing: self.light.standing(),
            witnesses: self.config.light().witnesses,
            witnessed: self.light.witnessed(),
            is_alarmed: self.light.is_alarmed(),
            heads: self.head_views(),
            spec: self.light.spec().map(spec_view),
        }
    }

    fn head_views(&self) -> Vec<HeadView> {
        let exactly = |level: &Level| self.light.head(*level).filter(|head| head.level == *level);
        let view = |head: Head| HeadView {
            level: head.level,
            height: head.header.height,
            block: head.block,
            root: head.header.state_root,
            time: head.header.time.0,
            age: head.age(self.clock),
            is_witnessed: self.light.is_witnessed(head.header.height),
        };
        Level::ALL.iter().rev().filter_map(exactly).map(view).collect()
    }

    fn delivery_view(&self) -> DeliveryView {
        let Some(stream) = &self.stream else {
            return DeliveryView { tracker: self.tracker, ..DeliveryView::default() };
        };
        let (fetched, served) = (stream.fetch.stats(), stream.serve.stats());
        DeliveryView {
            tracker: self.tracker,
            from_peers: fetched.from_peers,
            from_origin: fetched.from_origin.saturating_add(stream.checked),
            to_peers: served.bytes,
            chunks_served: served.chunks,
            late: fetched.late,
            hedged: fetched.hedged,
            bad: fetched.bad,
            cached: stream.fetch.cache().used() as u64,
            delivered: fetched.delivered,
        }
    }

    fn peer_views(&self) -> Vec<PeerView> {
        let payee = self.purse.as_ref().and_then(|purse| purse.payee.as_ref());
        let fetch = self.stream.as_ref().map(|stream| &stream.fetch);
        let view = |(id, peer): (&crate::id::PeerId, &super::Peer)| PeerView {
            peer: *id,
            received: peer.received,
            sent: peer.sent,
            paid: peer.paid,
            earned: payee.map_or(Amount::ZERO, |payee| payee.balance(*id).0),
            latency: fetch.and_then(|fetch| fetch.latency(id)).map(millis),
        };
        self.peers.iter().map(view).collect()
    }

    fn ban_views(&self) -> Vec<BanView> {
        let bans = self.swarm.iter().flat_map(|swarm| swarm.bans(self.last));
        let view =
            |Banned { peer, code, times, left }| BanView { peer, code, times, left: millis(left) };
        bans.take(MAX_BANS_SHOWN).map(view).collect()
    }

    fn field_views(&self) -> Vec<FieldShow> {
        let Some(purse) = &self.purse else { return Vec::new() };
        let show = |view: FieldView| {
            let shown = purse.book.field(&view.id, Level::Included);
            let terms = purse.fields.terms(view.id);
            FieldShow {
                is_leader: view.leader == purse.book.address(),
                deposits: terms.iter().flat_map(|t| t.members.iter().map(|m| m.deposit)).collect(),
                proven: shown.filter(|shown| shown.state.is_some()).map(|shown| FieldProven {
                    level: shown.level,
                    height: shown.height,
                    root: shown.root,
                }),
                watched: self.telling.held(&view.id).map(|(_, round)| round),
                view,
            }
        };
        purse.fields.view().into_iter().map(show).collect()
    }

    fn wallet_view(&self) -> WalletView {
        let Some(purse) = &self.purse else { return WalletView::default() };
        let held: Vec<_> = purse.payee.iter().flat_map(|payee| payee.view()).collect();
        let owed = purse.payer.pools().map(|(id, _)| purse.payer.owed(id));
        WalletView {
            address: Some(purse.book.address()),
            account: purse.book.account(Level::Included).map(|newest| AccountView {
                balance: self.operational(newest),
                final_balance: purse
                    .book
                    .account(Level::Final)
                    .map(|shown| self.operational(shown)),
                sequences: Level::ALL.map(|level| {
                    let shown = purse.book.account(level)?;
                    Some((shown.height, shown.value.sequence))
                }),
            }),
            pool: self.pool_view(),
            vouchers_out: owed.sum(),
            vouchers_in: held.iter().map(|book| book.held).sum(),
            payers: held.into_iter().filter(|book| !book.exposure.is_zero()).map(payer).collect(),
            settlements: purse.book.settlements().iter().map(settlement).collect(),
            sent: purse.book.sent().map(sent).collect(),
            locked: self.locked_views(),
        }
    }

    fn locked_views(&self) -> Vec<LockedView> {
        let (Some(purse), Some(spec)) = (&self.purse, self.light.spec()) else { return Vec::new() };
        let view = |(pool, freeze): (PoolId, Option<Freeze>)| {
            let state = purse.payer.proven(pool);
            let is_lost = |state: &&PoolState| matches!(state.status, PoolStatus::Insolvent(_));
            LockedView {
                pool,
                held: state.map(PoolState::held),
                owed: purse.payer.owed(pool),
                back: state.filter(|s| !is_lost(s)).map(|s| s.end_height.plus(spec.pool.freeze)),
                freeze: freeze.map(|freeze| freeze.code()),
            }
        };
        purse.payer.pools().map(view).collect()
    }

    /// The pool that pays, or the newest that will.
    fn pool_view(&self) -> Option<PoolView> {
        let (purse, stream) = (self.purse.as_ref()?, self.stream.as_ref()?);
        let ours = purse.payer.pools().filter_map(|(id, _)| {
            let (terms, _) = purse.payer.pool(id)?;
            (terms.resource == stream.id).then_some((terms.end_height, id))
        });
        let id = self.paying_pool().or_else(|| ours.max().map(|(_, id)| id))?;
        let (terms, _) = purse.payer.pool(id)?;
        let proof = purse.book.pool(id, Level::Settled);
        let deposit = proof.and_then(|proof| {
            let PoolProof { level, height, root, time, .. } = *proof;
            let shown = |value| self.leveled(&Shown { value, level, height, root, time });
            proof.state.as_ref().map(|state| shown(state.deposit))
        });
        let promised = purse.payer.agreed(id);
        let refusal = purse.payer.refusal(id);
        Some(PoolView { pool: id, deposit, refusal, promised, end: terms.end_height })
    }

    fn operational(&self, shown: &Shown<Account>) -> Leveled<Amount> {
        let Shown { level, height, root, time, .. } = *shown;
        let value = shown.value.balance(Token::Operational);
        self.leveled(&Shown { value, level, height, root, time })
    }

    fn leveled(&self, shown: &Shown<Amount>) -> Leveled<Amount> {
        Leveled {
            value: shown.value,
            level: shown.level,
            height: shown.height,
            root: shown.root,
            age: self.clock.since(shown.time),
            is_witnessed: self.light.is_witnessed(shown.height),
        }
    }

    /// What is unreachable now, then what was refused so far.
    fn problems(&self) -> Vec<Problem> {
        let down = [(self.node, NODE_DOWN), (self.tracker, TRACKER_DOWN)];
        let lost = down.into_iter().filter(|(status, _)| *status == Status::Down);
        let refused = self.troubles.iter().map(|(code, count)| Problem { code, count: *count });
        lost.map(|(_, code)| Problem { code, count: 1 }).chain(refused).collect()
    }
}

fn payer(book: BookView) -> PayerView {
    PayerView {
        pool: book.pool,
        exposure: book.exposure,
        max_exposure: book.max_exposure,
        cost: book.proven.map(|proven| proven.cost),
        cover: book.proven.map(|proven| proven.cover),
        is_insolvent: book.is_insolvent,
    }
}

fn settlement(settlement: &crate::wallet::book::Settlement) -> SettlementView {
    SettlementView {
        pool: settlement.pool,
        promised: settlement.cum,
        amount: settlement.gain,
        level: settlement.level,
        height: settlement.height,
        root: settlement.root,
    }
}

fn sent((sent, level): (&Sent, Option<Level>)) -> SentView {
    let Sent { token, to, amount, id, refusal, .. } = *sent;
    SentView { token, to, amount, id, level, refusal }
}

fn spec_view(spec: &ChainSpec) -> SpecView {
    SpecView {
        name: spec.name.as_str().to_string(),
        block_ms: spec.block_ms,
        interval: spec.checkpoint_interval,
        fee: spec.fee,
        unbonding: spec.stake.as_ref().map(|rules| rules.unbond),
    }
}
