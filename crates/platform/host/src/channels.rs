use contracts::Channel;

/// A channel from one service to each service that answers questions.
#[derive(Clone, Debug)]
pub struct Channels {
    /// To identity.
    pub identity: Channel,
    /// To customers.
    pub customers: Channel,
    /// To catalog.
    pub catalog: Channel,
    /// To orders.
    pub orders: Channel,
    /// To payments.
    pub payments: Channel,
    /// To analytics.
    pub analytics: Channel,
    /// To sync.
    pub sync: Channel,
    /// To feedback.
    pub feedback: Channel,
}

impl Channels {
    /// Asks `open` for the channel to each service by its name.
    ///
    /// # Errors
    /// What `open` says.
    pub fn open<E>(mut open: impl FnMut(&'static str) -> Result<Channel, E>) -> Result<Self, E> {
        Ok(Self {
            identity: open("identity")?,
            customers: open("customers")?,
            catalog: open("catalog")?,
            orders: open("orders")?,
            payments: open("payments")?,
            analytics: open("analytics")?,
            sync: open("sync")?,
            feedback: open("feedback")?,
        })
    }
}
