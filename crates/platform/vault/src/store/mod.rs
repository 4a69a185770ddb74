//! The vault's SQL, and nothing else.

mod columns;
pub(crate) mod data_keys;
pub(crate) mod erasures;
pub(crate) mod masters;
pub(crate) mod roots;
pub(crate) mod signing_keys;

pub use columns::COLUMNS;

use crate::crypto::MasterKeyId;

impl From<MasterKeyId> for database::Value {
    fn from(id: MasterKeyId) -> Self {
        Self::from(id.0)
    }
}

impl database::FromValue for MasterKeyId {
    const NAME: &'static str = "the id of a master key";

    fn from_cell(cell: database::Cell<'_>) -> Option<Self> {
        <[u8; 8]>::from_cell(cell).map(Self)
    }
}
