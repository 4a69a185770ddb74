use std::ops::Deref;
use std::sync::Arc;

use contracts::{analytics, feedback, identity, orders, payments};
use database::Database;
use kernel::{Clock, Rng, Timestamp};
use mail::Address;
use vault::Vault;

use crate::config::Config;

/// Everything that this service's work stands on. Clones share it.
#[derive(Clone)]
pub(crate) struct Context(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) vault: Vault,
    pub(crate) identity: identity::Client,
    pub(crate) orders: orders::Client,
    pub(crate) payments: payments::Client,
    pub(crate) analytics: analytics::Client,
    pub(crate) feedback: feedback::Client,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
}

/// The vault contexts under which personal data is sealed here. The mail address and the name given
/// at sign-up stay sealed as identity's event carries them.
pub(crate) mod sealed {
    /// Name, telephone, language, birthday and preferences.
    pub(crate) const PROFILE: &str = "customers.profile";
    /// An address of the book.
    pub(crate) const ADDRESS: &str = "customers.address";
}

/// The blind index under which customers are found by their mail address.
const EMAIL_INDEX: &str = "customers.email";

impl Context {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The blind index of a mail address, however it is written.
    pub(crate) fn email_index(&self, email: &Address) -> [u8; 32] {
        self.vault.blind_index(EMAIL_INDEX, &email.normalised())
    }
}

impl Deref for Context {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
