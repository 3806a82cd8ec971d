//! What a listener gives away, as applications see it: the terms, how the device is, what was given (`core::delivery::sharing`).

use antiphon_core::delivery::sharing;

/// What a device gives away. By default all that peers ask for, but not where the network counts bytes or power is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct UploadTerms {
    /// Whether anything is given.
    #[uniffi(default = true)]
    pub is_enabled: bool,
    /// Bytes a second at most.
    #[uniffi(default = None)]
    pub rate: Option<u64>,
    /// Bytes at most from `connect` until the client is closed, over sleeps.
    #[uniffi(default = None)]
    pub total: Option<u64>,
    /// Bytes at most in one month of the calendar (UTC), counted in the client's folder, over restarts and crashes.
    #[uniffi(default = None)]
    pub monthly: Option<u64>,
    /// Whether to give where the network counts bytes.
    #[uniffi(default = false)]
    pub on_metered: bool,
    /// Whether to give while the device saves power.
    #[uniffi(default = false)]
    pub while_saving_power: bool,
}

impl Default for UploadTerms {
    fn default() -> Self {
        let sharing::Terms { is_enabled, rate, total, monthly, on_metered, while_saving_power } =
            sharing::Terms::default();
        Self { is_enabled, rate, total, monthly, on_metered, while_saving_power }
    }
}

impl From<UploadTerms> for sharing::Terms {
    fn from(terms: UploadTerms) -> Self {
        let UploadTerms { is_enabled, rate, total, monthly, on_metered, while_saving_power } =
            terms;
        Self { is_enabled, rate, total, monthly, on_metered, while_saving_power }
    }
}

/// How the device is at the moment; its own languages know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Surroundings {
    /// The network counts bytes.
    #[uniffi(default = false)]
    pub is_metered: bool,
    /// The device saves power.
    #[uniffi(default = false)]
    pub is_saving_power: bool,
}

impl From<Surroundings> for sharing::Surroundings {
    fn from(around: Surroundings) -> Self {
        let Surroundings { is_metered, is_saving_power } = around;
        Self { is_metered, is_saving_power }
    }
}

/// Why a listener gives, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SharingReason {
    /// It was agreed to.
    Agreed,
    /// It was not agreed to.
    Declined,
    /// The network counts bytes.
    Metered,
    /// The device saves power.
    SavingPower,
    /// A cap is reached.
    Spent,
}

impl From<sharing::Reason> for SharingReason {
    fn from(reason: sharing::Reason) -> Self {
        match reason {
            sharing::Reason::Agreed => Self::Agreed,
            sharing::Reason::Declined => Self::Declined,
            sharing::Reason::Metered => Self::Metered,
            sharing::Reason::SavingPower => Self::SavingPower,
            sharing::Reason::Spent => Self::Spent,
        }
    }
}

/// What is given, as of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SharingView {
    /// Whether anything is given.
    pub is_on: bool,
    /// Why, or why not.
    pub why: SharingReason,
    /// Bytes served since `connect`, over sleeps; after a crash those that may have been served.
    pub session_bytes: u64,
    /// Bytes served in this month from this folder; after a crash those that may have been served.
    pub month_bytes: u64,
    /// The month's cap in bytes.
    pub monthly: Option<u64>,
}

impl From<sharing::View> for SharingView {
    fn from(view: sharing::View) -> Self {
        let sharing::View { is_on, why, session_bytes, month_bytes, monthly } = view;
        Self { is_on, why: why.into(), session_bytes, month_bytes, monthly }
    }
}
