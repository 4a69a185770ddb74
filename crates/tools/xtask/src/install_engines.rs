//! `cargo xtask install-engines`: the servers that tests start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo::{Metadata, run, works};

/// What comes from PyPI, with pinned versions.
const REQUIREMENTS: &str = include_str!("engines.txt");
/// Records in the folder of engines which requirements were installed.
const INSTALLED: &str = "installed.txt";

/// A Debian package, and how to see that its programs are there, wherever they come from.
struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

const DEBIAN: [Package; 6] = [
    Package { name: "postgresql", is_there: has_postgres },
    Package { name: "redis-server", is_there: || has("redis-server", "--version") },
    Package { name: "chromium", is_there: || has("chromium", "--version") },
    Package { name: "chromium-driver", is_there: || has("chromedriver", "--version") },
    Package { name: "util-linux", is_there: || has("setpriv", "--version") },
    Package { name: "python3-venv", is_there: has_venv },
];

/// Installs what is missing; says what to do when it may not.
pub(crate) fn install() -> Result<()> {
    install_debian_packages()?;
    install_python_packages(&folder()?)
}

/// The folder of engines: the one `SOUK_ENGINES` names, else `engines` in Cargo's target folder.
#[expect(clippy::disallowed_methods, reason = "a development tool, never part of the binary")]
fn folder() -> Result<PathBuf> {
    match std::env::var("SOUK_ENGINES") {
        Ok(folder) => Ok(PathBuf::from(folder)),
        Err(_) => Ok(Metadata::of_workspace()?.target_directory.join("engines")),
    }
}

fn install_debian_packages() -> Result<()> {
    let missing: Vec<&str> =
        DEBIAN.iter().filter(|package| !(package.is_there)()).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if !has("apt-get", "--version") {
        bail!("tests need these Debian packages, or the same programs on PATH: {packages}");
    }
    if !works(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"])) {
        bail!("tests need some Debian packages: run `sudo apt-get install {packages}`");
    }
    run(Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run(install.args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(missing))
}

fn install_python_packages(folder: &Path) -> Result<()> {
    let installed = folder.join(INSTALLED);
    if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) {
        println!("engines are installed in {}", folder.display());
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(&requirements))?;
    fs::rename(&requirements, &installed)?;
    println!("engines are installed in {}", folder.display());
    Ok(())
}

fn has(program: &str, argument: &str) -> bool {
    works(Command::new(program).arg(argument))
}

fn has_venv() -> bool {
    works(Command::new("python3").args(["-c", "import ensurepip, venv"]))
}

/// Debian keeps the server's programs in a folder for each version, off `PATH`.
fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let by_debian = versions.map(|version| version.path().join("bin/initdb")).any(|initdb| initdb.is_file());
    (by_debian && has("psql", "--version")) || has("initdb", "--version")
}
