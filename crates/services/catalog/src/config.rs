use serde::Deserialize;

/// The section `catalog` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The rate of the tax that prices contain, in hundredths of a per cent: 2000 is 20 %.
    pub tax_basis_points: u32,
    /// How many products are kept in memory, so that showing one again costs two look-ups by key.
    pub product_cache: u64,
    /// The most matches of a text search that are considered; a list ends there.
    pub search_matches: u32,
    /// For how long the lists of categories, brands and sellers may be out of date, in seconds.
    pub facets_ttl_s: u64,
    /// How often to look for reservations whose time is over, in milliseconds. The stock itself is
    /// free from the microsecond on; only the news of it waits for this.
    pub expiry_interval_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tax_basis_points: 2_000,
            product_cache: 10_000,
            search_matches: 500,
            facets_ttl_s: 30,
            expiry_interval_ms: 1_000,
        }
    }
}

/// A field of the configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("catalog.{field}: {problem}")]
pub struct ConfigError {
    /// The field within the section `catalog`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Config {
    /// Whether every field is usable.
    ///
    /// # Errors
    /// The first field that is not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("tax_basis_points", self.tax_basis_points.into(), 0, 10_000)?;
        within("product_cache", self.product_cache, 1, 10_000_000)?;
        within("search_matches", self.search_matches.into(), 10, 2_000)?;
        within("facets_ttl_s", self.facets_ttl_s, 1, 86_400)?;
        within("expiry_interval_ms", self.expiry_interval_ms, 10, 3_600_000)
    }
}

fn within(field: &'static str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ConfigError { field, problem: format!("must be between {least} and {most}, and is {value}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_faults_name_their_field() {
        Config::default().validate().unwrap();
        let config: Config = toml::from_str("tax_basis_points = 10001").unwrap();
        assert_eq!(config.validate().unwrap_err().field, "tax_basis_points");
        assert!(toml::from_str::<Config>("tax_basis_point = 1").is_err());
    }
}
