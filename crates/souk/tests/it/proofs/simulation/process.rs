//! A process of the shop: the services on the databases, with their workers and the bus.

use std::path::Path;

use axum::Router;
use axum::routing::get;
use bus::{Bus, BusConfig, Subscription};
use cache::{Cache, MemoryConfig};
use contracts::catalog::ImportProduct;
use contracts::import::Mode;
use database::{Database, DatabaseConfig, EmbeddedConfig, params};
use host::{Channels, Platform, Shutdown};
use kernel::{Clock, Rng};
use mail::{Mailer, Sender};
use objects::Objects;
use serde_json::json;
use vault::{Vault, VaultConfig};
use web::channel::Switchboard;

use super::network::Network;
use super::pool::Pool;
use super::world::{Clocks, World};

pub const URL: &str = "https://shop.example";

/// More than the bus takes to get ready.
const STEPS_OF_BUS: usize = 16;

/// A running process.
pub struct Process {
    pub orders: Database,
    pub catalog: Database,
    pub payments: Database,
    /// Everything that the world may call.
    pub public: Router,
    pub network: Network,
}

struct Services {
    orders: orders::Service,
    catalog: catalog::Service,
    payments: payments::Service,
    databases: [Database; 3],
}

impl Process {
    /// Starts on what `world` holds, for the `life`th time. `again` is how many events the bus delivers once
    /// more to each consumer.
    pub async fn start(world: &World, life: u64, again: i64) -> (Self, Pool) {
        let network = Network::default();
        let rng = Rng::seeded(world.seed.wrapping_mul(1_000_003).wrapping_add(life));
        let services = Services::open(world.folder.path(), &world.clocks, &rng, &network).await;
        let [orders, catalog, payments] = services.databases.clone();
        for database in &services.databases {
            forget_positions(database, again).await;
        }
        let mut pool = Pool::hold();
        let (bus, subscriptions) =
            (Bus::open(&BusConfig::default()).await.unwrap(), services.subscriptions());
        let sources = services.databases.to_vec();
        tokio::spawn(async move { bus.run(sources, subscriptions, Shutdown::new().token()).await });
        // The bus looks after its tables first, on connections of its own. A transaction that waits for the
        // pool meanwhile would wait for them, and they for it.
        for _ in 0..STEPS_OF_BUS {
            pool.let_through();
            tokio::task::yield_now().await;
        }
        let workers = services.orders.workers().into_iter();
        for worker in workers.chain(services.catalog.workers()).chain(services.payments.workers()) {
            tokio::spawn(async move { worker.run(Shutdown::new()).await });
        }
        let routers = [services.orders.router(), services.catalog.router(), services.payments.router()];
        let public =
            routers.into_iter().map(|router| router.split_for_parts().0).fold(Router::new(), Router::merge);
        (Self { orders, catalog, payments, public, network }, pool)
    }
}

/// Makes the databases in `folder`, with `products` for sale.
pub async fn found(folder: &Path, clocks: &Clocks, products: Vec<ImportProduct>) {
    let services = Services::open(folder, clocks, &Rng::seeded(0), &Network::default()).await;
    services.catalog.import_products(products, Mode::Apply).await.unwrap();
    for database in &services.databases {
        database.migrate("bus", bus::MIGRATIONS).await.unwrap();
    }
}

impl Services {
    async fn open(folder: &Path, clocks: &Clocks, rng: &Rng, network: &Network) -> Self {
        let board = Switchboard::new();
        let keys = open("vault", folder, &clocks.orders, rng).await;
        let config = VaultConfig::default();
        let vault = Vault::open(&config, keys, folder, clocks.orders.clone(), rng.clone()).await.unwrap();
        let mut platforms = Vec::new();
        for name in ["orders", "catalog", "payments"] {
            let (clock, rng) = (clocks.of(name).clone(), rng.clone());
            let from = Sender { name: "Souk".to_owned(), address: "shop@souk.example".parse().unwrap() };
            platforms.push(Platform {
                database: open(name, folder, &clock, &rng).await,
                cache: Cache::memory(MemoryConfig::default(), clock.clone()),
                objects: Objects::folder(folder.join("objects")).unwrap(),
                mailer: Mailer::folder(folder.join("mail"), from, clock.clone(), rng.clone()),
                vault: vault.clone(),
                channels: channels(name, &board, network),
                public_url: URL.to_owned(),
                clock,
                rng,
            });
        }
        let databases = [0, 1, 2].map(|index: usize| platforms[index].database.clone());
        let wire = network.clone();
        let over = move |from, to, channel| wire.lay(from, to, channel);
        let services = Self {
            orders: orders::Service::new(&platforms[0], orders::Config::default()).await.unwrap(),
            catalog: catalog::Service::new(&platforms[1], catalog::Config::default()).await.unwrap(),
            payments: payments::Service::over(&platforms[2], payments(), over).await.unwrap(),
            databases,
        };
        board.connect("catalog", services.catalog.internal());
        board.connect("payments", services.payments.internal());
        let contact = json!({"email": "ada@people.example", "name": "Ada", "locale": "en"});
        let contact = get(move || std::future::ready(axum::Json(contact.clone())));
        board.connect("customers", Router::new().route("/internal/customers/{id}/contact", contact));
        services
    }

    fn subscriptions(&self) -> Vec<Subscription> {
        let [orders, _, payments] = &self.databases;
        let to = |database: &Database| {
            let database = database.clone();
            move |reaction| Subscription { database: database.clone(), reaction }
        };
        // Nobody is erased here, so there is no service of customers whose events could be heard.
        let here = |reaction: &std::sync::Arc<dyn bus::React>| {
            !reaction.types().iter().any(|kind| kind.starts_with("customers."))
        };
        let heard = self.orders.reactions().into_iter().filter(here).map(to(orders));
        heard.chain(self.payments.reactions().into_iter().filter(here).map(to(payments))).collect()
    }
}

fn channels(from: &'static str, board: &Switchboard, network: &Network) -> Channels {
    let open = |to: &'static str| {
        let channel = board.channel(from, to);
        // Mails ask for an address; that is no part of a checkout.
        Ok::<_, std::convert::Infallible>(if to == "customers" {
            channel
        } else {
            network.lay(from, to, channel)
        })
    };
    Channels::open(open).unwrap()
}

fn payments() -> payments::Config {
    // The provider tries for hours, as they do, so that what it has to tell is heard.
    let sandbox = payments::SandboxConfig { webhook_tries: 20, ..payments::SandboxConfig::default() };
    payments::Config { sandbox, ..payments::Config::default() }
}

/// Nothing here may depend on how fast the machine is, so what the engine measures by its own watch is
/// given more time than any story takes.
async fn open(name: &'static str, folder: &Path, clock: &Clock, rng: &Rng) -> Database {
    let limits = EmbeddedConfig {
        readers: 2,
        group_max_wait_ms: 1_000,
        queue_timeout_ms: 600_000,
        tx_timeout_ms: 600_000,
        statement_timeout_ms: 600_000,
        busy_timeout_ms: 600_000,
        cache_kib: 1_024,
        mmap_mib: 0,
        ..EmbeddedConfig::default()
    };
    let config = DatabaseConfig::Embedded(limits);
    Database::open(&config, name, folder, clock.clone(), rng.clone()).await.unwrap()
}

/// Takes every consumer back by so many events, as a bus does that did not hear that they were taken.
async fn forget_positions(database: &Database, events: i64) {
    if events == 0 {
        return;
    }
    let sql = "UPDATE bus_positions SET position = MAX(position - $1, 0)";
    let taken_back = database.write::<_, database::Error, _, _>(|mut tx| async move {
        tx.execute(sql, &params![events]).await?;
        tx.commit(()).await
    });
    taken_back.await.unwrap();
}
