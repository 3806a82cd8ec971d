//! The client of Antiphon for phones and other languages: `antiphon_core::client`, kept by `antiphon_host`, behind uniffi.
//!
//! ```text
//! Kotlin, Swift, Python --calls--> Antiphon --> session --> host: client, tuner --orders--> sockets, file, data channels
//!                       <--events-- EventStream, MoneyStream <-- secretary, journal
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | `client`, `options` | what an application calls |
//! | `wallet`, `sign_in`, `safety` | words, accounts, and where they are kept; signing in at web sites; comparing keys |
//! | `falcon` | accounts of Falcon keys |
//! | `snapshot`, `field`, `found`, `event`, `call` | what it sees |
//! | `error`, `text` | errors, amounts, addresses |
//! | `sharing` | what a listener gives away, as applications see it |
//! | `session`, `runtime`, `ways` | a client's life: sleep, crash, end; the threads under it; data channels |
//! | `secretary` | what moves money, once by its key and written before it leaves (`core::client::journal`) |
//!
//! It converts and forwards; it holds no rule of the protocol. Whatever thread an application calls from, everything runs on
//! threads of this library, and a panic is an error of one call or a restart of the client.

mod call;
mod client;
mod error;
mod event;
mod falcon;
mod field;
mod found;
mod options;
mod runtime;
mod safety;
mod secretary;
mod session;
mod sharing;
mod sign_in;
mod snapshot;
mod text;
mod wallet;
mod ways;

pub use call::{CallKind, CallStage, CallView, MoneyEvent};
pub use client::{Antiphon, Media, MoneyStream, Token, connect};
pub use error::AntiphonError;
pub use event::{AntiphonEvent, EventStream};
pub use falcon::FalconAccount;
pub use field::{
    Around, FieldMember, FieldPayment, FieldPhase, FieldView, GiftStage, GiftView, PaymentStanding,
    RoundStep,
};
pub use found::{AccountFound, Exhibit, OwnPools, Proven};
pub use options::{ConnectOptions, IceServer};
pub use safety::{check_safety_code, safety_code, safety_number};
pub use sharing::{SharingReason, SharingView, Surroundings, UploadTerms};
pub use sign_in::SignedIn;
pub use snapshot::{
    AccountView, BanView, ChainView, DeliveryView, HeadView, Level, LeveledAmount, LockedView,
    PayerView, PeerView, PoolView, Problem, SettlementView, Snapshot, SpecView, Standing, Status,
    StreamView, WalletView,
};
pub use text::{Address, Amount, format_amount, help_for, parse_amount};
pub use wallet::{Account, SecretStore, Words};

uniffi::setup_scaffolding!("antiphon");
