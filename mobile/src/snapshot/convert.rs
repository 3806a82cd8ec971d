//! From what the client shows to what an application sees.

use super::*;
use crate::secretary::Shown;
use antiphon_core::{chain, chain::light, client as core};

impl From<chain::Level> for Level {
    fn from(level: chain::Level) -> Self {
        match level {
            chain::Level::Included => Self::Included,
            chain::Level::Settled => Self::Settled,
            chain::Level::Final => Self::Final,
        }
    }
}

impl From<Level> for chain::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Included => Self::Included,
            Level::Settled => Self::Settled,
            Level::Final => Self::Final,
        }
    }
}

impl From<core::Status> for Status {
    fn from(status: core::Status) -> Self {
        match status {
            core::Status::Idle => Self::Idle,
            core::Status::Connecting => Self::Connecting,
            core::Status::Up => Self::Up,
            core::Status::Down => Self::Down,
        }
    }
}

impl From<light::Standing> for Standing {
    fn from(standing: light::Standing) -> Self {
        match standing {
            light::Standing::Good => Self::Good,
            light::Standing::Expired => Self::Expired,
            light::Standing::Split => Self::Split,
        }
    }
}

impl From<&Shown> for Snapshot {
    fn from(Shown { client: shown, sharing }: &Shown) -> Self {
        Self {
            stream: shown.stream.as_ref().map(stream),
            chain: chain(&shown.chain),
            delivery: delivery(&shown.delivery),
            peers: shown.peers.iter().map(peer).collect(),
            bans: shown.bans.iter().map(ban).collect(),
            around: shown.around.iter().map(Around::from).collect(),
            fields: shown.fields.iter().map(FieldView::from).collect(),
            gifts: shown.gifts.iter().map(GiftView::from).collect(),
            wallet: wallet(&shown.wallet),
            problems: shown.problems.iter().map(problem).collect(),
            sharing: *sharing,
        }
    }
}

fn stream(view: &core::StreamView) -> StreamView {
    StreamView {
        name: view.name.clone(),
        publisher: view.publisher.clone(),
        publisher_address: view.publisher_address.into(),
        is_pinned: view.is_pinned,
        price: view.price.into(),
        newest: view.newest,
    }
}

fn chain(view: &core::ChainView) -> ChainView {
    ChainView {
        id: view.id.clone(),
        node: view.node.into(),
        included: view.included.0,
        settled: view.settled.0,
        final_height: view.final_height.0,
        final_block: view.final_block.clone(),
        signers: view.signers.0,
        guardians: view.signers.1,
        time: view.time,
        age_ms: view.age,
        final_age_ms: view.final_age,
        standing: view.standing.into(),
        witnesses: view.witnesses,
        witnessed: view.witnessed.map(|height| height.0),
        is_alarmed: view.is_alarmed,
        heads: view.heads.iter().map(head).collect(),
        spec: view.spec.as_ref().map(spec),
    }
}

fn head(view: &core::HeadView) -> HeadView {
    HeadView {
        level: view.level.into(),
        height: view.height.0,
        block: view.block.0.to_hex(),
        root: view.root.to_hex(),
        time: view.time,
        age_ms: view.age,
        is_witnessed: view.is_witnessed,
    }
}

fn spec(view: &core::SpecView) -> SpecView {
    SpecView {
        name: view.name.clone(),
        block_ms: view.block_ms,
        interval: view.interval,
        fee: view.fee.into(),
        unbonding: view.unbonding,
    }
}

fn delivery(view: &core::DeliveryView) -> DeliveryView {
    DeliveryView {
        tracker: view.tracker.into(),
        from_peers: view.from_peers,
        from_origin: view.from_origin,
        to_peers: view.to_peers,
        chunks_served: view.chunks_served,
        late: view.late,
        hedged: view.hedged,
        bad: view.bad,
        cached: view.cached,
        delivered: view.delivered,
    }
}

fn peer(view: &core::PeerView) -> PeerView {
    PeerView {
        peer: view.peer.0.to_string(),
        received: view.received,
        sent: view.sent,
        paid: view.paid.into(),
        earned: view.earned.into(),
        latency_ms: view.latency,
    }
}

fn ban(view: &core::BanView) -> BanView {
    BanView {
        peer: view.peer.0.to_string(),
        code: view.code.to_owned(),
        times: view.times,
        left_ms: view.left,
    }
}

fn wallet(view: &core::WalletView) -> WalletView {
    WalletView {
        address: view.address.map(Into::into),
        account: view.account.as_ref().map(|account| AccountView {
            balance: leveled(&account.balance),
            final_balance: account.final_balance.as_ref().map(leveled),
        }),
        pool: view.pool.as_ref().map(pool),
        vouchers_out: view.vouchers_out.into(),
        vouchers_in: view.vouchers_in.into(),
        payers: view.payers.iter().map(payer).collect(),
        settlements: view.settlements.iter().map(settlement).collect(),
        locked: view.locked.iter().map(locked).collect(),
    }
}

fn locked(view: &core::LockedView) -> LockedView {
    LockedView {
        pool: view.pool.0.to_hex(),
        held: view.held.map(Into::into),
        owed: view.owed.into(),
        back: view.back.map(|height| height.0),
        freeze: view.freeze.map(str::to_owned),
    }
}

fn pool(view: &core::PoolView) -> PoolView {
    PoolView {
        pool: view.pool.0.to_hex(),
        deposit: view.deposit.as_ref().map(leveled),
        refusal: view.refusal.map(str::to_owned),
        promised: view.promised.into(),
        end: view.end.0,
    }
}

fn payer(view: &core::PayerView) -> PayerView {
    PayerView {
        pool: view.pool.0.to_hex(),
        exposure: view.exposure.into(),
        max_exposure: view.max_exposure.into(),
        cost: view.cost.map(Into::into),
        is_insolvent: view.is_insolvent,
    }
}

fn settlement(view: &core::SettlementView) -> SettlementView {
    SettlementView {
        pool: view.pool.0.to_hex(),
        amount: view.amount.into(),
        level: view.level.map(Into::into),
        height: view.height.map(|height| height.0),
        root: view.root.map(|root| root.to_hex()),
    }
}

fn problem(view: &core::Problem) -> Problem {
    Problem { code: view.code.to_owned(), count: view.count }
}

fn leveled(view: &core::Leveled<antiphon_core::amount::Amount>) -> LeveledAmount {
    LeveledAmount {
        value: view.value.into(),
        level: view.level.into(),
        height: view.height.0,
        root: view.root.to_hex(),
        age_ms: view.age,
        is_witnessed: view.is_witnessed,
    }
}
