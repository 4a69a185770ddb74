use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// What a subscriber receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// One announcement, as it was published.
    Message(Bytes),
    /// Announcements may have been missed: this receiver was too slow, or the connection was lost and is back.
    /// Whatever follows from them must be read again from where it is stored.
    Lagged,
}

/// A receiver of one channel. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Delivery>,
}

impl Subscription {
    pub(crate) const fn new(receiver: broadcast::Receiver<Delivery>) -> Self {
        Self { receiver }
    }

    /// Waits for the next delivery; `None` when the cache is gone. Nothing is lost when the wait is given up.
    pub async fn next(&mut self) -> Option<Delivery> {
        match self.receiver.recv().await {
            Ok(delivery) => Some(delivery),
            Err(RecvError::Lagged(_)) => Some(Delivery::Lagged),
            Err(RecvError::Closed) => None,
        }
    }

    /// The deliveries as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Delivery> + Send + Unpin {
        Box::pin(stream::unfold(self, async |mut subscription| {
            let delivery = subscription.next().await?;
            Some((delivery, subscription))
        }))
    }
}
