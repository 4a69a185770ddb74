//! Which products a list shows, in which order, and where its next page begins.

use kernel::{Cursor, ProductId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::product::Status;

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// The newest first.
    Newest,
    /// The cheapest first, by the cheapest variant.
    Price,
    /// By title, without regard to case and accents.
    Title,
    /// The best match first. Only with a `query`.
    Relevance,
}

/// Which products. `None` means any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Filter {
    pub(crate) query: Option<String>,
    /// In normal form; finds what is in it and below it.
    pub(crate) category: Option<String>,
    /// Folded.
    pub(crate) brand: Option<String>,
    pub(crate) seller: Option<SellerRef>,
    /// A variant that costs at least so much.
    pub(crate) price_min: Option<i64>,
    /// A variant that costs at most so much.
    pub(crate) price_max: Option<i64>,
    pub(crate) in_stock: Option<bool>,
    pub(crate) status: Option<Status>,
}

/// A seller by either of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum SellerRef {
    Id(kernel::SellerId),
    Handle(String),
}

/// The place of the last product seen: the sort key and, to break ties, the id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum After {
    #[serde(rename = "n")]
    Newest(Timestamp, ProductId),
    #[serde(rename = "p")]
    Price(i64, ProductId),
    #[serde(rename = "t")]
    Title(String, ProductId),
    /// The rank among the matches at the time.
    #[serde(rename = "r")]
    Relevance(usize, ProductId),
}

impl After {
    /// The order that the place belongs to.
    const fn sort(&self) -> Sort {
        match self {
            Self::Newest(..) => Sort::Newest,
            Self::Price(..) => Sort::Price,
            Self::Title(..) => Sort::Title,
            Self::Relevance(..) => Sort::Relevance,
        }
    }
}

/// The cursor for the page behind `after`. It belongs to this filter and this order only.
pub(crate) fn cursor(filter: &Filter, after: &After) -> String {
    Cursor::encode(&(fingerprint(filter, after.sort()), after))
}

/// Where the page of `cursor` begins; `None` when it was not given out for this filter and order.
pub(crate) fn read_cursor(cursor: &str, filter: &Filter, sort: Sort) -> Option<After> {
    let (of, after): (u64, After) = Cursor::decode(cursor).ok()?;
    (after.sort() == sort && of == fingerprint(filter, sort)).then_some(after)
}

fn fingerprint(filter: &Filter, sort: Sort) -> u64 {
    let hash = Sha256::digest(serde_json::to_vec(&(filter, sort)).unwrap_or_default());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn any_after() -> impl Strategy<Value = After> {
        let id = any::<u128>().prop_map(|id| ProductId::from_uuid(Uuid::from_u128(id)));
        let micros = 0_i64..253_402_300_799_000_000;
        prop_oneof![
            (micros, id.clone()).prop_map(|(at, id)| After::Newest(Timestamp::from_micros(at), id)),
            (any::<i64>(), id.clone()).prop_map(|(price, id)| After::Price(price, id)),
            (".{0,80}", id.clone())
                .prop_map(|(title, id)| After::Title(super::super::handle::title_key(&title), id)),
            (any::<u32>(), id).prop_map(|(rank, id)| After::Relevance(rank as usize, id)),
        ]
    }

    fn any_filter() -> impl Strategy<Value = Filter> {
        let text = || proptest::option::of("[a-z]{1,8}");
        let price = || proptest::option::of(0_i64..10_000);
        let stock = proptest::option::of(any::<bool>());
        (text(), text(), text(), price(), price(), stock).prop_map(
            |(query, category, brand, price_min, price_max, in_stock)| Filter {
                query,
                category,
                brand,
                price_min,
                price_max,
                in_stock,
                ..Filter::default()
            },
        )
    }

    proptest! {
        #[test]
        fn a_cursor_belongs_to_its_list(filter in any_filter(), other in any_filter(), after in any_after()) {
            let text = cursor(&filter, &after);
            prop_assert!(text.len() <= Cursor::MAX_LEN, "{}", text.len());
            prop_assert_eq!(read_cursor(&text, &filter, after.sort()), Some(after.clone()));
            if other != filter {
                prop_assert_eq!(read_cursor(&text, &other, after.sort()), None);
            }
            for sort in [Sort::Newest, Sort::Price, Sort::Title, Sort::Relevance] {
                if sort != after.sort() {
                    prop_assert_eq!(read_cursor(&text, &filter, sort), None);
                }
            }
        }

        #[test]
        fn nonsense_is_no_cursor(text in ".{0,600}") {
            prop_assert_eq!(read_cursor(&text, &Filter::default(), Sort::Newest), None);
        }
    }
}
