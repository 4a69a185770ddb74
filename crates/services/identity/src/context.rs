use std::net::IpAddr;
use std::sync::Arc;

use cache::{Cache, Policy as Limit};
use database::Database;
use kernel::{Clock, Rng, Secret, Timestamp};
use mail::{Address, Mailer, Templates};
use uuid::Uuid;
use vault::Vault;

use crate::config::{Config, WINDOW};
use crate::hashing::Hasher;
use crate::model::session::{Device, MAX_USER_AGENT_CHARACTERS};
use crate::model::source;
use crate::passwords::Policy;
use crate::tokens::Issuer;

/// Everything that this service's work stands on. Clones share it.
#[derive(Clone)]
pub(crate) struct Context(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) cache: Cache,
    pub(crate) vault: Vault,
    pub(crate) mailer: Mailer,
    pub(crate) templates: Templates,
    pub(crate) hasher: Hasher,
    pub(crate) passwords: Arc<Policy>,
    pub(crate) issuer: Issuer,
    /// Under which codes of mails are stored.
    pub(crate) code_key: Secret<[u8; 32]>,
    /// Under which the audit log is chained.
    pub(crate) audit_key: Secret<[u8; 32]>,
    pub(crate) public_url: String,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
}

/// The person under whom the vault seals what belongs to nobody known: sign-ups that were not
/// proved, and devices that tried an address which has no account. No real id looks like this.
pub(crate) const NOBODY: Uuid = Uuid::from_u128(0x1de0_0000_0000_8000_8000_0000_0000_0001);

/// The blind index under which accounts are found by address.
const ADDRESS_INDEX: &str = "identity.address";

/// Under this the cache knows from where an account was signed in to a moment ago.
const FAMILIAR: &str = "identity.familiar:";

/// The account and the source, as far as limits tell them apart.
fn account_bucket(address_index: &[u8; 32], client: &Client) -> String {
    let account = u128::from_be_bytes(std::array::from_fn(|index| address_index[index]));
    format!("{account:032x}:{}", source::counted(client.address))
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The network address.
    pub(crate) address: IpAddr,
    /// The `User-Agent`, whole.
    pub(crate) user_agent: String,
    /// The request, as in the answer and the logs.
    pub(crate) request_id: String,
}

impl Client {
    /// What is kept of it.
    pub(crate) fn device(&self) -> Device {
        Device {
            user_agent: self.user_agent.chars().take(MAX_USER_AGENT_CHARACTERS).collect(),
            network: source::network(self.address),
        }
    }
}

impl Context {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The blind index of an address, however it is written.
    pub(crate) fn address_index(&self, address: &Address) -> [u8; 32] {
        self.vault.blind_index(ADDRESS_INDEX, &address.normalised())
    }

    /// How much one source may try on one account, and in which bucket that is counted. Whether the
    /// account exists makes no difference; whether it was signed in from there a moment ago does, so
    /// that somebody who signs in often is not held back like somebody who guesses.
    pub(crate) async fn account_limit(&self, address_index: &[u8; 32], client: &Client) -> (Limit, String) {
        let bucket = account_bucket(address_index, client);
        let familiar = self.cache.get(&format!("{FAMILIAR}{bucket}")).await;
        let policy = match familiar {
            Ok(Some(_)) => self.config.limits.per_account_familiar(),
            Ok(None) | Err(_) => self.config.limits.per_account(),
        };
        (policy, bucket)
    }

    /// Remembers that the account was signed in from there. Forgetting it only makes the limit
    /// stricter, so a cache that is away does no harm.
    pub(crate) async fn remember_source(&self, address_index: &[u8; 32], client: &Client) {
        let key = format!("{FAMILIAR}{}", account_bucket(address_index, client));
        let _ = self.cache.put(&key, "1", WINDOW).await;
    }

    /// How much one source may try on all accounts together.
    pub(crate) fn source_limit(&self, client: &Client) -> (Limit, String) {
        (self.config.limits.per_source(), source::counted(client.address))
    }

    /// How many mails one source may cause.
    pub(crate) fn mail_limit(&self, client: &Client) -> (Limit, String) {
        (self.config.limits.mails(), source::counted(client.address))
    }
}

impl std::ops::Deref for Context {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
