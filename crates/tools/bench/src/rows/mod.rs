//! The rows of the table, a file each.

mod batch;
mod checkout;
mod history;
pub(crate) mod listeners;
mod product;
mod refresh;
mod sign_in;
mod start;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::bench::Bench;
use crate::table::Row;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// `POST /v1/auth/signin` against bare Argon2id.
    SignIn,
    /// `POST /v1/auth/refresh`.
    Refresh,
    /// `GET /v1/products/{id}`.
    Product,
    /// `GET /v1/orders` with few orders in the shop and with very many.
    History,
    /// From the cart to the paid order, against bare SQLite with the same rows.
    Checkout,
    /// `POST /v1/batch`, Segment's protocol.
    Batch,
    /// Thousands of `GET /v1/stream` at once.
    Listeners,
    /// Cold start, idle memory, size.
    Start,
}

impl Subject {
    pub(crate) async fn measure(self, bench: &Bench) -> Result<Vec<Row>> {
        eprintln!("{}", self.name());
        let measured = match self {
            Self::SignIn => sign_in::measure(bench).await,
            Self::Refresh => refresh::measure(bench).await,
            Self::Product => product::measure(bench).await,
            Self::History => history::measure(bench).await,
            Self::Checkout => checkout::measure(bench).await,
            Self::Batch => batch::measure(bench).await,
            Self::Listeners => listeners::measure(bench).await,
            Self::Start => start::measure(bench).await,
        };
        measured.with_context(|| self.name())
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
