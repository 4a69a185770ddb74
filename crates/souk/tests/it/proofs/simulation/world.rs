//! What outlives the process: files, clocks, and the chances of the seed.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use contracts::catalog::{ImportProduct, ImportSeller, ImportVariant};
use kernel::{Clock, Currency, Money, ProductId, Rng, SellerId, Timestamp, Uuid, VariantId};
use tempfile::TempDir;

/// The variants of the shop's one product: their numbers, prices, and how many there are.
pub const GOODS: [(u128, i64, i64); 3] = [(1, 1_200, 3), (2, 2_450, 2), (3, 5_000, 1)];

/// One seed's world.
pub struct World {
    pub seed: u64,
    pub folder: TempDir,
    pub clocks: Clocks,
    pub chance: Chance,
}

/// A clock for each service; they differ, and go on together.
#[derive(Clone)]
pub struct Clocks {
    pub orders: Clock,
    pub catalog: Clock,
    pub payments: Clock,
}

/// What the seed decides.
#[derive(Clone)]
pub struct Chance(Rng);

impl World {
    pub fn new(seed: u64) -> Self {
        let chance = Chance(Rng::seeded(seed));
        let folder = folder();
        copy(template(), folder.path());
        let skewed = chance.one_in(2);
        let clock = || {
            let skew = if skewed { chance.below(4_000) } else { 0 };
            Clock::manual(start().plus(Duration::from_millis(skew)))
        };
        let clocks = Clocks { orders: clock(), catalog: clock(), payments: clock() };
        Self { seed, folder, clocks, chance }
    }
}

impl Clocks {
    fn still() -> Self {
        let clock = || Clock::manual(start());
        Self { orders: clock(), catalog: clock(), payments: clock() }
    }

    /// The clock of a service.
    pub fn of(&self, service: &str) -> &Clock {
        match service {
            "catalog" => &self.catalog,
            "payments" => &self.payments,
            _ => &self.orders,
        }
    }

    /// Time goes by, on the clocks and for everything that waits.
    pub async fn advance(&self, by: Duration) {
        for clock in [&self.orders, &self.catalog, &self.payments] {
            clock.advance(by);
        }
        tokio::time::advance(by).await;
    }

    /// How much time has gone by, roughly.
    pub fn elapsed(&self) -> Duration {
        self.orders.now().since(start())
    }
}

impl Chance {
    pub fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    pub fn index(&self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap()
    }

    pub fn one_in(&self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// Whether something happens that happens so often in a thousand times.
    pub fn per_mille(&self, often: u64) -> bool {
        self.below(1_000) < often
    }

    pub fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// One of `choices`, each as likely as its weight.
    pub fn weighted<T: Copy>(&self, choices: &[(u64, T)]) -> T {
        let mut drawn = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if drawn < *weight {
                return *choice;
            }
            drawn -= weight;
        }
        choices[0].1
    }
}

pub fn variant(number: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

fn start() -> Timestamp {
    // 2026-01-01T00:00:00Z
    Timestamp::from_seconds(1_767_225_600)
}

/// What is for sale.
fn product() -> ImportProduct {
    let variants = GOODS.iter().map(|(number, price, stock)| ImportVariant {
        variant_id: variant(*number),
        sku: format!("SKU-{number}"),
        title: format!("Shade {number}"),
        options: Vec::new(),
        price: Money::new(*price, Currency::EUR),
        stock: Some(*stock),
    });
    ImportProduct {
        product_id: ProductId::from_uuid(Uuid::from_u128(7)),
        handle: "lipstick".to_owned(),
        title: "Lipstick".to_owned(),
        description: String::new(),
        brand: "Maren Vale".to_owned(),
        categories: Vec::new(),
        seller: ImportSeller {
            seller_id: SellerId::from_uuid(Uuid::from_u128(8)),
            name: "Maren Vale".to_owned(),
        },
        ingredients: None,
        images: Vec::new(),
        status: "active".to_owned(),
        variants: variants.collect(),
        created_at: start(),
    }
}

/// A folder in memory where there is one: what is proven does not depend on the disk.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// Databases with their tables and goods, to be copied for each seed.
fn template() -> &'static Path {
    static TEMPLATE: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = folder();
        let path: PathBuf = folder.path().to_owned();
        // On a thread of its own: the caller may be within a runtime.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(super::process::found(&path, &Clocks::still(), vec![product()]));
        })
        .join()
        .unwrap();
        folder
    });
    TEMPLATE.path()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
