use std::str::FromStr;

use kernel::CustomerId;

/// Something to listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// One's own orders.
    Orders,
    /// The stock of everything.
    Inventory,
}

impl Topic {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Inventory => "inventory",
        }
    }

    /// Where the present state of the topic is read.
    pub(crate) const fn snapshot(self) -> &'static str {
        match self {
            Self::Orders => "/v1/orders",
            Self::Inventory => "/v1/products",
        }
    }
}

impl FromStr for Topic {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Orders, Self::Inventory].into_iter().find(|topic| topic.as_str() == text).ok_or(())
    }
}

/// A topic and whom it is for: what one listener hears is what goes over a few of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Channel {
    /// The orders of one customer.
    Orders(CustomerId),
    /// Stock, for everybody.
    Inventory,
}

impl Channel {
    pub(crate) const fn topic(self) -> Topic {
        match self {
            Self::Orders(_) => Topic::Orders,
            Self::Inventory => Topic::Inventory,
        }
    }

    /// The subject under which the log files it.
    pub(crate) fn subject(self) -> String {
        match self {
            Self::Orders(customer) => customer.to_string(),
            Self::Inventory => String::new(),
        }
    }

    /// The channel that the log filed under `topic` and `subject`.
    pub(crate) fn from_log(topic: &str, subject: &str) -> Option<Self> {
        match topic.parse().ok()? {
            Topic::Orders => subject.parse().ok().map(Self::Orders),
            Topic::Inventory => Some(Self::Inventory),
        }
    }
}
