use contracts::identity::{REVOCATIONS_CHANNEL, Revocation, SessionEnded};
use database::Tx;
use kernel::{SessionId, Timestamp};

use crate::context::{Client, Context};
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::{Action, Outcome, Reason};
use crate::store::sessions::{self, Which};

use super::record::Attempt;

/// Sessions whose access tokens are to be refused from now on, everywhere. To be announced once
/// the transaction that ended them has committed.
#[must_use]
#[derive(Clone, Debug)]
pub(crate) struct Ended(Vec<(SessionId, Timestamp)>);

impl Ended {
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// One session of which only tokens issued before that moment are refused.
    pub(crate) fn tokens_before(session: SessionId, not_issued_before: Timestamp) -> Self {
        Self(vec![(session, not_issued_before)])
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Which sessions to end, and why.
#[derive(Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) which: Which,
    /// The word in the event: `signed_out`, `ended_by_person`, `refresh_reuse`, …
    pub(crate) reason: &'static str,
    pub(crate) now: Timestamp,
}

/// The first whole second after `now`. Access tokens tell their age in whole seconds, so one that
/// was issued in the second of `now` is refused as well.
pub(crate) fn next_second(now: Timestamp) -> Timestamp {
    Timestamp::from_seconds(now.as_seconds().saturating_add(1))
}

impl Context {
    /// Ends sessions of `subject` and tells so.
    pub(crate) async fn end_sessions(
        &self,
        tx: &mut Tx,
        subject: Subject,
        Ending { which, reason, now }: Ending,
    ) -> Result<Ended, Error> {
        let not_issued_before = next_second(now);
        let ended = sessions::end(tx, subject.uuid(), which, now, not_issued_before).await?;
        if let Some(customer_id) = subject.customer() {
            for session_id in &ended {
                let event = SessionEnded { customer_id, session_id: *session_id, reason: reason.to_owned() };
                tx.emit(&event).await?;
            }
        }
        Ok(Ended(ended.into_iter().map(|session| (session, not_issued_before)).collect()))
    }

    /// Tells every node at once. One that does not hear it reads the list within a second anyway,
    /// so a failure here is not the caller's.
    pub(crate) async fn announce(&self, ended: Ended) {
        for (session_id, not_issued_before) in ended.0 {
            let until = not_issued_before.plus(self.config.access_token());
            let revocation = Revocation { session_id, not_issued_before, until };
            let Ok(message) = serde_json::to_vec(&revocation) else { continue };
            if let Err(error) = self.cache.publish(REVOCATIONS_CHANNEL, message).await {
                tracing::warn!(%error, "the end of a session could not be announced");
            }
        }
    }

    /// Ends the session that the caller is in.
    pub(crate) async fn sign_out(
        &self,
        subject: Subject,
        session: SessionId,
        client: &Client,
    ) -> Result<(), Error> {
        let ending = (Action::SignOut, Which::Only(session), "signed_out");
        self.end_own(subject, ending, client).await.map(|_| ())
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`] when it is not theirs or has ended.
    pub(crate) async fn end_session(
        &self,
        subject: Subject,
        session: SessionId,
        client: &Client,
    ) -> Result<(), Error> {
        let ending = (Action::EndSession, Which::Only(session), "ended_by_person");
        if self.end_own(subject, ending, client).await? { Ok(()) } else { Err(Error::SessionNotFound) }
    }

    /// Ends all of the caller's sessions but `kept`.
    pub(crate) async fn end_other_sessions(
        &self,
        subject: Subject,
        kept: SessionId,
        client: &Client,
    ) -> Result<(), Error> {
        let ending = (Action::EndOtherSessions, Which::AllBut(kept), "ended_by_person");
        self.end_own(subject, ending, client).await.map(|_| ())
    }

    /// Whether any was ended.
    async fn end_own(
        &self,
        subject: Subject,
        (action, which, reason): (Action, Which, &'static str),
        client: &Client,
    ) -> Result<bool, Error> {
        let attempt = Attempt::on(subject, action, client).by("access_token");
        let entry = &self.entry(attempt, Outcome::Succeeded, None).await?;
        let ending = Ending { which, reason, now: self.now() };
        let ended = self
            .database
            .write(|mut tx| async move {
                let ended = self.end_sessions(&mut tx, subject, ending).await?;
                let mut entry = entry.clone();
                if let Which::Only(session) = which {
                    entry.session = Some(session);
                    if ended.is_empty() {
                        (entry.outcome, entry.reason) = (Outcome::Refused, Some(Reason::UnknownSession));
                    }
                }
                crate::store::audit::append(&mut tx, &entry).await?;
                Ok::<_, Error>(tx.commit(ended).await?)
            })
            .await?;
        let any = !ended.is_empty();
        self.announce(ended).await;
        Ok(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_the_same_second_is_refused() {
        let now = Timestamp::from_micros(5_000_001);
        assert_eq!(next_second(now), Timestamp::from_seconds(6));
        assert_eq!(next_second(Timestamp::from_seconds(5)), Timestamp::from_seconds(6));
    }
}
