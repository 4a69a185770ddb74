use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::{CustomerId, SessionId, StaffId, Timestamp};
use serde_json::Value;
use tower::ServiceExt as _;
use uuid::Uuid;
use web::{Caller, Customer, Role, Staff};

use super::super::Service;

/// A request in the making.
pub(crate) struct Call {
    request: http::request::Builder,
    caller: Caller,
    body: Option<Value>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// A customer of the test, by number.
pub(crate) fn customer(number: u128) -> CustomerId {
    CustomerId::from_uuid(Uuid::from_u128(0xC000 + number))
}

/// Somebody who works for the shop.
pub(crate) fn staff(roles: &[Role]) -> Caller {
    Caller::Staff(Staff {
        id: StaffId::from_uuid(Uuid::from_u128(0xA000)),
        session: SessionId::from_uuid(Uuid::from_u128(1)),
        roles: roles.to_vec(),
        authenticated_at: Timestamp::EPOCH,
    })
}

impl Call {
    pub(crate) fn new(method: Method, path: impl AsRef<str>) -> Self {
        let request = Request::builder().method(method).uri(path.as_ref());
        Self { request, caller: Caller::Anonymous, body: None }
    }

    pub(crate) fn get(path: impl AsRef<str>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl AsRef<str>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: impl AsRef<str>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn delete(path: impl AsRef<str>) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn by(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    pub(crate) fn customer(self, number: u128) -> Self {
        self.by(Caller::Customer(Customer {
            id: customer(number),
            session: SessionId::from_uuid(Uuid::from_u128(number)),
            authenticated_at: Timestamp::EPOCH,
        }))
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.request = self.request.header(name, value.as_ref());
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) async fn send(self, service: &Service) -> Answer {
        let (router, _) = service.router().split_for_parts();
        self.send_to(router).await
    }

    pub(crate) async fn send_to(self, router: Router) -> Answer {
        let mut request = self.request;
        let body = match self.body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let request = request.extension(self.caller).body(body).unwrap();
        let router = router.layer(axum::middleware::from_fn(web::middleware::conditional));
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    /// The body, which must have come with `status`.
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The code of the problem.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or(""))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
