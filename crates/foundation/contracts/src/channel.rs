use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use kernel::{Fail, FailureKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

/// A way to another service: in one process its router, across processes a connection.
#[derive(Clone)]
pub struct Channel(BoxCloneSyncService<Request<Bytes>, Response<Bytes>, ChannelError>);

/// The other service could not be asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChannelError {
    /// Nothing is known to have happened: no connection, or its breaker is open.
    #[error("the service {service} cannot be reached")]
    Unreachable {
        /// Which service.
        service: String,
    },
    /// It was asked and did not answer in time, so what happened is not known.
    #[error("the service {service} did not answer in time")]
    TimedOut {
        /// Which service.
        service: String,
    },
}

/// A refusal by the other service, as its problem document told it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rejection {
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// The stable code, such as `catalog.out_of_stock`.
    #[serde(default)]
    pub code: String,
    /// The sentence for a person.
    #[serde(default)]
    pub detail: String,
    /// Every other member of the document.
    #[serde(flatten)]
    pub members: serde_json::Map<String, serde_json::Value>,
}

/// What a call to another service can end in besides its answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// It said no (a 4xx): asking again would not help.
    #[error("{}", .0.detail)]
    Rejected(Box<Rejection>),
    /// It could not be asked at all.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// It failed (a 5xx) or answered what the contract does not know, so what happened is not known.
    #[error("the service answered with status {status} and nothing that can be used")]
    Failed {
        /// The HTTP status.
        status: u16,
    },
}

impl CallError {
    /// The refusal, when it is one.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Channel(_) | Self::Failed { .. } => None,
        }
    }

    /// Whether it is the refusal `code`.
    pub fn is(&self, code: &str) -> bool {
        self.rejection().is_some_and(|rejection| rejection.code == code)
    }
}

impl Fail for CallError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Rejected(_) => FailureKind::Internal,
            Self::Channel(ChannelError::TimedOut { .. }) => FailureKind::Timeout,
            Self::Channel(ChannelError::Unreachable { .. }) | Self::Failed { .. } => FailureKind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Rejected(_) => "internal",
            Self::Channel(ChannelError::TimedOut { .. }) => "request.timeout",
            Self::Channel(ChannelError::Unreachable { .. }) | Self::Failed { .. } => "service.unavailable",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        (self.kind() != FailureKind::Internal).then_some(Duration::from_secs(1))
    }
}

impl Channel {
    /// Wraps a service.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>, Error = ChannelError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        Self(BoxCloneSyncService::new(service))
    }

    /// Sends `request` as it is.
    ///
    /// # Errors
    /// When the other service cannot be reached or does not answer in time.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ChannelError> {
        self.0.clone().oneshot(request).await
    }

    /// GETs `path` and reads the answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    /// POSTs `body` to `path` and reads the answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, CallError> {
        let body = serde_json::to_vec(body).map_err(|_| CallError::Failed { status: 0 })?;
        self.call(Method::POST, path, body.into()).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, CallError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body)
            .map_err(|_| CallError::Failed { status: 0 })?;
        let response = self.send(request).await?;
        read(response.status(), response.body())
    }
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, CallError> {
    let failed = CallError::Failed { status: status.as_u16() };
    if status.is_success() {
        // An empty answer reads as JSON null, which is what `()` and `Option` are made from.
        let body = if body.is_empty() { b"null" } else { body };
        return serde_json::from_slice(body).map_err(|_| failed);
    }
    if !status.is_client_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(failed);
    }
    let mut rejection: Rejection = serde_json::from_slice(body).unwrap_or_default();
    rejection.status = status.as_u16();
    Err(CallError::Rejected(Box::new(rejection)))
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Channel")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_and_members() {
        let body = br#"{"status":409,"code":"catalog.out_of_stock","detail":"no","lines":["var_1"]}"#;
        let error = read::<()>(StatusCode::CONFLICT, body).unwrap_err();
        assert!(error.is("catalog.out_of_stock"));
        assert_eq!(error.rejection().unwrap().members["lines"][0], "var_1");
    }

    #[test]
    fn a_fault_is_not_a_refusal() {
        for status in [StatusCode::BAD_GATEWAY, StatusCode::TOO_MANY_REQUESTS] {
            assert!(matches!(read::<()>(status, b"{}"), Err(CallError::Failed { .. })), "{status}");
        }
        assert!(matches!(read::<u8>(StatusCode::OK, b"\"x\""), Err(CallError::Failed { status: 200 })));
        read::<()>(StatusCode::NO_CONTENT, b"").unwrap();
    }
}
