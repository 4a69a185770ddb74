use std::time::Duration;

use kernel::{SessionId, Timestamp};
use serde_json::json;

use crate::context::{Client, Context};
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::{Action, Outcome, Reason};
use crate::model::rotation::Presented;
use crate::model::token::RefreshToken;
use crate::store::accounts::{self, Account};
use crate::store::audit;
use crate::store::sessions::{self, Session, Which};
use crate::tokens::Tokens;

use super::end_sessions::{Ended, Ending, next_second};
use super::open_session::DEVICE_CONTEXT;
use super::record::Attempt;

/// For how long a request with a token is taken to be still on its way, should its end be lost.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// What a genuine token came to.
enum Rotated {
    /// The next pair may be given out.
    Next { account: Box<Account>, session: Box<Session>, revoked: bool },
    /// Two hold tokens of this session.
    Theft(Box<Account>),
    /// The session is over.
    Over,
}

impl Context {
    /// The next pair of tokens for a session. See [`crate::model::rotation`] for what a token that
    /// comes twice means.
    pub(crate) async fn refresh(&self, text: &str, client: &Client) -> Result<Tokens, Error> {
        let Some(token) = RefreshToken::parse(text) else { return self.refuse_refresh(client).await };
        // Before anything else, so that requests which are worked on at the same time see each other.
        let mark = format!("identity.refresh:{}:{}", token.session, token.generation);
        let place = self.cache.increment(&mark, ON_ITS_WAY).await;
        let alone = matches!(place, Ok(1));
        let answer = self.answer(&token, alone.then_some(mark.as_str()), client).await;
        if alone {
            let _ = self.cache.remove(&mark).await;
        }
        answer
    }

    /// `mark` counts the requests with this token; there is none when another one was on its way
    /// already, or when the cache is away, which must not sign anybody out.
    async fn answer(
        &self,
        token: &RefreshToken,
        mark: Option<&str>,
        client: &Client,
    ) -> Result<Tokens, Error> {
        let session = sessions::by_id(&mut *self.database.read_primary().await?, token.session).await?;
        let genuine = |session: &Session| token.is_genuine(&self.issuer.refresh_key, &session.seed);
        let Some(session) = session.filter(genuine) else { return self.refuse_refresh(client).await };
        let attempt = Attempt::by_nobody(Action::Refresh, client).by("refresh_token");
        let limit = (self.config.limits.refreshes(), session.id.to_string());
        self.hold_back(attempt, [limit]).await?;
        // A token that is open now and used by the time it is our turn was used by a request at our side.
        let overlapping = token.generation >= session.rotation.open_from
            || match mark {
                Some(mark) => {
                    self.cache.get(mark).await.is_ok_and(|count| count.is_some_and(|n| &n[..] != b"1"))
                }
                None => true,
            };
        match self.rotate(token, overlapping).await? {
            Rotated::Next { account, session, revoked } => {
                if revoked {
                    self.note_lost_answer(account.subject, &session, client).await?;
                }
                self.issuer.issue(&account, &session).await
            }
            Rotated::Theft(account) => self.end_stolen(&account, &session, client).await,
            Rotated::Over => self.refuse_refresh(client).await,
        }
    }

    async fn rotate(&self, token: &RefreshToken, overlapping: bool) -> Result<Rotated, Error> {
        let now = self.now();
        self.database
            .write(|mut tx| async move {
                let session = sessions::by_id(&mut tx, token.session).await?;
                let Some(mut session) = session.filter(|session| session.is_alive(now)) else {
                    return Ok(tx.rollback(Rotated::Over).await?);
                };
                let Some(account) = accounts::by_id(&mut tx, session.account).await?.map(Box::new) else {
                    return Ok(tx.rollback(Rotated::Over).await?);
                };
                let (rotation, revoked) = match session.rotation.present(token.generation, overlapping) {
                    Presented::Rotated(next) | Presented::Overlapping(next) => (next, false),
                    Presented::Retried(next) => (next, true),
                    Presented::Reused => return Ok(tx.rollback(Rotated::Theft(account)).await?),
                };
                session.rotation = rotation;
                session.last_used_at = now;
                session.ends_at = self.lifetime(account.subject.kind()).ends_at(session.created_at, now);
                if revoked {
                    session.not_issued_before = Some(next_second(now));
                }
                sessions::rotate(&mut tx, &session).await?;
                let session = Box::new(session);
                Ok::<_, Error>(tx.commit(Rotated::Next { account, session, revoked }).await?)
            })
            .await
    }

    /// An answer was lost and given again: the pair that nobody received is refused from now on.
    async fn note_lost_answer(
        &self,
        subject: Subject,
        session: &Session,
        client: &Client,
    ) -> Result<(), Error> {
        if let Some(not_issued_before) = session.not_issued_before {
            self.announce(Ended::tokens_before(session.id, not_issued_before)).await;
        }
        let attempt = Attempt::on(subject, Action::Refresh, client).by("refresh_token");
        self.record_session(attempt, session.id, Outcome::Succeeded, Reason::AnswerLost).await
    }

    /// Somebody has a copy of the session's tokens. The session ends for both, and the person is
    /// told.
    async fn end_stolen(
        &self,
        account: &Account,
        session: &Session,
        client: &Client,
    ) -> Result<Tokens, Error> {
        let subject = account.subject;
        let attempt = Attempt::on(subject, Action::Refresh, client).by("refresh_token");
        let mut entry = self.entry(attempt, Outcome::Refused, Some(Reason::TokenReused)).await?;
        entry.session = Some(session.id);
        let mail = self.theft_notice(account, session).await?;
        let ending = Ending { which: Which::Only(session.id), reason: "refresh_reuse", now: self.now() };
        let (entry, mail) = (&entry, &mail);
        let ended = self
            .database
            .write(|mut tx| async move {
                let ended = self.end_sessions(&mut tx, subject, ending).await?;
                audit::append(&mut tx, entry).await?;
                // Of several that find out at once, one ended it and tells.
                if let (Some(mail), false) = (mail, ended.is_empty()) {
                    tx.schedule(mail).await?;
                }
                Ok::<_, Error>(tx.commit(ended).await?)
            })
            .await?;
        metrics::counter!("identity_refresh_reuse_total").increment(1);
        self.announce(ended).await;
        Err(Error::RefreshTokenInvalid)
    }

    async fn theft_notice(
        &self,
        account: &Account,
        session: &Session,
    ) -> Result<Option<database::Due>, Error> {
        let person = account.subject.uuid();
        let device = self.vault.open_json(person, DEVICE_CONTEXT, &session.device).await?;
        let device: crate::model::session::Device = device.unwrap_or_default();
        let values = json!({
            "device": device.name(),
            "network": device.network,
            "since": readable(session.created_at),
            "at": readable(self.now()),
        });
        self.notice("session_stolen", person, &account.address, values).await
    }

    async fn refuse_refresh(&self, client: &Client) -> Result<Tokens, Error> {
        let attempt = Attempt::by_nobody(Action::Refresh, client).by("refresh_token");
        self.hold_back(attempt, [self.source_limit(client)]).await?;
        self.record(attempt, Outcome::Refused, Some(Reason::BadToken)).await?;
        Err(Error::RefreshTokenInvalid)
    }

    async fn record_session(
        &self,
        attempt: Attempt<'_>,
        session: SessionId,
        outcome: Outcome,
        reason: Reason,
    ) -> Result<(), Error> {
        let mut entry = self.entry(attempt, outcome, Some(reason)).await?;
        entry.session = Some(session);
        let entry = &entry;
        self.database
            .write(|mut tx| async move {
                audit::append(&mut tx, entry).await?;
                tx.commit(()).await
            })
            .await
            .map_err(|error: database::Error| error.into())
    }
}

/// A moment as mails show it: `21 Nov 2026, 22:49 UTC`.
pub(crate) fn readable(at: Timestamp) -> String {
    // RFC 9110's form is `Sat, 21 Nov 2026 22:49:32 GMT`.
    let text = at.to_http_date();
    let (date, time) = (text.get(5..16).unwrap_or_default(), text.get(17..22).unwrap_or_default());
    format!("{date}, {time} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_readable() {
        assert_eq!(readable(Timestamp::from_seconds(1_795_301_372)), "21 Nov 2026, 22:49 UTC");
    }
}
