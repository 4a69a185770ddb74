//! `cargo xtask deny`: licences, origins and bans, as `deny.toml` says.
//!
//! `cargo deny` reads the same file and checks more, so it runs too where it is installed. The part that
//! decides is checked here, because a gate must not depend on what a machine happens to have.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cargo::{Metadata, Package, cargo, run, works};
use crate::licence;

const FILE: &str = "deny.toml";

/// What this check reads of `deny.toml`.
#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

/// Fails with every breach of `deny.toml`.
pub(crate) fn check() -> Result<()> {
    let metadata = Metadata::of_everything()?;
    let path = metadata.workspace_root.join(FILE);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let policy: Policy = toml::from_str(&text).context(FILE)?;
    let breaches: Vec<String> = metadata.packages.iter().flat_map(|package| policy.judge(package)).collect();
    if !breaches.is_empty() {
        bail!("{}\n{} breaches of {FILE}", breaches.join("\n"), breaches.len());
    }
    println!("{} packages keep to {FILE}", metadata.packages.len());
    if works(cargo().args(["deny", "--version"])) {
        run(cargo().args(["deny", "--all-features", "check", "licenses", "bans", "sources"]))?;
    }
    Ok(())
}

impl Policy {
    fn judge(&self, package: &Package) -> Vec<String> {
        let Package { name, version, license, source } = package;
        // What has no source is ours: a path outside the workspace would be in nobody's clone.
        let Some(source) = source else { return Vec::new() };
        let mut breaches = Vec::new();
        if let Some(ban) = self.bans.deny.iter().find(|ban| ban.name == *name) {
            breaches.push(format!("{name} {version} is banned: {}", ban.reason));
        }
        if !self.sources.allow_registry.iter().any(|registry| source == &format!("registry+{registry}")) {
            breaches
                .push(format!("{name} {version} comes from {source}: only allowed registries may be used"));
        }
        let expression = license.as_deref().unwrap_or_default();
        match licence::is_satisfied(expression, |licence| self.allows(name, licence)) {
            Ok(true) => {}
            Ok(false) => breaches.push(format!("{name} {version} has the licence `{expression}`")),
            Err(error) => breaches.push(format!("{name} {version} has no licence that can be read: {error}")),
        }
        breaches
    }

    fn allows(&self, name: &str, licence: &str) -> bool {
        let excepted = self.licenses.exceptions.iter().filter(|exception| exception.name == name);
        let lists = std::iter::once(&self.licenses.allow).chain(excepted.map(|exception| &exception.allow));
        lists.flatten().any(|allowed| allowed == licence)
    }
}

#[cfg(test)]
mod tests {
    use super::{Package, Policy};

    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn judge(name: &str, license: Option<&str>, source: Option<&str>) -> Vec<String> {
        let policy: Policy = toml::from_str(include_str!("../../../../deny.toml")).unwrap();
        let owned = |text: &str| text.to_owned();
        let (license, source) = (license.map(owned), source.map(owned));
        policy.judge(&Package { name: name.to_owned(), version: "1.0.0".to_owned(), license, source })
    }

    #[test]
    fn what_keeps_to_the_policy_passes() {
        assert_eq!(judge("serde", Some("MIT OR Apache-2.0"), Some(CRATES_IO)), [""; 0]);
        assert_eq!(judge("orders", None, None), [""; 0]);
    }

    #[test]
    fn banned_crates_are_named() {
        for name in ["openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"] {
            assert_eq!(judge(name, Some("MIT"), Some(CRATES_IO)).len(), 1, "{name}");
        }
    }

    #[test]
    fn only_crates_io_is_a_source() {
        for source in ["git+https://github.com/serde-rs/serde#abc", "registry+https://elsewhere.test/index"] {
            assert_eq!(judge("serde", Some("MIT"), Some(source)).len(), 1, "{source}");
        }
    }

    #[test]
    fn licences_have_to_be_allowed() {
        for license in [None, Some("GPL-3.0-only"), Some("MIT AND AGPL-3.0")] {
            assert_eq!(judge("serde", license, Some(CRATES_IO)).len(), 1, "{license:?}");
        }
    }
}
