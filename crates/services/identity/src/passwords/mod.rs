//! What is known of passwords outside the rules: a file of the operator's, and a service that is asked.

mod list;
mod range;

use kernel::Secret;
use sha1::{Digest as _, Sha1};

use crate::config::PasswordConfig;
use crate::model::password::{Owner, Password, Weakness, Words};
use list::{List, ListError};
use range::{Range, RangeError};

/// Which new passwords are taken. It is shared by everything that sets one.
pub(crate) struct Policy {
    min_score: u8,
    shop: Vec<String>,
    list: Option<List>,
    range: Option<Range>,
}

/// Why the policy cannot be kept. The setting's name is in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    /// The list cannot be used.
    #[error("identity.passwords.list: {0}")]
    List(#[from] ListError),
    /// The service cannot be asked.
    #[error("identity.passwords.range: {0}")]
    Range(#[from] RangeError),
}

impl Policy {
    /// Opens the list and makes ready to ask the service, as far as they are configured. The host of the shop's
    /// public address is a word that everybody would try.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub(crate) fn open(config: &PasswordConfig, public_url: &str) -> Result<Self, PolicyError> {
        let host = public_url.split("://").last().unwrap_or_default();
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let labels = host.split('.').chain([host]).map(str::to_owned);
        Ok(Self {
            min_score: config.min_score,
            shop: config.words.iter().cloned().chain(labels).collect(),
            list: config.list.as_deref().map(List::open).transpose()?,
            range: config.range.as_ref().map(Range::new).transpose()?,
        })
    }

    /// The words that make a password of `owner` no stronger.
    pub(crate) fn words(&self, owner: Owner<'_>) -> Words {
        Words::of(owner, &self.shop)
    }

    /// Holds a password against the rules and the list. It takes up to some milliseconds and may read a file.
    ///
    /// # Errors
    /// Why it would not protect its owner.
    pub(crate) fn judge(&self, text: &Secret<String>, owner: &Words) -> Result<Password, Weakness> {
        let password = Password::attempt(text);
        password.check(owner, self.min_score)?;
        if self.is_listed(&password) { Err(Weakness::Breached) } else { Ok(password) }
    }

    /// Whether the rules that take no time and the list let a password through: what can be found out at every
    /// sign-in without anybody noticing.
    pub(crate) fn permits(&self, text: &Secret<String>, owner: &Words) -> bool {
        let password = Password::attempt(text);
        password.check_rules(owner).is_ok() && !self.is_listed(&password)
    }

    /// Asks the service about a password that the rules let through.
    ///
    /// # Errors
    /// When it is known from a breach.
    pub(crate) async fn ask(&self, password: Password) -> Result<Password, Weakness> {
        match &self.range {
            Some(range) if range.knows(&sha1(&password)).await => Err(Weakness::Breached),
            _ => Ok(password),
        }
    }

    fn is_listed(&self, password: &Password) -> bool {
        self.list.as_ref().is_some_and(|list| list.holds(password.expose(), &sha1(password)))
    }
}

/// The digest by which lists of breached passwords know them. It protects nothing and is kept nowhere.
fn sha1(password: &Password) -> [u8; 20] {
    Sha1::digest(password.expose()).into()
}
