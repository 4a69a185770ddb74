//! A client of one router, without a network in between.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt as _;
use kernel::{CustomerId, SellerId, SessionId, StaffId, Timestamp};
use serde_json::Value;
use tower::ServiceExt as _;
use web::{Caller, Customer, Internal, Role, Seller, Staff};

/// Sends requests to a router as one caller, who is put into the request as the gateway does it.
#[derive(Clone)]
pub struct Client {
    router: Router,
    caller: Caller,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body as JSON, null when it is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: Bytes,
}

impl Client {
    /// Somebody unknown.
    pub fn new(router: Router) -> Self {
        Self { router, caller: Caller::Anonymous }
    }

    /// The same router, asked by `caller`.
    pub fn who(&self, caller: Caller) -> Self {
        Self { router: self.router.clone(), caller }
    }

    /// The customer `id`, who signed in at `at`.
    pub fn customer(&self, id: CustomerId, at: Timestamp) -> Self {
        let session = SessionId::from_uuid(id.uuid());
        self.who(Caller::Customer(Customer { id, session, authenticated_at: at }))
    }

    /// A member of the staff with `roles`.
    pub fn staff(&self, roles: &[Role]) -> Self {
        let id = StaffId::from_uuid(SESSION);
        let session = SessionId::from_uuid(SESSION);
        let roles = roles.to_vec();
        self.who(Caller::Staff(Staff { id, session, roles, authenticated_at: Timestamp::EPOCH }))
    }

    /// Somebody who acts for the seller `id`.
    pub fn seller(&self, id: SellerId) -> Self {
        let (member, session) = (StaffId::from_uuid(SESSION), SessionId::from_uuid(SESSION));
        self.who(Caller::Seller(Seller { id, member, session, authenticated_at: Timestamp::EPOCH }))
    }

    /// Another service of the shop.
    pub fn service(&self, name: &str) -> Self {
        self.who(Caller::Service(Internal { service: name.to_owned() }))
    }

    /// GETs `path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    /// POSTs `body` to `path`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], Some(body)).await
    }

    /// Sends any request with header fields.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.request(request.body(body).unwrap()).await
    }

    /// Sends `request` as it is, but for the caller.
    pub async fn request(&self, mut request: Request<Body>) -> Answer {
        if let Caller::Service(internal) = &self.caller {
            request.extensions_mut().insert(internal.clone());
        }
        request.extensions_mut().insert(self.caller.clone());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, bytes }
    }
}

/// The id of everybody whose id does not matter.
const SESSION: kernel::Uuid = kernel::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);

impl Answer {
    /// The stable code of a problem, empty for any other answer.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// A header field.
    ///
    /// # Panics
    /// When it is missing or not text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// Fails the test unless the status is `status`.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }
}
