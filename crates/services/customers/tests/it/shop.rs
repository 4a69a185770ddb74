//! The service with everything it stands on, and people who call it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Path;
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router};
use cache::{Cache, MemoryConfig};
use contracts::identity::{AccountVerified, EMAIL_CONTEXT, NAME_CONTEXT};
use contracts::{Channel, Envelope, Event, Sealed};
use customers::{Config, Service};
use database::{Database, DatabaseConfig};
use host::{Channels, Platform, Shutdown};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::{CustomerId, EventId, Rng, StaffId, Timestamp};
use mail::{MailConfig, Mailer};
use objects::{FolderConfig, Objects, ObjectsConfig};
use serde_json::{Value, json};
use testkit::TestDatabase;
use tower::ServiceExt as _;
use vault::{Vault, VaultConfig};
use web::{Caller, Customer, Role, Staff, channel};

/// The service, alone with services that others play.
pub(crate) struct Shop {
    pub(crate) db: TestDatabase,
    pub(crate) vault: Vault,
    pub(crate) service: Service,
    /// Whether orders answers nothing but faults.
    pub(crate) orders_away: Arc<AtomicBool>,
    platform: Platform,
    router: Router,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer that says yes.
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.json
    }

    /// The status and the code of one that says no.
    pub(crate) fn code(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        (self.status.as_u16(), self.json["code"].as_str().unwrap())
    }

    /// Where one that says no found fault.
    pub(crate) fn pointers(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
    }
}

impl Shop {
    pub(crate) async fn open(db: TestDatabase) -> Self {
        let (clock, folder) = (db.clock().clone(), db.folder().to_owned());
        let vault_database =
            Database::open(&DatabaseConfig::default(), "vault", &folder, clock.clone(), Rng::system())
                .await
                .unwrap();
        let vault =
            Vault::open(&VaultConfig::default(), vault_database, &folder, clock.clone(), Rng::system())
                .await
                .unwrap();
        let orders_away = Arc::new(AtomicBool::new(false));
        let others = others(Arc::clone(&orders_away));
        let platform = Platform {
            clock: clock.clone(),
            rng: Rng::system(),
            database: Database::clone(&db),
            cache: Cache::memory(MemoryConfig::default(), clock.clone()),
            objects: Objects::open(&ObjectsConfig::Folder(FolderConfig { path: folder.join("objects") }))
                .unwrap(),
            mailer: Mailer::open(&MailConfig::default(), &folder, clock, Rng::system()).unwrap(),
            vault: vault.clone(),
            channels: Channels::open(|to| {
                Ok::<Channel, std::convert::Infallible>(channel::local("customers", to, others.clone()))
            })
            .unwrap(),
            public_url: "https://shop.example".to_owned(),
        };
        let service = Service::new(&platform, Config::default()).await.unwrap();
        let (router, _) = service.router().split_for_parts();
        Self { db, vault, service, orders_away, platform, router }
    }

    /// What another service gets when it asks this one.
    pub(crate) fn client(&self) -> contracts::customers::Client {
        contracts::customers::Client::new(channel::local("orders", "customers", self.service.internal()))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.platform.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.platform.clock.advance(by);
    }

    /// A customer who has just signed in, and of whom this service knows nothing.
    pub(crate) fn customer(&self) -> Caller {
        let rng = &self.platform.rng;
        let (id, now) = (CustomerId::new(self.now(), rng), self.now());
        Caller::Customer(Customer { id, session: kernel::SessionId::new(now, rng), authenticated_at: now })
    }

    pub(crate) fn staff(&self, role: Role) -> Caller {
        let (rng, now) = (&self.platform.rng, self.now());
        let session = kernel::SessionId::new(now, rng);
        Caller::Staff(Staff { id: StaffId::new(now, rng), session, roles: vec![role], authenticated_at: now })
    }

    /// The event that identity writes when somebody proved their address.
    pub(crate) async fn verified(&self, customer: &Caller, email: &str, name: Option<&str>) -> Envelope {
        let customer_id = id(customer);
        let seal = async |context, text: &str| {
            Sealed(self.vault.seal(customer_id.uuid(), context, text.as_bytes()).await.unwrap())
        };
        let email = seal(EMAIL_CONTEXT, email).await;
        let name = match name {
            Some(name) => Some(seal(NAME_CONTEXT, name).await),
            None => None,
        };
        let event = AccountVerified { customer_id, email, name };
        let id = EventId::new(self.now(), &self.platform.rng);
        Envelope::new(id, "identity", self.now(), &event).unwrap()
    }

    /// Delivers an event as the bus does: the effect and the note of it in one transaction.
    pub(crate) async fn deliver(&self, event: &Envelope) {
        for reaction in self.service.reactions() {
            if reaction.types().contains(&event.kind.as_str()) {
                let reaction = &reaction;
                self.db
                    .write(|mut tx| async move {
                        if tx.first_time(reaction.consumer(), event.id).await? {
                            reaction.react(&mut tx, event).await.unwrap();
                        }
                        tx.commit(()).await
                    })
                    .await
                    .map_err(|error: database::Error| error)
                    .unwrap();
            }
        }
    }

    /// The events of one type that this service wrote.
    pub(crate) async fn events<E: Event>(&self) -> Vec<E> {
        let entries = self.db.outbox_after(0, 1_000).await.unwrap();
        entries.iter().filter_map(|entry| entry.envelope.read::<E>().unwrap()).collect()
    }

    /// Lets the service's workers run until `done` says that they have done what was to be done.
    pub(crate) async fn work_until(&self, mut done: impl AsyncFnMut() -> bool) {
        let shutdown = Shutdown::new();
        let running: Vec<_> =
            self.service.workers().iter().map(|worker| tokio::spawn(worker.run(shutdown.clone()))).collect();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while !done().await {
            assert!(tokio::time::Instant::now() < deadline, "the workers did not do it in time");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shutdown.set();
        for worker in running {
            worker.await.unwrap();
        }
    }

    pub(crate) async fn send(&self, caller: &Caller, request: Request<Body>) -> Answer {
        let mut request = request;
        request.extensions_mut().insert(caller.clone());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let json = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Answer { status: parts.status, headers: parts.headers, json }
    }

    pub(crate) async fn get(&self, caller: &Caller, path: &str) -> Answer {
        self.send(caller, request(Method::GET, path, &[], None)).await
    }

    pub(crate) async fn post(&self, caller: &Caller, path: &str, body: Value) -> Answer {
        self.send(caller, request(Method::POST, path, &[], Some(body))).await
    }

    pub(crate) async fn put(&self, caller: &Caller, path: &str, if_match: &str, body: Value) -> Answer {
        self.send(caller, request(Method::PUT, path, &[("if-match", if_match)], Some(body))).await
    }

    pub(crate) async fn patch(&self, caller: &Caller, if_match: &str, body: Value) -> Answer {
        let headers = [("if-match", if_match)];
        self.send(caller, request(Method::PATCH, "/v1/customers/me", &headers, Some(body))).await
    }

    pub(crate) async fn delete(&self, caller: &Caller, path: &str) -> Answer {
        self.send(caller, request(Method::DELETE, path, &[], None)).await
    }
}

pub(crate) fn id(caller: &Caller) -> CustomerId {
    match caller {
        Caller::Customer(customer) => customer.id,
        other => panic!("{other:?} is no customer"),
    }
}

pub(crate) fn request(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    match body {
        Some(body) => {
            request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
        }
        None => request.body(Body::empty()).unwrap(),
    }
}

/// Everybody who holds something about a person, as far as this service asks them.
fn others(orders_away: Arc<AtomicBool>) -> Router {
    let export = |name: &'static str| {
        get(move |Path(id): Path<CustomerId>| async move { Json(json!({"service": name, "customer": id})) })
    };
    let orders = get(async move |Path(id): Path<CustomerId>| {
        if orders_away.load(Ordering::SeqCst) {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        Json(json!({"service": "orders", "customer": id})).into_response()
    });
    Router::new()
        .route("/internal/identity/customers/{id}/export", export("identity"))
        .route("/internal/payments/customers/{id}/export", export("payments"))
        .route("/internal/analytics/customers/{id}/export", export("analytics"))
        .route("/internal/feedback/customers/{id}/export", export("feedback"))
        .route("/internal/orders/customers/{id}/export", orders)
}
