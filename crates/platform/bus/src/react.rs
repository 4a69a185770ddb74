use contracts::Envelope;
use database::Tx;
use futures_util::future::BoxFuture;

/// Why a reaction did not happen. It is tried again later.
pub type ReactError = Box<dyn std::error::Error + Send + Sync>;

/// What one service does about the events of others.
pub trait React: Send + Sync + 'static {
    /// A name that lasts, `service.what_it_does`: positions and inbox are kept under it.
    fn consumer(&self) -> &'static str;

    /// The types of event that it wants.
    fn types(&self) -> &'static [&'static str];

    /// Does it, within `tx`, which also notes that it was done. Only the database may be awaited;
    /// a call to another service is scheduled as due work. It must not commit or roll back.
    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>>;
}
