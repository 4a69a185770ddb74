use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use contracts::payments::{AuthorizePayment, Client, Payment, PaymentMethod, PaymentStatus};
use contracts::{CallError, Envelope};
use database::{Database, params};
use hmac::{Hmac, KeyInit as _, Mac as _};
use host::{Channels, Platform, Shutdown};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::{Clock, Currency, CustomerId, Money, OrderId, PaymentId, Rng, SessionId, StaffId};
use payments::{Config, SandboxConfig, Service};
use serde_json::Value;
use sha2::Sha256;
use tempfile::TempDir;
use testkit::TestDatabase;
use tower::ServiceExt as _;
use vault::{Vault, VaultConfig};
use web::channel::{Switchboard, local};
use web::middleware::{Observer, Standard, standard};
use web::{Caller, Customer, Role, Staff};

/// For how long a test waits for something that is to happen.
const DEADLINE: Duration = Duration::from_secs(20);

/// A payments service of a shop, as its process would run it.
pub(crate) struct Shop {
    pub(crate) database: Database,
    pub(crate) service: Service,
    pub(crate) public: Router,
    /// As the orders service calls it.
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    /// What the sandbox signs with.
    pub(crate) webhook_secret: Vec<u8>,
    running: Shutdown,
    _folder: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A sandbox that is waited for as long as a busy machine takes.
pub(crate) fn config() -> Config {
    let sandbox = SandboxConfig {
        timeout_ms: 9_000,
        late_webhook_ms: 60_000,
        webhook_tries: 3,
        ..SandboxConfig::default()
    };
    Config { sandbox, ..Config::default() }
}

/// A sandbox that is not waited for that long, for tests in which it never answers.
pub(crate) fn hasty() -> Config {
    let sandbox = SandboxConfig { timeout_ms: 2_000, ..config().sandbox };
    Config { sandbox, ..config() }
}

pub(crate) fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

impl Shop {
    /// A shop on `db` that does nothing by itself: see [`Shop::start`].
    pub(crate) async fn idle(db: &TestDatabase) -> Self {
        Self::with(Database::clone(db), config()).await
    }

    /// The same with a sandbox that is not waited for long.
    pub(crate) async fn hasty(db: &TestDatabase) -> Self {
        Self::with(Database::clone(db), hasty()).await
    }

    /// A shop on `db` whose workers run.
    pub(crate) async fn open(db: &TestDatabase) -> Self {
        let shop = Self::idle(db).await;
        shop.start(&[]);
        shop
    }

    pub(crate) async fn with(database: Database, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, rng) = (database.clock().clone(), Rng::system());
        let platform = platform(&database, &folder).await;
        let service = Service::new(&platform, config).await.unwrap();
        let webhook_secret = platform.vault.derive("payments.sandbox.webhooks").expose().to_vec();
        let (public, _) = service.router().split_for_parts();
        let observer = Observer { clock: clock.clone(), rng: rng.clone(), proxies: Default::default() };
        let public = standard(public, Standard::new(observer));
        let client = Client::new(local("orders", "payments", service.internal()));
        let running = Shutdown::new();
        Self { database, service, public, client, clock, rng, webhook_secret, running, _folder: folder }
    }

    /// Runs the workers with these names, or all when none is named.
    pub(crate) fn start(&self, names: &[&str]) {
        for worker in self.service.workers() {
            if names.is_empty() || names.contains(&worker.name) {
                tokio::spawn(worker.run(self.running.clone()));
            }
        }
    }

    /// Lets time pass.
    pub(crate) fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A payment of 42 euros with `token` that nobody has asked for yet.
    pub(crate) fn wanted(&self, token: &str) -> AuthorizePayment {
        let now = self.clock.now();
        AuthorizePayment {
            payment_id: PaymentId::new(now, &self.rng),
            order_id: OrderId::new(now, &self.rng),
            customer_id: Some(CustomerId::new(now, &self.rng)),
            amount: eur(4_200),
            method: PaymentMethod { method: "card".into(), token: token.into() },
            return_url: "/orders/thanks?from=bank".into(),
        }
    }

    pub(crate) async fn authorize(&self, token: &str) -> Payment {
        self.client.authorize(&self.wanted(token)).await.unwrap()
    }

    /// A payment with `token` whose money was taken.
    pub(crate) async fn captured(&self, token: &str) -> Payment {
        let payment = self.authorize(token).await;
        assert_eq!(payment.status, PaymentStatus::Authorized);
        self.client.capture(payment.payment_id).await.unwrap()
    }

    /// Waits until a payment has this status.
    pub(crate) async fn becomes(&self, payment: PaymentId, status: PaymentStatus) -> Payment {
        self.until(&format!("{payment} is {status:?}"), async || {
            let payment = self.client.get(payment).await.unwrap();
            (payment.status == status).then_some(payment)
        })
        .await
    }

    /// Waits until `look` finds something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let begun = tokio::time::Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if begun.elapsed() > DEADLINE {
                panic!("it never came to be that {what}; what is still to be done: {:?}", self.due().await);
            }
            // Time passes for the shop as well: what failed on a busy machine is tried again later.
            let pause = Duration::from_millis(10);
            self.clock.advance(pause);
            tokio::time::sleep(pause).await;
        }
    }

    /// What is still to be done, and what went wrong with it.
    async fn due(&self) -> Vec<(String, String, Option<String>)> {
        let mut reader = self.database.read_primary().await.unwrap();
        reader.fetch_all("SELECT queue, item_key, last_error FROM platform_due", &[]).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.public.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, caller: &Caller, path: &str) -> Answer {
        self.send(request(Method::GET, caller, path, &[], Body::empty())).await
    }

    pub(crate) async fn post(
        &self,
        caller: &Caller,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send(request(Method::POST, caller, path, &all, body.to_string().into())).await
    }

    /// Delivers a notification as the sandbox would.
    pub(crate) async fn notify(&self, body: &str) -> Answer {
        let signature = signed(&self.webhook_secret, self.clock.now().as_seconds(), body);
        self.deliver(Some(&signature), body).await
    }

    /// Delivers a notification with this signature.
    pub(crate) async fn deliver(&self, signature: Option<&str>, body: &str) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(signature.map(|signature| ("sandbox-signature", signature)));
        let body = Body::from(body.to_owned());
        self.send(request(Method::POST, &Caller::Anonymous, "/webhooks/sandbox", &headers, body)).await
    }

    /// How many rows of a table there are, under a condition.
    pub(crate) async fn count(&self, from: &str) -> i64 {
        let mut reader = self.database.read_primary().await.unwrap();
        let (count,) = reader.fetch_one(&format!("SELECT COUNT(*) FROM {from}"), &params![]).await.unwrap();
        count
    }

    /// What became of the notifications about a payment, sorted.
    pub(crate) async fn outcomes(&self, payment: PaymentId) -> Vec<(String, Option<String>)> {
        let mut reader = self.database.read_primary().await.unwrap();
        let sql = "SELECT kind, outcome FROM webhooks WHERE payment_id = $1 ORDER BY kind";
        reader.fetch_all(sql, &params![payment]).await.unwrap()
    }

    /// The events that were published, as `type status`, in order.
    pub(crate) async fn events(&self, payment: PaymentId) -> Vec<String> {
        let entries = self.database.outbox_after(0, 1_000).await.unwrap();
        let of = |envelope: &Envelope| {
            let id = envelope.data.pointer("/payment/payment_id").or(envelope.data.pointer("/payment_id"));
            id.is_some_and(|id| *id == payment.to_string())
        };
        let told = entries.iter().map(|entry| &entry.envelope).filter(|envelope| of(envelope));
        told.map(|envelope| {
            let status = envelope.data.pointer("/payment/status").or(envelope.data.pointer("/status"));
            format!("{} {}", envelope.kind, status.and_then(Value::as_str).unwrap())
        })
        .collect()
    }

    /// The books add up, and what the provider owes is what was taken less what was given back.
    pub(crate) async fn assert_books(&self, owed: i64) {
        let mut reader = self.database.read_primary().await.unwrap();
        assert_eq!(ledger::verify(&mut reader).await.unwrap(), []);
        let sql = "SELECT CAST(COALESCE(SUM(debits_posted - credits_posted), 0) AS BIGINT) FROM ledger_accounts \
                   WHERE kind = $1";
        let (sum,): (i64,) = reader.fetch_one(sql, &params!["receivable:sandbox"]).await.unwrap();
        assert_eq!(sum, owed, "what the sandbox owes");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.running.set();
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The status and the code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        (self.status.as_u16(), self.json()["code"].as_str().unwrap().to_owned())
    }
}

/// A signature in the sandbox's scheme, computed apart from the service.
pub(crate) fn signed(secret: &[u8], at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The code of a refusal to another service.
pub(crate) fn code(error: CallError) -> String {
    error.rejection().unwrap_or_else(|| panic!("{error:?}")).code.clone()
}

pub(crate) fn request(
    method: Method,
    caller: &Caller,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(body).unwrap();
    request.extensions_mut().insert(caller.clone());
    request
}

pub(crate) fn staff(roles: &[Role]) -> Caller {
    let rng = Rng::system();
    let now = Clock::system().now();
    Caller::Staff(Staff {
        id: StaffId::new(now, &rng),
        session: SessionId::new(now, &rng),
        roles: roles.to_vec(),
        authenticated_at: now,
    })
}

pub(crate) fn customer(id: CustomerId) -> Caller {
    let now = Clock::system().now();
    let session = SessionId::new(now, &Rng::system());
    Caller::Customer(Customer { id, session, authenticated_at: now })
}

async fn platform(database: &Database, folder: &TempDir) -> Platform {
    let (clock, rng) = (database.clock().clone(), Rng::system());
    let config = database::DatabaseConfig::default();
    let keys = Database::open(&config, "vault", folder.path(), clock.clone(), rng.clone()).await.unwrap();
    let vault = VaultConfig { master_key: Some("07".repeat(32).into()), ..VaultConfig::default() };
    let board = Switchboard::new();
    let channels = Channels::open(|to| Ok::<_, std::convert::Infallible>(board.channel("payments", to)));
    let mail = mail::MailConfig::default();
    Platform {
        database: database.clone(),
        cache: cache::Cache::memory(cache::MemoryConfig::default(), clock.clone()),
        objects: objects::Objects::folder(folder.path().join("objects")).unwrap(),
        mailer: mail::Mailer::open(&mail, folder.path(), clock.clone(), rng.clone()).unwrap(),
        vault: Vault::open(&vault, keys, folder.path(), clock.clone(), rng.clone()).await.unwrap(),
        channels: channels.unwrap(),
        public_url: "https://shop.example".into(),
        clock,
        rng,
    }
}
