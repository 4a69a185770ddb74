use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use cache::{Cache, MemoryConfig};
use catalog::{Config, Service};
use contracts::catalog::{Client, ImportProduct, ImportSeller, ImportVariant, LineRequest, ReserveStock};
use contracts::import::{Mode, Verdict};
use contracts::{Channel, ChannelError, Event};
use database::{Database, DatabaseConfig};
use host::{Channels, Platform};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::{
    CheckoutId, CustomerId, Money, ProductId, Rng, SellerId, SessionId, StaffId, Timestamp, VariantId,
};
use mail::{Mailer, Sender};
use objects::Objects;
use serde_json::{Value, json};
use testkit::TestDatabase;
use tower::ServiceExt as _;
use uuid::Uuid;
use vault::{Vault, VaultConfig};
use web::middleware::{Observer, Standard, standard};
use web::{Caller, Customer, Role, Staff};

/// A catalogue on a database of its own, with its routes as they meet the world.
pub(crate) struct Shop {
    pub(crate) db: TestDatabase,
    pub(crate) objects: Objects,
    pub(crate) service: Service,
    pub(crate) client: Client,
    app: Router,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap()
    }

    /// The status and the code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        (self.status.as_u16(), self.json()["code"].as_str().unwrap().to_owned())
    }

    /// What was wrong where.
    pub(crate) fn errors(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"].as_array().unwrap_or_else(|| panic!("no errors: {json}"));
        let text = |error: &Value, member: &str| error[member].as_str().unwrap().to_owned();
        errors.iter().map(|error| format!("{} {}", text(error, "pointer"), text(error, "code"))).collect()
    }

    /// The JSON of an answer that must be a success.
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.json()
    }

    /// The handles of the products of a page.
    pub(crate) fn handles(&self) -> Vec<String> {
        let json = self.ok();
        json["data"].as_array().unwrap().iter().map(|it| it["handle"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn nobody(service: &'static str) -> Result<Channel, std::convert::Infallible> {
    Ok(Channel::new(tower::service_fn(move |_: Request<Bytes>| async move {
        Err(ChannelError::Unreachable { service: service.to_owned() })
    })))
}

async fn platform(db: &TestDatabase) -> Platform {
    let (clock, rng) = (db.clock().clone(), Rng::seeded(7));
    let folder = db.folder();
    let keys = Database::open(&DatabaseConfig::default(), "vault", folder, clock.clone(), rng.clone())
        .await
        .unwrap();
    let vault = Vault::open(&VaultConfig::default(), keys, folder, clock.clone(), rng.clone()).await.unwrap();
    let from = Sender { name: "Souk".to_owned(), address: "shop@example.com".parse().unwrap() };
    Platform {
        database: (**db).clone(),
        cache: Cache::memory(MemoryConfig::default(), clock.clone()),
        objects: Objects::folder(folder.join("objects")).unwrap(),
        mailer: Mailer::folder(folder.join("mail"), from, clock.clone(), rng.clone()),
        vault,
        channels: Channels::open(nobody).unwrap(),
        public_url: "https://shop.example".to_owned(),
        clock,
        rng,
    }
}

impl Shop {
    /// An empty catalogue that looks for ended reservations all the time.
    pub(crate) async fn open(db: TestDatabase) -> Self {
        let platform = platform(&db).await;
        let config = Config { expiry_interval_ms: 10, ..Config::default() };
        let service = Service::new(&platform, config).await.unwrap();
        let (routes, _) = service.router().split_for_parts();
        let observer = Observer {
            clock: platform.clock.clone(),
            rng: platform.rng.clone(),
            proxies: [].into_iter().collect(),
        };
        let client = Client::new(web::channel::local("orders", "catalog", service.internal()));
        Self {
            db,
            objects: platform.objects,
            service,
            client,
            app: standard(routes, Standard::new(observer)),
        }
    }

    /// A catalogue with `products` in it.
    pub(crate) async fn with(db: TestDatabase, products: Vec<ImportProduct>) -> Self {
        let shop = Self::open(db).await;
        for verdict in shop.import(products).await {
            assert_eq!(verdict, Verdict::Created);
        }
        shop
    }

    pub(crate) async fn import(&self, products: Vec<ImportProduct>) -> Vec<Verdict> {
        self.service.import_products(products, Mode::Apply).await.unwrap()
    }

    /// Sends a request on behalf of `caller`, with these header fields.
    pub(crate) async fn send(
        &self,
        (method, path): (Method, &str),
        caller: Caller,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).extension(caller);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.app.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send((Method::GET, path), Caller::Anonymous, &[], Body::empty()).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send((Method::GET, path), Caller::Anonymous, headers, Body::empty()).await
    }

    /// A JSON request of a member of the staff who looks after the catalogue.
    pub(crate) async fn staff(
        &self,
        request: (Method, &str),
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        self.json(request, staff(&[Role::Catalog]), headers, body).await
    }

    pub(crate) async fn json(
        &self,
        request: (Method, &str),
        caller: Caller,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.send(request, caller, &headers, body.to_string()).await
    }

    /// Reserves for ten minutes.
    pub(crate) async fn reserve(
        &self,
        checkout: u128,
        lines: &[(&str, i64)],
    ) -> Result<(), contracts::CallError> {
        self.client.reserve(&request(checkout, lines)).await
    }

    /// How many can be bought of the variant, as the public API tells.
    pub(crate) async fn available(&self, product: &str, sku: &str) -> i64 {
        let json = self.get(&format!("/v1/products/{product}")).await.ok();
        let variants = json["variants"].as_array().unwrap();
        variants.iter().find(|variant| variant["sku"] == sku).unwrap()["available"].as_i64().unwrap()
    }

    /// What was published after `position`, as type, subject and data; and the position then.
    pub(crate) async fn events(&self, position: i64) -> (Vec<(String, Value)>, i64) {
        let entries = self.db.outbox_after(position, 10_000).await.unwrap();
        let last = entries.last().map_or(position, |entry| entry.position);
        (entries.into_iter().map(|entry| (entry.envelope.kind, entry.envelope.data)).collect(), last)
    }

    /// The stock that was announced after `position`, in order.
    pub(crate) async fn announced(&self, position: i64) -> (Vec<i64>, i64) {
        let (events, last) = self.events(position).await;
        let stock = events.iter().filter(|(kind, _)| kind == contracts::catalog::StockChanged::TYPE);
        (stock.map(|(_, data)| data["available"].as_i64().unwrap()).collect(), last)
    }

    /// The ledger is whole: nothing was ever lost or made up.
    pub(crate) async fn assert_sound(&self) {
        assert_eq!(ledger::verify(&mut self.db.read_primary().await.unwrap()).await.unwrap(), []);
    }
}

pub(crate) fn staff(roles: &[Role]) -> Caller {
    Caller::Staff(Staff {
        id: StaffId::from_uuid(Uuid::from_u128(1)),
        session: SessionId::from_uuid(Uuid::from_u128(1)),
        roles: roles.to_vec(),
        authenticated_at: Timestamp::EPOCH,
    })
}

pub(crate) fn customer() -> Caller {
    Caller::Customer(Customer {
        id: CustomerId::from_uuid(Uuid::from_u128(1)),
        session: SessionId::from_uuid(Uuid::from_u128(1)),
        authenticated_at: Timestamp::EPOCH,
    })
}

/// A product that is for sale; its ids follow from its names.
pub(crate) fn product(handle: &str, variants: &[(&str, i64, i64)]) -> ImportProduct {
    let variants = variants.iter().map(|(sku, price, stock)| ImportVariant {
        variant_id: variant_id(sku),
        sku: (*sku).to_owned(),
        title: format!("Shade {sku}"),
        options: vec![("Shade".to_owned(), (*sku).to_owned())],
        price: Money::new(*price, kernel::Currency::EUR),
        stock: Some(*stock),
    });
    ImportProduct {
        product_id: product_id(handle),
        handle: handle.to_owned(),
        title: handle.to_owned(),
        description: "Feels like nothing.".to_owned(),
        brand: "Maren Vale".to_owned(),
        categories: vec!["face/foundation".to_owned(), "face".to_owned()],
        seller: ImportSeller { seller_id: seller_id("Maren Vale"), name: "Maren Vale".to_owned() },
        ingredients: Some("Aqua, Glycerin".to_owned()),
        images: vec![format!("/media/products/{handle}.svg")],
        status: "active".to_owned(),
        variants: variants.collect(),
        created_at: Timestamp::from_seconds(1_760_000_000),
    }
}

fn number(name: &str) -> Uuid {
    let mut bytes = [0; 16];
    for (index, byte) in name.bytes().enumerate() {
        bytes[index % 16] ^= byte.rotate_left(u32::try_from(index / 16).unwrap());
    }
    Uuid::from_bytes(bytes)
}

pub(crate) fn product_id(handle: &str) -> ProductId {
    ProductId::from_uuid(number(handle))
}

pub(crate) fn variant_id(sku: &str) -> VariantId {
    VariantId::from_uuid(number(sku))
}

pub(crate) fn seller_id(name: &str) -> SellerId {
    SellerId::from_uuid(number(name))
}

pub(crate) fn checkout(number: u128) -> CheckoutId {
    CheckoutId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn request(number: u128, lines: &[(&str, i64)]) -> ReserveStock {
    let line =
        |(sku, quantity): &(&str, i64)| LineRequest { variant_id: variant_id(sku), quantity: *quantity };
    ReserveStock { checkout_id: checkout(number), lines: lines.iter().map(line).collect(), hold_seconds: 600 }
}

/// A product for staff to add.
pub(crate) fn new_product(seller: &Value) -> Value {
    json!({
        "title": "Soirée Satin Lipstick",
        "brand": "Maren Vale",
        "categories": ["Lips/Lipstick"],
        "seller_id": seller,
        "images": [{"url": "/media/uploads/a.png", "alt": "A lipstick"}],
        "status": "active",
        "variants": [
            {"sku": "MV-SOIREE-01", "title": "Rosewood", "options": [{"name": "Shade", "value": "Rosewood"}],
             "price": {"amount": 2900, "currency": "EUR"}, "stock": 12},
            {"sku": "MV-SOIREE-02", "title": "Cerise", "price": {"amount": 3100, "currency": "EUR"}}
        ]
    })
}
