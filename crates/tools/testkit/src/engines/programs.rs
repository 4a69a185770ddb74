//! Where the servers' programs are.

use std::path::{Path, PathBuf};

/// The path of a program: in the folder of engines, else on `PATH`. Fails the test when it is missing.
pub fn find(name: &str) -> PathBuf {
    engines()
        .map(|folder| folder.join("bin").join(name))
        .into_iter()
        .chain(on_path(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| missing(name))
}

/// The path of one of PostgreSQL's programs, of the newest version that Debian installed, else on `PATH`.
pub(super) fn find_postgres(name: &str) -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(_, folder): &(u32, PathBuf)| folder.join("bin/initdb").is_file())
        .collect();
    versions.sort();
    versions
        .pop()
        .map(|(_, folder)| folder.join("bin").join(name))
        .into_iter()
        .chain(on_path(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| missing(name))
}

/// The folder that `cargo xtask install-engines` fills: the one `SOUK_ENGINES` names, else `engines` in
/// Cargo's target folder, which is above the running test wherever it was configured to be.
#[expect(clippy::disallowed_methods, reason = "a development tool, never part of the binary")]
pub(super) fn engines() -> Option<PathBuf> {
    if let Ok(folder) = std::env::var("SOUK_ENGINES") {
        return Some(PathBuf::from(folder));
    }
    let running = std::env::current_exe().ok()?;
    running.ancestors().map(|folder| folder.join("engines")).find(|folder| folder.join("bin").is_dir())
}

fn on_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder: PathBuf| Path::join(&folder, name)).collect()
}

fn missing(name: &str) -> ! {
    panic!("the program `{name}` is missing: run `cargo xtask install-engines`")
}
