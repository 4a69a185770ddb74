//! The files that tidy judges, read once.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use walkdir::WalkDir;

use super::source::Source;

/// Where a crate stands. One may look down, never up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Floor {
    /// Plain data.
    Foundation,
    /// What services stand on.
    Platform,
    /// The services.
    Services,
    /// The program.
    Binary,
    /// Development only.
    Tools,
}

/// One of our crates.
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Relative to the root: `crates/services/orders`.
    pub(crate) folder: String,
    pub(crate) floor: Floor,
    pub(crate) manifest: toml::Table,
}

impl Crate {
    /// The path of the crate's manifest.
    pub(crate) fn manifest_path(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// Every file that a rule looks at. Paths are relative to the root, with `/`.
pub(crate) struct Workspace {
    pub(crate) crates: Vec<Crate>,
    pub(crate) sources: Vec<Source>,
    pub(crate) files: BTreeMap<String, String>,
}

impl Workspace {
    /// Reads the workspace at `root`.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for folder in ["crates", "docs"] {
            for entry in WalkDir::new(root.join(folder)).sort_by_file_name() {
                let entry = entry?;
                let path = entry.path().strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                if entry.file_type().is_file() && is_judged(&path) {
                    let text = std::fs::read_to_string(entry.path()).with_context(|| path.clone())?;
                    files.insert(path, text);
                }
            }
        }
        let exceptions = root.join(super::exceptions::FILE);
        if exceptions.is_file() {
            files.insert(super::exceptions::FILE.to_owned(), std::fs::read_to_string(exceptions)?);
        }
        Self::of(files)
    }

    /// The workspace that consists of `files`.
    pub(crate) fn of(files: BTreeMap<String, String>) -> Result<Self> {
        let mut crates = Vec::new();
        for (path, text) in &files {
            let Some(folder) = path.strip_suffix("/Cargo.toml") else { continue };
            let manifest: toml::Table = text.parse().with_context(|| path.clone())?;
            let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
            crates.push(Crate { name, folder: folder.to_owned(), floor: floor(folder)?, manifest });
        }
        let mut sources = Vec::new();
        for (path, text) in &files {
            let owner = crates.iter().find(|owner| path.starts_with(&format!("{}/src/", owner.folder)));
            if let (Some(owner), true) = (owner, path.ends_with(".rs")) {
                sources.push(Source::parse(owner, path, text)?);
            }
        }
        let test_modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
        sources.retain(|source| !test_modules.iter().any(|module| source.is_in_module(module)));
        Ok(Self { crates, sources, files })
    }

    /// The text of a file, when it exists.
    pub(crate) fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }
}

fn is_judged(path: &str) -> bool {
    let code = path.starts_with("crates/")
        && ["Cargo.toml", "README.md", ".rs"].iter().any(|end| path.ends_with(end));
    let documents =
        path.starts_with("docs/errors/") || path == super::access::OPENAPI || path == super::access::SNAPSHOT;
    code || documents
}

fn floor(folder: &str) -> Result<Floor> {
    match folder.split('/').collect::<Vec<_>>()[..] {
        ["crates", "foundation", _] => Ok(Floor::Foundation),
        ["crates", "platform", _] => Ok(Floor::Platform),
        ["crates", "services", _] => Ok(Floor::Services),
        ["crates", "souk"] => Ok(Floor::Binary),
        ["crates", "tools", _] => Ok(Floor::Tools),
        _ => anyhow::bail!("{folder} stands on no floor of the architecture"),
    }
}
