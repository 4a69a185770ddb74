use cache::Cache;
use database::Database;
use kernel::{Clock, Rng};
use mail::Mailer;
use objects::Objects;
use vault::Vault;

use crate::Channels;

/// Everything that one service stands on. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Where the time comes from.
    pub clock: Clock,
    /// Where chance comes from.
    pub rng: Rng,
    /// The service's own database, which no other service touches.
    pub database: Database,
    /// Short-lived values, rate limits and announcements.
    pub cache: Cache,
    /// Files.
    pub objects: Objects,
    /// Mail to people.
    pub mailer: Mailer,
    /// Keys: of persons, for signing, for blind indexes.
    pub vault: Vault,
    /// The other services.
    pub channels: Channels,
    /// Where people and their programs reach the shop, without a slash at the end: `https://shop.example`.
    pub public_url: String,
}
