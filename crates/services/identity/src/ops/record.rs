use vault::VaultError;

use crate::context::{Client, Context, NOBODY};
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::{Action, AuditId, Entry, Outcome, Reason};

/// The vault context under which the audit log's devices are sealed.
pub(crate) const AUDIT_CONTEXT: &str = "identity.audit";

/// What an entry of the audit log is about, besides how it ended.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) action: Action,
    pub(crate) method: Option<&'static str>,
    pub(crate) account: Option<Subject>,
    /// The blind index of the address that was named.
    pub(crate) address_index: Option<[u8; 32]>,
    pub(crate) client: &'a Client,
}

impl<'a> Attempt<'a> {
    /// An attempt by somebody who is not known yet.
    pub(crate) const fn by_nobody(action: Action, client: &'a Client) -> Self {
        Self { action, method: None, account: None, address_index: None, client }
    }

    /// An attempt on a known account.
    pub(crate) const fn on(account: Subject, action: Action, client: &'a Client) -> Self {
        Self { action, method: None, account: Some(account), address_index: None, client }
    }

    /// The same, proved by `method`.
    pub(crate) const fn by(self, method: &'static str) -> Self {
        Self { method: Some(method), ..self }
    }
}

impl Context {
    /// The entry for an attempt, with its device sealed under the person's key when they are known.
    /// To be made before the transaction that appends it.
    pub(crate) async fn entry(
        &self,
        attempt: Attempt<'_>,
        outcome: Outcome,
        reason: Option<Reason>,
    ) -> Result<Entry, Error> {
        let now = self.now();
        let device = attempt.client.device();
        let person = attempt.account.map_or(NOBODY, Subject::uuid);
        let (account, device) = match self.vault.seal_json(person, AUDIT_CONTEXT, &device).await {
            Ok(sealed) => (attempt.account, sealed),
            // They were erased a moment ago, so what happens now happens to nobody.
            Err(VaultError::Erased) => (None, self.vault.seal_json(NOBODY, AUDIT_CONTEXT, &device).await?),
            Err(error) => return Err(error.into()),
        };
        Ok(Entry {
            id: AuditId::new(now, &self.rng),
            at: now,
            action: attempt.action,
            outcome,
            reason,
            method: attempt.method,
            account,
            // The index only stands where no account does, so that erasing one leaves nothing to find.
            address_index: attempt.address_index.filter(|_| account.is_none()),
            session: None,
            device,
            request_id: attempt.client.request_id.clone(),
        })
    }

    /// The entry for something that no request asked for, but the command line or another service.
    pub(crate) fn own_entry(&self, account: Subject, action: Action) -> Entry {
        let now = self.now();
        Entry {
            id: AuditId::new(now, &self.rng),
            at: now,
            action,
            outcome: Outcome::Succeeded,
            reason: None,
            method: None,
            account: Some(account),
            address_index: None,
            session: None,
            device: Vec::new(),
            request_id: String::new(),
        }
    }

    /// Appends an entry in a transaction of its own: for attempts that change nothing else.
    pub(crate) async fn record(
        &self,
        attempt: Attempt<'_>,
        outcome: Outcome,
        reason: Option<Reason>,
    ) -> Result<(), Error> {
        let entry = &self.entry(attempt, outcome, reason).await?;
        self.database
            .write(|mut tx| async move {
                crate::store::audit::append(&mut tx, entry).await?;
                tx.commit(()).await
            })
            .await
            .map_err(|error: database::Error| error.into())
    }
}
