//! The HTTP side of a call from the client: offer up, answer and address of the call down, hang up at the end.

use anyhow::{Context, bail};

/// A call that the server has accepted.
pub(super) struct Placed {
    pub(super) answer: String,
    /// Where the call can be hung up.
    pub(super) location: reqwest::Url,
}

/// Last part of the address: the id of the call.
impl Placed {
    pub(super) fn call_id(&self) -> String {
        self.location.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default().to_owned()
    }
}

pub(super) async fn place(
    http: &reqwest::Client,
    server: &reqwest::Url,
    token: Option<&str>,
    offer: String,
) -> anyhow::Result<Placed> {
    let url = server.join("/v1/realtime/calls").context("the server's address")?;
    let mut request = http.post(url.clone()).header("content-type", "application/sdp").body(offer);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.with_context(|| format!("no answer from {server}: is the server running?"))?;
    let status = response.status();
    let location = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = response.text().await.context("reading the answer")?;
    if !status.is_success() {
        bail!("the server refused the call: {status}: {body}");
    }
    let location = location.context("the answer has no Location header, so the call could not be hung up")?;
    Ok(Placed { answer: body, location: url.join(&location).context("the Location header")? })
}

pub(super) async fn hang_up(http: &reqwest::Client, placed: &Placed, token: Option<&str>) -> anyhow::Result<()> {
    let mut url = placed.location.clone();
    url.set_path(&format!("{}/hangup", placed.location.path()));
    let mut request = http.post(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let status = request.send().await.context("hanging up")?.status();
    // The server may have ended the call by itself a moment earlier.
    if !status.is_success() && status != reqwest::StatusCode::NOT_FOUND {
        bail!("hanging up: {status}");
    }
    Ok(())
}
