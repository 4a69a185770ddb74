use std::fmt;
use std::str::FromStr;

use kernel::{AnyId, CustomerId, IdError, StaffId};
use uuid::Uuid;

use super::words::words;

/// Whose account it is. A customer's account and the customer are one and the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Somebody who buys.
    Customer(CustomerId),
    /// Somebody who works for the shop, or for a seller.
    Staff(StaffId),
}

words! {
    /// Which of the two.
    Kind {
        /// Somebody who buys.
        Customer = "customer",
        /// Somebody who works for the shop or for a seller.
        Staff = "staff",
    }
}

impl Subject {
    /// The account of `kind` whose bare UUID is `id`.
    pub(crate) const fn new(kind: Kind, id: Uuid) -> Self {
        match kind {
            Kind::Customer => Self::Customer(CustomerId::from_uuid(id)),
            Kind::Staff => Self::Staff(StaffId::from_uuid(id)),
        }
    }

    /// The bare UUID, which is also the person under whom the vault seals.
    pub(crate) const fn uuid(self) -> Uuid {
        match self {
            Self::Customer(id) => id.uuid(),
            Self::Staff(id) => id.uuid(),
        }
    }

    /// Which kind.
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Customer(_) => Kind::Customer,
            Self::Staff(_) => Kind::Staff,
        }
    }

    /// The customer, when it is one.
    pub(crate) const fn customer(self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Staff(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(id) => id.fmt(f),
            Self::Staff(id) => id.fmt(f),
        }
    }
}

impl FromStr for Subject {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match AnyId::parse(text) {
            Some(AnyId { prefix: StaffId::PREFIX, uuid }) => Ok(Self::new(Kind::Staff, uuid)),
            Some(AnyId { prefix: CustomerId::PREFIX, uuid }) => Ok(Self::new(Kind::Customer, uuid)),
            _ => Err(IdError { prefix: CustomerId::PREFIX }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_says_which_kind_it_is() {
        for text in ["cus_01h455vb4pex5vsknk084sn02q", "stf_01h455vb4pex5vsknk084sn02q"] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        assert!("ord_01h455vb4pex5vsknk084sn02q".parse::<Subject>().is_err());
        assert!("cus_".parse::<Subject>().is_err());
    }
}
