use std::time::Duration;

use bytes::Bytes;
use cache::Cache;
use serde::Serialize;

use crate::Error;

/// A list of what there is to choose from, kept in the cache as it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facet {
    Categories,
    Brands,
    Sellers,
}

impl Facet {
    const ALL: [Self; 3] = [Self::Categories, Self::Brands, Self::Sellers];

    const fn key(self) -> &'static str {
        match self {
            Self::Categories => "catalog:facet:categories",
            Self::Brands => "catalog:facet:brands",
            Self::Sellers => "catalog:facet:sellers",
        }
    }
}

/// The list as JSON, from the cache or else from `read`. A cache that is away makes it slower, not fail.
pub(crate) async fn list_facet<T: Serialize>(
    cache: &Cache,
    facet: Facet,
    ttl: Duration,
    read: impl Future<Output = Result<T, Error>>,
) -> Result<Bytes, Error> {
    match cache.get(facet.key()).await {
        Ok(Some(known)) => return Ok(known),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "the cache did not answer"),
    }
    let json = Bytes::from(serde_json::to_vec(&read.await?).unwrap_or_default());
    if let Err(error) = cache.put(facet.key(), json.clone(), ttl).await {
        tracing::warn!(%error, "the cache did not take a list");
    }
    Ok(json)
}

/// Forgets all lists, after products have changed.
pub(crate) async fn forget_facets(cache: &Cache) {
    for facet in Facet::ALL {
        if let Err(error) = cache.remove(facet.key()).await {
            // They end by themselves soon.
            tracing::warn!(%error, "the cache did not forget a list");
        }
    }
}
