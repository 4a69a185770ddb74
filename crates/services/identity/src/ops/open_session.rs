use contracts::identity::SignedIn;
use database::Tx;
use kernel::{SessionId, Timestamp};

use crate::context::{Client, Context};
use crate::error::Error;
use crate::model::account::{Kind, Subject};
use crate::model::rotation::Rotation;
use crate::model::session::{Lifetime, Method};
use crate::store::sessions::{self, Session, Which};

use super::end_sessions::{Ended, Ending};

/// The vault context under which sessions' devices are sealed.
pub(crate) const DEVICE_CONTEXT: &str = "identity.device";

impl Context {
    /// A new session of `subject`; nothing is stored yet. To be made before the transaction.
    pub(crate) async fn new_session(
        &self,
        subject: Subject,
        method: Method,
        client: &Client,
    ) -> Result<Session, Error> {
        let now = self.now();
        let device = self.vault.seal_json(subject.uuid(), DEVICE_CONTEXT, &client.device()).await?;
        Ok(Session {
            id: SessionId::new(now, &self.rng),
            account: subject.uuid(),
            device,
            method,
            seed: self.rng.bytes(),
            rotation: Rotation::FIRST,
            created_at: now,
            last_used_at: now,
            ends_at: self.lifetime(subject.kind()).ends_at(now, now),
            not_issued_before: None,
            ended_at: None,
        })
    }

    pub(crate) fn lifetime(&self, kind: Kind) -> Lifetime {
        match kind {
            Kind::Customer => self.config.customer_session.lifetime(),
            Kind::Staff => self.config.staff_session.lifetime(),
        }
    }

    /// Stores the session and tells that it began. A person has so many sessions at most; the one
    /// that was unused for longest makes room.
    pub(crate) async fn open_session(
        &self,
        tx: &mut Tx,
        subject: Subject,
        session: &Session,
    ) -> Result<Ended, Error> {
        let now: Timestamp = session.created_at;
        sessions::insert(tx, session).await?;
        if let Some(customer_id) = subject.customer() {
            let method = session.method.as_str().to_owned();
            tx.emit(&SignedIn { customer_id, session_id: session.id, method }).await?;
        }
        let mut ended = Ended::none();
        for surplus in sessions::surplus(tx, subject.uuid(), now, self.config.sessions_per_account).await? {
            let ending = Ending { which: Which::Only(surplus), reason: "superseded", now };
            ended.extend(self.end_sessions(tx, subject, ending).await?);
        }
        Ok(ended)
    }
}
