use kernel::{CustomerId, SessionId, Timestamp};
use serde::Serialize;
use vault::Sealed;

use crate::context::{Context, NOBODY};
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::AuditId;
use crate::model::session::Device;
use crate::store::audit::{Filter, StoredEntry};
use crate::store::sessions::{self, Session};
use crate::store::{accounts, audit};

use super::open_session::DEVICE_CONTEXT;
use super::record::AUDIT_CONTEXT;

/// The most entries of the log that an export holds.
const MOST_ENTRIES: i64 = 10_000;

/// Everything identity holds about a person, but for what is secret even to them.
#[derive(Serialize)]
pub(crate) struct Export {
    email: Option<String>,
    verified_at: Option<Timestamp>,
    password_set_at: Option<Timestamp>,
    created_at: Option<Timestamp>,
    sessions: Vec<ExportedSession>,
    history: Vec<SeenEntry>,
}

#[derive(Serialize)]
struct ExportedSession {
    id: SessionId,
    device: Device,
    created_at: Timestamp,
    last_used_at: Timestamp,
}

/// An entry of the audit log with its device opened.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct SeenEntry {
    /// Names the entry.
    pub(crate) id: AuditId,
    /// Its place in the hash chain; null for the second or so before it has one.
    pub(crate) sequence: Option<i64>,
    /// When.
    pub(crate) at: Timestamp,
    /// What was tried.
    #[schema(examples("sign_in"))]
    pub(crate) action: String,
    /// How it ended: `succeeded`, `accepted`, `refused`, `throttled` or `overloaded`.
    #[schema(examples("refused"))]
    pub(crate) outcome: String,
    /// Why, where that is not plain.
    #[schema(examples("wrong_password"))]
    pub(crate) reason: Option<String>,
    /// How they proved who they are.
    #[schema(examples("password"))]
    pub(crate) method: Option<String>,
    /// Whose account, when it is known.
    #[schema(examples("cus_01h2xcejqtf2nbrexx3vqjhp41"))]
    pub(crate) account: Option<String>,
    /// The session, when there is one.
    pub(crate) session_id: Option<SessionId>,
    /// The network the request came from; null when the person was erased.
    #[schema(examples("203.0.113.0/24"))]
    pub(crate) network: Option<String>,
    /// The `User-Agent`; null when the person was erased.
    pub(crate) user_agent: Option<String>,
    /// The request, as in its answer and in the logs.
    pub(crate) request_id: String,
}

impl Context {
    /// Everything about a customer, for their export.
    pub(crate) async fn export(&self, customer: CustomerId) -> Result<Export, Error> {
        let subject = Subject::Customer(customer);
        let filter = Filter { account: Some(subject.to_string()), ..Filter::default() };
        let mut reader = self.database.read().await?;
        let account = accounts::by_id(&mut reader, subject.uuid()).await?;
        let sessions = sessions::alive(&mut reader, subject.uuid(), self.now()).await?;
        let entries = audit::list(&mut reader, &filter, MOST_ENTRIES).await?;
        drop(reader);
        let email = match &account {
            Some(account) => self.open_address(subject.uuid(), &account.address).await?,
            None => None,
        };
        let devices = self.devices(&sessions).await?;
        let exported = sessions.iter().zip(devices).map(|(session, device)| ExportedSession {
            id: session.id,
            device,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
        });
        Ok(Export {
            email: email.map(|address| address.to_string()),
            verified_at: account.as_ref().and_then(|account| account.verified_at),
            password_set_at: account.as_ref().and_then(|account| account.password_set_at),
            created_at: account.as_ref().map(|account| account.created_at),
            sessions: exported.collect(),
            history: self.see(entries).await?,
        })
    }

    /// The devices of sessions, in their order.
    pub(crate) async fn devices(&self, sessions: &[Session]) -> Result<Vec<Device>, Error> {
        let sealed: Vec<_> = sessions
            .iter()
            .map(|session| Sealed {
                person: session.account,
                context: DEVICE_CONTEXT,
                sealed: &session.device,
            })
            .collect();
        let opened = self.vault.open_many(&sealed).await?;
        Ok(opened.into_iter().map(|bytes| read(bytes).unwrap_or_default()).collect())
    }

    /// Opens the devices of entries of the audit log.
    pub(crate) async fn see(&self, entries: Vec<StoredEntry>) -> Result<Vec<SeenEntry>, Error> {
        let person =
            |entry: &StoredEntry| entry.entry.account.parse::<Subject>().map_or(NOBODY, Subject::uuid);
        let (with, without): (Vec<_>, Vec<_>) =
            entries.iter().enumerate().partition(|(_, entry)| !entry.entry.device.is_empty());
        let sealed: Vec<_> = with
            .iter()
            .map(|(_, entry)| Sealed {
                person: person(entry),
                context: AUDIT_CONTEXT,
                sealed: &entry.entry.device,
            })
            .collect();
        let opened = self.vault.open_many(&sealed).await?;
        let mut devices: Vec<Option<Device>> = vec![None; with.len() + without.len()];
        for ((index, _), bytes) in with.iter().zip(opened) {
            devices[*index] = read(bytes);
        }
        Ok(entries.into_iter().zip(devices).map(|(entry, device)| seen(entry, device)).collect())
    }
}

fn read(opened: Option<Vec<u8>>) -> Option<Device> {
    opened.and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

fn seen(StoredEntry { entry, sequence, .. }: StoredEntry, device: Option<Device>) -> SeenEntry {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let (network, user_agent) = device.map(|device| (device.network, device.user_agent)).unzip();
    SeenEntry {
        id: entry.id,
        sequence,
        at: entry.at,
        action: entry.action,
        outcome: entry.outcome,
        reason: some(entry.reason),
        method: some(entry.method),
        account: some(entry.account),
        session_id: entry.session.map(SessionId::from_uuid),
        network,
        user_agent,
        request_id: entry.request_id,
    }
}
