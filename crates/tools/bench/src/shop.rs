//! Shops to measure: made through the product's own commands, kept between runs, copied before use.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use kernel::Timestamp;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::limits::argon;
use crate::process::Server;
use crate::session;

/// Raised when what is loaded changes, so that shops of before are not used any more.
const REVISION: u32 = 1;

/// People who can sign in, buy, and have an ordinary history.
pub(crate) const BUYERS: usize = 128;

/// Orders in the history of each customer but one.
const ORDINARY_HISTORY: usize = 25;

/// Orders in the history of the one who buys most, in a shop of any size.
pub(crate) const LONG_HISTORY: usize = 5_000;

pub(crate) const PASSWORD: &str = "a long enough passphrase";

/// Who looks after the shop.
pub(crate) const STAFF: &str = "staff@example.com";

/// The write key of `/v1/batch`.
pub(crate) const WRITE_KEY: &str = "bench-write-key-0001";

static CATALOG: &str = include_str!("../../../../fixtures/demo/catalog.json");

/// The address of a buyer.
pub(crate) fn buyer(number: usize) -> String {
    format!("buyer-{number}@example.com")
}

/// The address of the one who buys most.
pub(crate) const COLLECTOR: &str = "collector@example.com";

/// Where shops are made and kept, and the program that makes and runs them.
pub(crate) struct Shops {
    binary: PathBuf,
    root: PathBuf,
    schema: u64,
}

impl Shops {
    /// Works in `root`. The schema of the program's tables is found out by making them.
    pub(crate) fn open(binary: &Path, root: &Path) -> Result<Self> {
        fs::create_dir_all(root)?;
        let binary = binary.canonicalize().with_context(|| binary.display().to_string())?;
        let mut shops = Self { binary, root: root.canonicalize()?, schema: 0 };
        let folder = shops.fresh("schema")?;
        shops.souk(&folder, &["migrate"], "")?;
        shops.schema = schema(&folder.join("data"))?;
        fs::remove_dir_all(folder)?;
        Ok(shops)
    }

    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// A folder of its own with a copy of the shop that has so many orders.
    pub(crate) async fn copy(&self, orders: usize, name: &str) -> Result<PathBuf> {
        let kept = self.kept(orders).await?;
        let folder = self.scratch(name)?;
        copy(&kept, &folder)?;
        Ok(folder)
    }

    /// An empty folder for the time being.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.root.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Removes every folder whose name begins with `name`.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(name) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// The shop with so many orders itself: made when there is none of this schema yet. For what only reads.
    pub(crate) async fn kept(&self, orders: usize) -> Result<PathBuf> {
        let name = format!("shop-{orders}-{:016x}", self.schema ^ u64::from(REVISION));
        let (kept, made) = (self.root.join(&name), self.root.join(format!("{name}.part")));
        if kept.exists() {
            // What a server is told may have changed since.
            configure(&kept, None)?;
            return Ok(kept);
        }
        // Those of other schemas are of no use any more, and large.
        self.remove(&format!("shop-{orders}-"))?;
        eprintln!("  making a shop with {orders} orders, once");
        let folder = self.fresh(&format!("{name}.part"))?;
        self.import(&folder, "catalog", "catalog.json", |file| Ok(file.write_all(catalog()?.as_bytes())?))?;
        self.import(&folder, "customers", "customers.csv", write_customers)?;
        self.import(&folder, "orders", "orders.csv", |file| write_orders(file, orders))?;
        self.souk(&folder, &["staff", "add", STAFF, "--role", "administrator"], PASSWORD)?;
        let server = Server::start(&self.binary, &folder).await?;
        // The first sign-in has an imported hash made anew, which is not what is to be measured.
        session::sign_in_all(server.address).await?;
        eprintln!("  waiting until the shop has digested its history");
        server.rest().await?;
        server.stop().await?;
        fs::rename(made, &kept)?;
        Ok(kept)
    }

    /// An empty folder with the configuration.
    fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch(name)?;
        configure(&folder, None)?;
        Ok(folder)
    }

    fn import(
        &self,
        folder: &Path,
        kind: &str,
        name: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
    ) -> Result<()> {
        let path = folder.join(name);
        let mut file = BufWriter::new(File::create(&path)?);
        write(&mut file)?;
        file.flush()?;
        let told = self.souk(folder, &["import", kind, name, "--currency", "USD", "--json"], "")?;
        let summary: Value = serde_json::from_str(&told)?;
        if summary["refused"] != 0 {
            bail!("the import of {kind} refused records: {told}");
        }
        fs::remove_file(path)?;
        Ok(())
    }

    /// Runs a command of the program in `folder`; answers with what it printed.
    fn souk(&self, folder: &Path, arguments: &[&str], input: &str) -> Result<String> {
        let mut child = Command::new(&self.binary)
            .args(arguments)
            .args(["--config", "souk.toml"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.binary.display()))?;
        child.stdin.take().context("stdin")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("souk {arguments:?}: {}{}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Writes what a shop under load is told. Limits of attempts are raised, because one machine asks for all of
/// them; they are counted as ever. Access tokens live for as long as a row takes. Passwords are hashed on as
/// many threads as the product chooses, or on `hashing_threads`.
pub(crate) fn configure(folder: &Path, hashing_threads: Option<usize>) -> Result<()> {
    let argon::Cost { memory_kib, passes, lanes } = argon::COST;
    let threads = hashing_threads.unwrap_or(0);
    let config = format!(
        "data = 'data'\npublic_url = 'http://shop.example'\n\
         [gateway]\nrequests = {{ quota = 1000000, window_seconds = 1 }}\n\
         authentication = {{ quota = 1000000, window_seconds = 1 }}\n\
         [identity]\naccess_token_s = 3600\n\
         hashing = {{ memory_kib = {memory_kib}, passes = {passes}, lanes = {lanes}, threads = {threads} }}\n\
         limits = {{ attempts_per_account = 100000, attempts_per_source = 1000000, \
         refreshes_per_session = 1000000 }}\n\
         [orders]\ncurrency = 'USD'\n\
         [[analytics.sources]]\nname = 'bench'\nwrite_key = '{WRITE_KEY}'\n"
    );
    Ok(fs::write(folder.join("souk.toml"), config)?)
}

/// A hash over every table and index that the databases under `data` have.
fn schema(data: &Path) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in databases(data)? {
        path.file_name().hash(&mut hasher);
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut statement =
            connection.prepare("SELECT name, COALESCE(sql, '') FROM sqlite_master ORDER BY name")?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            (row.get::<_, String>(0)?, row.get::<_, String>(1)?).hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}

/// The database files under `data`, in the order of their names.
pub(crate) fn databases(data: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "db") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The demo's catalogue with more of everything than can be sold in a run.
fn catalog() -> Result<String> {
    let mut products: Value = serde_json::from_str(CATALOG)?;
    for product in products.as_array_mut().context("the catalogue is a list")? {
        for variant in product["variants"].as_array_mut().context("variants")? {
            variant["stock"] = Value::from(100_000_000);
        }
    }
    Ok(products.to_string())
}

fn write_customers(file: &mut BufWriter<File>) -> Result<()> {
    let hash = argon::phc(PASSWORD)?;
    writeln!(
        file,
        "external_id,email,verified,password_hash,name,created_at,line1,city,postal_code,country"
    )?;
    let people = (0..BUYERS).map(|number| (format!("customer-{number}"), buyer(number)));
    for (id, email) in people.chain([("collector".to_owned(), COLLECTOR.to_owned())]) {
        writeln!(file, "{id},{email},true,\"{hash}\",Ada Winter,2020-01-01,Lindenstr. 1,Berlin,10969,DE")?;
    }
    Ok(())
}

/// What an order line of the history says.
struct Choice {
    sku: String,
    title: String,
    price: i64,
}

/// Writes a history of five years in which everybody's orders lie among those of everybody else.
fn write_orders(file: &mut BufWriter<File>, orders: usize) -> Result<()> {
    const BEGIN: Timestamp = Timestamp::from_seconds(1_609_459_200);
    const LENGTH: Duration = Duration::from_secs(5 * 365 * 86_400);
    const SHIPPING: i64 = 490;
    let customers = orders.saturating_sub(LONG_HISTORY) / ORDINARY_HISTORY;
    if customers < BUYERS {
        bail!("a shop has at least {} orders", LONG_HISTORY + BUYERS * ORDINARY_HISTORY);
    }
    let choices = choices()?;
    let pause = LENGTH / u32::try_from(orders)?;
    writeln!(
        file,
        "external_id,customer,placed_at,subtotal,shipping,tax,total,sku,title,quantity,unit_price"
    )?;
    let (mut ordinary, mut text) = (0, String::new());
    for number in 0..orders {
        let customer = if number.is_multiple_of(orders / LONG_HISTORY) {
            "collector".to_owned()
        } else {
            ordinary += 1;
            format!("customer-{}", ordinary % customers)
        };
        let placed_at = BEGIN.plus(pause * u32::try_from(number)?);
        let lines: Vec<(&Choice, i64)> = (0..1 + number % 3)
            .map(|line| {
                (&choices[(number * 31 + line * 17) % choices.len()], 1 + (number as i64 + line as i64) % 2)
            })
            .collect();
        let subtotal: i64 = lines.iter().map(|(choice, quantity)| choice.price * quantity).sum();
        let total = subtotal + SHIPPING;
        text.clear();
        let (subtotal, shipping, tax, total) =
            (major(subtotal), major(SHIPPING), major(total / 6), major(total));
        write!(text, "o-{number},{customer},{placed_at},{subtotal},{shipping},{tax},{total}")?;
        for (index, (Choice { sku, title, price }, quantity)) in lines.iter().enumerate() {
            if index > 0 {
                write!(text, ",,,,,,")?;
            }
            writeln!(text, ",{sku},\"{title}\",{quantity},{}", major(*price))?;
        }
        file.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn major(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn choices() -> Result<Vec<Choice>> {
    let products: Value = serde_json::from_str(CATALOG)?;
    let mut choices = Vec::new();
    for product in products.as_array().context("the catalogue is a list")? {
        for variant in product["variants"].as_array().context("variants")? {
            let text = |value: &Value| value.as_str().unwrap_or_default().replace('"', "\"\"");
            choices.push(Choice {
                sku: text(&variant["sku"]),
                title: format!("{}, {}", text(&product["title"]), text(&variant["title"])),
                price: variant["price"]["amount"].as_i64().context("price")?,
            });
        }
    }
    Ok(choices)
}
