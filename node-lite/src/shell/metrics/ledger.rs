//! What every `/metrics` is made of: counts that are registered where they are made.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    registry::{Metric, Registry, Unit},
};

/// Why something happened, by its stable code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(in crate::shell) struct Reason {
    pub(in crate::shell) reason: &'static str,
}

/// Makes counts and registers them.
#[derive(Debug)]
pub(in crate::shell) struct Ledger(Registry);

impl Ledger {
    /// Makes a ledger of counts whose names begin with `prefix`.
    pub(in crate::shell) fn new(prefix: &str) -> Self {
        Self(Registry::with_prefix(prefix))
    }

    /// Makes a count of things.
    pub(in crate::shell) fn count<M>(&mut self, name: &str, help: &str) -> M
    where
        M: Metric + Clone + Default,
    {
        let metric = M::default();
        self.0.register(name, help, metric.clone());
        metric
    }

    /// Makes a count of bytes.
    pub(in crate::shell) fn bytes<M>(&mut self, name: &str, help: &str) -> M
    where
        M: Metric + Clone + Default,
    {
        self.measure(name, help, Unit::Bytes, M::default)
    }

    /// Makes what is measured in `unit`.
    pub(in crate::shell) fn measure<M>(
        &mut self,
        name: &str,
        help: &str,
        unit: Unit,
        make: impl FnOnce() -> M,
    ) -> M
    where
        M: Metric + Clone,
    {
        let metric = make();
        self.0.register_with_unit(name, help, unit, metric.clone());
        metric
    }

    /// Returns all that was made, to be read.
    pub(in crate::shell) fn close(self) -> Registry {
        self.0
    }
}

/// Answers with all that a registry holds, as OpenMetrics 1.0 text.
pub(in crate::shell) fn openmetrics(registry: &Registry) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let mut text = String::new();
    match text::encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
