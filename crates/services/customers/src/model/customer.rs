use std::collections::BTreeMap;

use kernel::{CustomerId, Date, Timestamp};
use serde::Serialize;

use super::profile::{Preference, Profile};

/// A customer as they and the staff see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Customer {
    /// Their id.
    pub(crate) id: CustomerId,
    /// Their address for mail; null for a moment after they proved it.
    pub(crate) email: Option<String>,
    /// What they are called.
    pub(crate) name: Option<String>,
    /// Their telephone number.
    pub(crate) phone: Option<String>,
    /// Their language, BCP 47; the shop's when they chose none.
    #[schema(examples("en"))]
    pub(crate) locale: String,
    /// The day they were born.
    pub(crate) birthday: Option<Date>,
    /// What they set for themselves: flags, whole numbers and texts by name.
    pub(crate) preferences: BTreeMap<String, Preference>,
    /// Since when they are a customer.
    pub(crate) created_at: Timestamp,
    /// Their version, which every change raises.
    pub(crate) version: i64,
}

/// What is known of a customer besides their profile.
pub(crate) struct Facts {
    pub(crate) id: CustomerId,
    pub(crate) email: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) version: i64,
}

impl Customer {
    /// A customer as they are shown, in `default_locale` unless they chose another.
    pub(crate) fn new(facts: Facts, profile: Profile, default_locale: &str) -> Self {
        Self {
            id: facts.id,
            email: facts.email,
            name: profile.name,
            phone: profile.phone,
            locale: profile.locale.unwrap_or_else(|| default_locale.to_owned()),
            birthday: profile.birthday,
            preferences: profile.preferences,
            created_at: facts.created_at,
            version: facts.version,
        }
    }
}
