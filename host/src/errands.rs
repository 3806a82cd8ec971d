//! What is fetched and asked over HTTP: each in a task of its own, told once, unless it is called back.

use crate::{
    events::{Done, Tellers},
    remote::{NoAnswer, RemoteNode},
    tuner,
    web::{self, Web},
};
use antiphon_core::{
    client::{AskId, HttpAnswer, HttpOrder, Input, Query, RequestId},
    delivery::playlist::MAX_PLAYLIST_BYTES,
};
use std::collections::BTreeMap;
use tokio::{sync::mpsc, task::AbortHandle};

/// Goes to origins and to the chain's node.
#[derive(Debug)]
pub struct Errands {
    node: RemoteNode,
    /// A watch-tower, if there is one.
    tower: Option<RemoteNode>,
    web: Web,
    done: mpsc::Sender<Done>,
    /// Those that can be called back.
    requests: BTreeMap<RequestId, AbortHandle>,
}

impl Errands {
    /// Makes what goes to this node, and to any origin.
    pub fn new(node: RemoteNode, web: Web, tellers: &Tellers) -> Self {
        let done = tellers.errands.clone();
        Self { node, tower: None, web, done, requests: BTreeMap::new() }
    }

    /// Tells states of payment fields to this watch-tower.
    #[must_use]
    pub fn with_tower(mut self, tower: Option<RemoteNode>) -> Self {
        self.tower = tower;
        self
    }

    pub(crate) fn fetch(&mut self, id: RequestId, order: HttpOrder) {
        let (web, done) = (self.web.clone(), self.done.clone());
        let request = tokio::spawn(async move {
            let input = match fetch(&web, &order).await {
                Ok(answer) => Input::HttpDone(id, answer),
                Err(error) => {
                    tracing::debug!("{}: {error:#}", order.url);
                    Input::HttpFailed(id)
                }
            };
            tell(&done, Done::Client(input)).await;
        });
        self.requests.insert(id, request.abort_handle());
    }

    pub(crate) fn cancel(&mut self, id: RequestId) {
        if let Some(request) = self.requests.remove(&id) {
            request.abort();
        }
    }

    pub(crate) fn cancel_all(&mut self) {
        for (_, request) in core::mem::take(&mut self.requests) {
            request.abort();
        }
    }

    /// Forgets what is done.
    pub(crate) fn note(&mut self, input: &Input) {
        if let Input::HttpDone(id, _) | Input::HttpFailed(id) = input {
            self.requests.remove(id);
        }
    }

    pub(crate) fn ask(&self, id: AskId, query: Query) {
        // The client asks a tower only if it was told that there is one.
        let tower = self.tower.as_ref().filter(|_| matches!(query, Query::Watch(_)));
        let (node, done) = (tower.unwrap_or(&self.node).clone(), self.done.clone());
        tokio::spawn(async move {
            let input = match node.ask(&query).await {
                Ok(bytes) => Input::Answered(id, bytes),
                Err(NoAnswer::Refused(code, _)) => Input::Refused(id, code),
                Err(NoAnswer::Unreachable(_)) => Input::Unreachable(id),
            };
            tell(&done, Done::Client(input)).await;
        });
    }

    pub(crate) fn load(&self, url: String) {
        let (web, done) = (self.web.clone(), self.done.clone());
        tokio::spawn(async move {
            let input = match load(&web, &url).await {
                Ok((from, text)) => tuner::Input::Loaded(from, text),
                Err(error) => {
                    tracing::warn!("the playlist: {error:#}");
                    tuner::Input::Failed
                }
            };
            tell(&done, Done::Tuner(input)).await;
        });
    }
}

async fn tell(done: &mpsc::Sender<Done>, what: Done) {
    // Nobody listens any more when the process ends.
    let _ = done.send(what).await;
}

async fn fetch(web: &Web, order: &HttpOrder) -> anyhow::Result<HttpAnswer> {
    let url = web::parse(&order.url, order.base.as_deref())?;
    let answer = web.get(url, order.range, order.max_bytes).await?;
    Ok(HttpAnswer { status: answer.status, body: answer.body })
}

async fn load(web: &Web, url: &str) -> anyhow::Result<(String, String)> {
    let max = u64::try_from(MAX_PLAYLIST_BYTES).unwrap_or(u64::MAX);
    let answer = web.get(web::parse(url, None)?, None, max).await?;
    anyhow::ensure!(answer.status == 200, "{url} answers {}", answer.status);
    Ok((answer.url, String::from_utf8(answer.body)?))
}
