//! The shapes of file that can be read, and how to tell them apart.

mod auth0;
mod csv_rows;
mod firebase;
mod json;
mod keycloak;
mod shopify_orders;
mod shopify_products;
mod souk_csv;
mod souk_json;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use contracts::catalog::ImportProduct;
use contracts::customers::ImportCustomer;
use contracts::identity::ImportAccount;
use contracts::orders::ImportOrder;
use flate2::bufread::MultiGzDecoder;
use kernel::Currency;

pub(crate) use firebase::HashConfig;

use super::Record;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Products with variants, prices and stock.
    Catalog,
    /// People.
    Customers,
    /// Finished orders.
    Orders,
}

/// The shape of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Souk's own, as a JSON array or one JSON object a line.
    Json,
    /// Souk's own, as CSV.
    Csv,
    /// Shopify's product or order export (CSV).
    Shopify,
    /// Keycloak's realm export (JSON): customers.
    Keycloak,
    /// Auth0's export of users or of password hashes (JSON): customers.
    Auth0,
    /// Firebase's `auth:export` (JSON or CSV): customers.
    Firebase,
}

/// How a file is to be read.
pub(crate) struct Reading {
    /// Its shape; found out from the file when not given.
    pub(crate) format: Option<Format>,
    /// What stands in where the file names no currency.
    pub(crate) currency: Currency,
    /// The parameters of a Firebase project's hashes.
    pub(crate) hash_config: Option<HashConfig>,
}

/// A customer comes with the account to sign in with.
#[derive(Clone, Debug)]
pub(crate) struct ImportPerson {
    pub(crate) account: ImportAccount,
    pub(crate) customer: ImportCustomer,
}

/// An order, and the buyer's address when that is all the file says about the buyer.
#[derive(Clone, Debug)]
pub(crate) struct ImportPurchase {
    pub(crate) order: ImportOrder,
    pub(crate) buyer_email: Option<String>,
}

/// A file that is being read, record by record.
pub(crate) enum Parsed {
    Catalog(Records<ImportProduct>),
    Customers(Records<ImportPerson>),
    Orders(Records<ImportPurchase>),
}

pub(crate) type Records<T> = Box<dyn Iterator<Item = Record<T>> + Send>;

/// A file, how much of it has been read, and how much there is.
pub(crate) struct Opened {
    pub(crate) parsed: Parsed,
    pub(crate) bytes_read: Arc<AtomicU64>,
    pub(crate) bytes: u64,
}

/// Opens `path` to be read as it says.
pub(crate) fn open(path: &Path, kind: Kind, reading: Reading) -> anyhow::Result<Opened> {
    let Reading { format, currency: default_currency, hash_config } = reading;
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let bytes = file.metadata()?.len();
    let bytes_read = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: file, count: bytes_read.clone() };
    let mut raw = BufReader::with_capacity(1 << 16, counted);
    let gzip = raw.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let mut reader: Box<dyn BufRead + Send> =
        if gzip { Box::new(BufReader::new(MultiGzDecoder::new(raw))) } else { Box::new(raw) };
    skip_byte_order_mark(&mut reader)?;
    let format = match format {
        Some(format) => format,
        None => guess(kind, reader.fill_buf()?),
    };
    let parsed = match (kind, format) {
        (Kind::Catalog, Format::Json) => Parsed::Catalog(souk_json::products(reader)),
        (Kind::Customers, Format::Json) => Parsed::Customers(souk_json::people(reader)),
        (Kind::Orders, Format::Json) => Parsed::Orders(souk_json::orders(reader)),
        (Kind::Catalog, Format::Csv) => Parsed::Catalog(souk_csv::products(reader, default_currency)?),
        (Kind::Customers, Format::Csv) => Parsed::Customers(souk_csv::people(reader)?),
        (Kind::Orders, Format::Csv) => Parsed::Orders(souk_csv::orders(reader, default_currency)?),
        (Kind::Catalog, Format::Shopify) => {
            Parsed::Catalog(shopify_products::products(reader, default_currency)?)
        }
        (Kind::Orders, Format::Shopify) => Parsed::Orders(shopify_orders::orders(reader)?),
        (Kind::Customers, Format::Shopify) => {
            bail!("Shopify's customer export is not read; its order export brings the buyers along")
        }
        (Kind::Customers, Format::Keycloak) => Parsed::Customers(keycloak::people(reader)),
        (Kind::Customers, Format::Auth0) => Parsed::Customers(auth0::people(reader)),
        (Kind::Customers, Format::Firebase) => Parsed::Customers(firebase::people(reader, hash_config)?),
        (Kind::Catalog | Kind::Orders, Format::Keycloak | Format::Auth0 | Format::Firebase) => {
            bail!("files of this format hold customers only")
        }
    };
    Ok(Opened { parsed, bytes_read, bytes })
}

/// Products in Souk's own shape as JSON.
pub(crate) fn products(reader: impl BufRead + Send + 'static) -> Records<ImportProduct> {
    souk_json::products(reader)
}

/// JSON begins with a bracket, and other systems' has members that ours does not; Shopify's headers have
/// names that ours do not. Firebase's CSV has no header and is not told apart.
fn guess(kind: Kind, beginning: &[u8]) -> Format {
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start();
    if text.starts_with(['[', '{']) {
        let is_named = |names: &[&str]| names.iter().any(|name| text.contains(name));
        return match kind {
            Kind::Catalog | Kind::Orders => Format::Json,
            // Our own people are known by this name, whatever else is said about them.
            Kind::Customers if is_named(&["\"external_id\""]) => Format::Json,
            Kind::Customers if is_named(&["\"localId\""]) => Format::Firebase,
            Kind::Customers if is_named(&["\"$oid\"", "\"user_id\""]) => Format::Auth0,
            Kind::Customers if is_named(&["\"realm\"", "\"users\""]) => Format::Keycloak,
            Kind::Customers => Format::Json,
        };
    }
    let header = text.lines().next().unwrap_or_default();
    if header.contains("Variant SKU") || header.contains("Lineitem") { Format::Shopify } else { Format::Csv }
}

fn skip_byte_order_mark(reader: &mut Box<dyn BufRead + Send>) -> std::io::Result<()> {
    if reader.fill_buf()?.starts_with(&[0xef, 0xbb, 0xbf]) {
        reader.consume(3);
    }
    Ok(())
}

/// Counts what is read of a file, for the progress bar.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        let guess = |text: &[u8]| super::guess(Kind::Customers, text);
        assert_eq!(guess(b"  [\n{"), Format::Json);
        assert_eq!(guess(b"{\"handle\""), Format::Json);
        assert_eq!(guess(b"{\"external_id\": \"1\", \"user_id\": 2}"), Format::Json);
        assert_eq!(guess(b"{\"realm\": \"a\", \"users\": []}"), Format::Keycloak);
        assert_eq!(guess(b"{\"_id\": {\"$oid\": \"1\"}}"), Format::Auth0);
        assert_eq!(guess(b"[{\"user_id\": \"auth0|1\"}]"), Format::Auth0);
        assert_eq!(guess(b"{\"users\": [{\"localId\": \"1\"}]}"), Format::Firebase);
        assert_eq!(super::guess(Kind::Orders, b"{\"realm\": 1}"), Format::Json);
        assert_eq!(guess(b"Handle,Title,Variant SKU\n"), Format::Shopify);
        assert_eq!(guess(b"Name,Email,Lineitem quantity\n"), Format::Shopify);
        assert_eq!(guess(b"handle,title,sku\n"), Format::Csv);
    }
}
