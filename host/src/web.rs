//! Asks HTTP servers, as `fetch` does for a page: bounded in time and size, `https://` by the certificates of this machine.

use anyhow::{Context as _, ensure};
use reqwest::{
    Client, RequestBuilder, Response, Url,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, RANGE},
    redirect::Policy,
};
use rustls::crypto::ring;
use std::time::Duration;

/// How long one request may take, as in a page: longer than any segment's deadline.
const PATIENCE: Duration = Duration::from_secs(15);
/// Redirects that are followed. Chosen here: a delivery network needs one or two.
const MAX_REDIRECTS: usize = 5;

/// Asks HTTP servers. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Web {
    client: Client,
}

/// What a server said, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Where it came from at last.
    pub url: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Web {
    /// Makes a client.
    ///
    /// # Errors
    /// A machine without usable certificates.
    pub fn new() -> anyhow::Result<Self> {
        // Whoever asks for TLS first installs what it is made of; all want the same.
        let _ = ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::limited(MAX_REDIRECTS))
            .user_agent(concat!("antiphon/", env!("CARGO_PKG_VERSION")));
        // Asking the system of a phone needs its own languages; Mozilla's list comes along instead.
        #[cfg(any(target_os = "android", target_os = "ios"))]
        let client = client.tls_certs_only(mozilla()?);
        Ok(Self { client: client.build().context("HTTP cannot be used")? })
    }

    /// Gets a file, or its bytes from the first to the one before the last, of at most `max_bytes`.
    ///
    /// # Errors
    /// No URL of a server, no answer in time, or one that is too long.
    pub async fn get(
        &self,
        url: Url,
        range: Option<(u64, u64)>,
        max_bytes: u64,
    ) -> anyhow::Result<Answer> {
        let mut request = self.client.get(url);
        if let Some((from, end)) = range {
            let last = end.checked_sub(1).context("an empty range")?;
            // Ranges are of what is signed, not of what it is on the way.
            request = request
                .header(RANGE, format!("bytes={from}-{last}"))
                .header(ACCEPT_ENCODING, "identity");
        }
        answer(request, max_bytes).await
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, url: Url, json: String, max_bytes: u64) -> anyhow::Result<Answer> {
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(json);
        answer(request, max_bytes).await
    }
}

/// Returns the certificates that Mozilla trusts.
#[cfg(any(target_os = "android", target_os = "ios"))]
fn mozilla() -> anyhow::Result<Vec<reqwest::Certificate>> {
    let all = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    Ok(all.map(|root| reqwest::Certificate::from_der(root)).collect::<Result<_, _>>()?)
}

/// Reads a URL of a server; a relative one needs a base (RFC 3986 §5).
///
/// # Errors
/// What is no URL, or one of another scheme.
pub fn parse(url: &str, base: Option<&str>) -> anyhow::Result<Url> {
    let url = match base {
        Some(base) => Url::parse(base)?.join(url)?,
        None => Url::parse(url)?,
    };
    ensure!(matches!(url.scheme(), "http" | "https"), "only http:// and https:// can be asked");
    Ok(url)
}

async fn answer(request: RequestBuilder, max_bytes: u64) -> anyhow::Result<Answer> {
    let answer = request.send().await.context("it does not answer")?;
    let (status, url) = (answer.status().as_u16(), answer.url().to_string());
    Ok(Answer { status, url, body: read(answer, max_bytes).await? })
}

/// Reads a body and gives up as soon as it is longer than allowed.
async fn read(mut answer: Response, max_bytes: u64) -> anyhow::Result<Vec<u8>> {
    let max = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.context("its answer breaks off")? {
        ensure!(body.len().saturating_add(part.len()) <= max, "its answer is too long");
        body.extend_from_slice(&part);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_web_servers_are_asked() {
        let base = Some("https://origin.example/live/list.m3u8");
        for (url, whole) in [
            ("7.m4s", "https://origin.example/live/7.m4s"),
            ("../7.m4s", "https://origin.example/7.m4s"),
            ("//cdn.example/7.m4s", "https://cdn.example/7.m4s"),
            ("http://cdn.example/7.m4s?a=b", "http://cdn.example/7.m4s?a=b"),
        ] {
            assert_eq!(parse(url, base).unwrap().as_str(), whole);
        }
        for url in ["file:///etc/passwd", "data:,x", "ftp://x/y", "javascript:1"] {
            assert!(parse(url, base).is_err(), "{url}");
        }
        assert!(parse("7.m4s", None).is_err());
    }
}
