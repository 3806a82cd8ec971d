//! The root machine that a page, a phone or a test drives: routes inputs to the machines below and lifts their
//! outputs. It decides nothing itself.
//!
//! The border is push style: one [`Input`] in, an ordered list of [`Output`]s back, and one question,
//! "when must I tick?". What an application sees is a [`Snapshot`].

mod input;
mod output;
mod snapshot;

pub use input::{Command, HttpAnswer, Input, UploadPolicy, Wanted};
pub use output::{AskId, HttpOrder, Notice, Output, Query, RequestId, StoreToken, WantId};
pub use snapshot::{
    AccountView, ChainView, DeliveryView, Leveled, PeerView, PoolView, Problem, SettlementView,
    Snapshot, Status, StreamView, WalletView,
};
