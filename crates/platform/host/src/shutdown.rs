use tokio_util::sync::CancellationToken;

/// The signal that it is time to end. Clones are the same signal.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A signal that was not given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the signal; giving it twice is harmless.
    pub fn set(&self) {
        self.0.cancel();
    }

    /// Whether it was given.
    pub fn is_set(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it is given.
    pub async fn wait(&self) {
        self.0.cancelled().await;
    }

    /// The same signal as the type that the bus and other libraries take.
    pub fn token(&self) -> CancellationToken {
        self.0.clone()
    }
}
