//! `cargo xtask bench`: the server and what measures it, both as they are released.

use std::ffi::{OsStr, OsString};

use anyhow::Result;

use crate::cargo::{Metadata, cargo, run};

const REPORT: &str = "docs/performance.md";

/// Hands `arguments` to the bench, whose README says what they mean. The server is built, too, unless one of
/// them names another.
pub(crate) fn measure(arguments: &[OsString]) -> Result<()> {
    let Metadata { workspace_root, target_directory, .. } = Metadata::of_workspace()?;
    let elsewhere = arguments
        .iter()
        .any(|argument| argument == "--server" || argument.to_string_lossy().starts_with("--server="));
    let mut build = cargo();
    build.current_dir(&workspace_root).args(["build", "--release", "-p", "bench"]);
    if !elsewhere {
        build.args(["-p", "souk"]);
    }
    run(&mut build)?;
    let built = |name| target_directory.join("release").join(name);
    let mut bench = std::process::Command::new(built("bench"));
    bench.arg("--work").arg(target_directory.join("bench"));
    bench.arg("--report").arg(workspace_root.join(REPORT)).args(arguments);
    if !elsewhere {
        bench.args([OsStr::new("--server"), built("souk").as_os_str()]);
    }
    run(&mut bench)
}
