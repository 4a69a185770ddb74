//! People who are signed in.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::shop::{BUYERS, COLLECTOR, PASSWORD, buyer};
use crate::wire::{Connection, Request};

/// The tokens of one session.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Session {
    pub(crate) fn read(tokens: &Value) -> Result<Self> {
        let token = |name: &str| tokens[name].as_str().map(str::to_owned).context("an answer without tokens");
        Ok(Self { access: token("access_token")?, refresh: token("refresh_token")? })
    }
}

/// The request that signs somebody in.
pub(crate) fn sign_in_request(email: &str) -> Vec<u8> {
    Request::post("/v1/auth/signin", &json!({"email": email, "password": PASSWORD}).to_string()).bytes()
}

pub(crate) async fn sign_in(address: SocketAddr, email: &str) -> Result<Session> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.send(&sign_in_request(email)).await?.require(200);
    Session::read(&answer.context("signing in")?.json()?)
}

/// Signs in the first `count` buyers, a few at a time.
pub(crate) async fn sign_in_buyers(address: SocketAddr, count: usize) -> Result<Vec<Session>> {
    /// As many as do not have to wait for so long that they are told to come back later.
    const AT_ONCE: usize = 2;
    let mut sessions = Vec::with_capacity(count);
    for first in (0..count).step_by(AT_ONCE) {
        let mut group = JoinSet::new();
        for number in first..count.min(first + AT_ONCE) {
            group.spawn(async move { sign_in(address, &buyer(number)).await });
        }
        while let Some(session) = group.join_next().await {
            sessions.push(session??);
        }
    }
    Ok(sessions)
}

/// Signs in everybody who can, once.
pub(crate) async fn sign_in_all(address: SocketAddr) -> Result<()> {
    sign_in_buyers(address, BUYERS).await?;
    sign_in(address, COLLECTOR).await?;
    Ok(())
}
