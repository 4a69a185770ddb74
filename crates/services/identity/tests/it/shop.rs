use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bus::React;
use bytes::Bytes;
use cache::{Cache, MemoryConfig};
use contracts::customers::CustomerErased;
use contracts::identity::Client as Contract;
use contracts::{Envelope, Event};
use database::{Database, DatabaseConfig};
use host::{Channels, Platform};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use identity::{AUDIENCE, Config, HashingConfig, Service};
use kernel::{Clock, CustomerId, Rng, Secret, SessionId};
use mail::mailbox::StoredMail;
use mail::{Mailer, Sender};
use objects::Objects;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::TestDatabase;
use tower::ServiceExt as _;
use vault::{SigningConfig, Vault, VaultConfig};
use web::ClientAddress;
use web::auth::{Claims, Revocations, Verifier, VerifierOptions};
use web::channel::Switchboard;
use web::middleware::{Observer, Standard, standard};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const PUBLIC_URL: &str = "https://shop.example";

/// The service on one node, and everything that it stands on.
pub(crate) struct Shop {
    pub(crate) service: Service,
    pub(crate) platform: Platform,
    pub(crate) node: Node,
    config: Config,
    folder: TempDir,
}

/// A process that verifies tokens. Nodes share the cache and identity, and nothing else.
pub(crate) struct Node {
    pub(crate) verifier: Verifier,
    pub(crate) revocations: Revocations,
    pub(crate) identity: Contract,
    router: Router,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) raw: Bytes,
}

/// A pair of tokens.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) session: SessionId,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{:?}", self.raw);
    }

    /// The tokens in the answer.
    pub(crate) fn pair(&self) -> Pair {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.raw);
        let body = self.json();
        assert_eq!(body["token_type"], "Bearer");
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        Pair {
            access: text("access_token"),
            refresh: text("refresh_token"),
            session: text("session_id").parse().unwrap(),
        }
    }
}

/// Cheap hashes; everything else as it is delivered.
pub(crate) fn quick() -> Config {
    let hashing = HashingConfig { memory_kib: 64, passes: 1, ..HashingConfig::default() };
    Config { hashing, ..Config::default() }
}

impl Shop {
    pub(crate) async fn new(db: &TestDatabase) -> Self {
        Self::with(db, quick()).await
    }

    pub(crate) async fn with(db: &TestDatabase, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = db.clock().clone();
        let rng = Rng::system();
        let signing =
            SigningConfig { publish_before_s: 600, publish_after_s: 3_600, use_for_s: 86_400, recheck_s: 1 };
        let vault_config = VaultConfig { signing, ..VaultConfig::default() };
        let embedded = DatabaseConfig::default();
        let vault_database = Database::open(&embedded, "vault", folder.path(), clock.clone(), rng.clone());
        let vault_database = vault_database.await.unwrap();
        let vault = Vault::open(&vault_config, vault_database, folder.path(), clock.clone(), rng.clone())
            .await
            .unwrap();
        let from = Sender { name: "Souk".into(), address: "no-reply@shop.example".parse().unwrap() };
        let board = Switchboard::new();
        let platform = Platform {
            clock: clock.clone(),
            rng: rng.clone(),
            database: (**db).clone(),
            cache: Cache::memory(MemoryConfig::default(), clock.clone()),
            objects: Objects::folder(folder.path().join("objects")).unwrap(),
            mailer: Mailer::folder(folder.path().join("mail"), from, clock, rng),
            vault,
            channels: Channels::open(|to| Ok::<_, ()>(board.channel("identity", to))).unwrap(),
            public_url: PUBLIC_URL.to_owned(),
        };
        let service = Service::new(&platform, config.clone()).await.unwrap();
        let node = Node::of(&service, &platform);
        Self { service, platform, node, config, folder }
    }

    /// The same service started once more on the same data, as after a restart or on another machine.
    pub(crate) async fn another(&self) -> (Service, Node) {
        let service = Service::new(&self.platform, self.config.clone()).await.unwrap();
        let node = Node::of(&service, &self.platform);
        (service, node)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.platform.clock
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock().advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.node.send(Call::new(Method::POST, path).body(body)).await
    }

    pub(crate) async fn call(&self, call: Call) -> Answer {
        self.node.send(call).await
    }

    /// Signs up and reads the mail.
    pub(crate) async fn signed_up(&self, email: &str, password: &str) -> StoredMail {
        let body = json!({"email": email, "password": password});
        assert_eq!(self.post("/v1/auth/signup", body).await.status, StatusCode::ACCEPTED);
        self.service.catch_up().await.unwrap();
        self.last_mail(email).await
    }

    /// A customer with a proved address, and the session of their sign-up.
    pub(crate) async fn customer(&self, email: &str) -> (CustomerId, Pair) {
        let mail = self.signed_up(email, PASSWORD).await;
        let pair = self.post("/v1/auth/verify", json!({"token": token_in(&mail)})).await.pair();
        let claims = self.node.verifier.verify(&pair.access).await.unwrap();
        (claims.sub.parse().unwrap(), pair)
    }

    /// An administrator.
    pub(crate) async fn administrator(&self) -> Pair {
        let password = Secret::new(PASSWORD.to_owned());
        self.service.add_staff("root@example.com", &[web::Role::Administrator], &password).await.unwrap();
        self.sign_in("root@example.com", PASSWORD).await.pair()
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post("/v1/auth/signin", json!({"email": email, "password": password})).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post("/v1/auth/refresh", json!({"refresh_token": token})).await
    }

    pub(crate) async fn claims(&self, pair: &Pair) -> Claims {
        (*self.node.verifier.verify(&pair.access).await.unwrap()).clone()
    }

    /// All mails to an address, the oldest first.
    pub(crate) async fn mails(&self, to: &str) -> Vec<StoredMail> {
        let all = mail::mailbox::list(&self.folder.path().join("mail"), 1_000).await.unwrap();
        let mut mails: Vec<_> = all.into_iter().filter(|mail| mail.to.eq_ignore_ascii_case(to)).collect();
        mails.sort_by(|a, b| a.name.cmp(&b.name));
        mails
    }

    pub(crate) async fn last_mail(&self, to: &str) -> StoredMail {
        self.mails(to).await.pop().unwrap_or_else(|| panic!("no mail to {to}"))
    }

    /// Every event of type `E` that was written.
    pub(crate) async fn events<E: Event>(&self) -> Vec<E> {
        let entries = self.platform.database.outbox_after(0, 10_000).await.unwrap();
        entries.iter().filter_map(|entry| entry.envelope.read::<E>().unwrap()).collect()
    }

    /// Does what follows from `event`, as the bus does.
    pub(crate) async fn react(&self, envelope: &Envelope) {
        for reaction in self.service.reactions() {
            let (reaction, envelope): (&dyn React, _) = (&*reaction, envelope);
            self.platform
                .database
                .write(|mut tx| async move {
                    if tx.first_time(reaction.consumer(), envelope.id).await? {
                        reaction.react(&mut tx, envelope).await.unwrap();
                    }
                    tx.commit(()).await
                })
                .await
                .map_err(|error: database::Error| error)
                .unwrap();
        }
    }

    pub(crate) fn erased(&self, customer_id: CustomerId) -> Envelope {
        let id = kernel::EventId::new(self.clock().now(), &self.platform.rng);
        Envelope::new(id, "customers", self.clock().now(), &CustomerErased { customer_id }).unwrap()
    }

    /// How many rows a table has.
    pub(crate) async fn rows(&self, table: &'static str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let mut reader = self.platform.database.read_primary().await.unwrap();
        let (count,) = reader.fetch_one(&sql, &[]).await.unwrap();
        count
    }
}

impl Node {
    pub(crate) fn of(service: &Service, platform: &Platform) -> Self {
        let clock = platform.clock.clone();
        let identity = Contract::new(web::channel::local("gateway", "identity", service.internal()));
        let revocations = Revocations::new(clock.clone());
        let options = VerifierOptions::new(PUBLIC_URL, AUDIENCE);
        let verifier = Verifier::new(options, identity.clone(), revocations.clone(), clock.clone());
        let (router, _) = service.router().split_for_parts();
        let router = web::auth::layer(router, verifier.clone());
        let proxies = std::iter::empty().collect();
        let observer = Observer { clock, rng: platform.rng.clone(), proxies };
        let router = standard(router, Standard::new(observer));
        Self { verifier, revocations, identity, router }
    }

    pub(crate) async fn send(&self, call: Call) -> Answer {
        let response = self.router.clone().oneshot(call.0).await.unwrap();
        let (parts, body) = response.into_parts();
        let raw = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, raw }
    }
}

/// A request in the making.
pub(crate) struct Call(Request<Body>);

impl Call {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        Self(request).from("192.0.2.7")
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &str, body: Value) -> Self {
        Self::new(Method::POST, path).body(body)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self = self.header(header::CONTENT_TYPE, "application/json");
        *self.0.body_mut() = Body::from(body.to_string());
        self
    }

    pub(crate) fn bearer(self, pair: &Pair) -> Self {
        self.header(header::AUTHORIZATION, &format!("Bearer {}", pair.access))
    }

    pub(crate) fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        self.0.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    /// From this network address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.0.extensions_mut().insert(ClientAddress(address.parse::<IpAddr>().unwrap()));
        self
    }
}

/// The token of the link in a mail.
pub(crate) fn token_in(mail: &StoredMail) -> String {
    let (_, after) = mail.text.split_once("#token=").unwrap_or_else(|| panic!("no link in {}", mail.text));
    after.split_whitespace().next().unwrap().to_owned()
}

/// The code in a mail.
pub(crate) fn code_in(mail: &StoredMail) -> String {
    let (_, after) =
        mail.text.split_once("type this code: ").unwrap_or_else(|| panic!("no code in {}", mail.text));
    after.lines().next().unwrap().to_owned()
}

/// Looks again and again, for at most `patience`.
pub(crate) async fn soon<F: Future<Output = bool>>(patience: Duration, mut look: impl FnMut() -> F) -> bool {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if look().await {
            return true;
        }
        if tokio::time::Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
