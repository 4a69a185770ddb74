use std::error::Error;

/// Why a service could not start. It stops the program, so it says what was being done.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct StartError {
    doing: &'static str,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl StartError {
    /// For `map_err`: `.map_err(StartError::because("its tables cannot be made"))?`.
    pub fn because<E: Into<Box<dyn Error + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self { doing, source: source.into() }
    }
}
