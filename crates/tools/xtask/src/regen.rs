//! `cargo xtask regen`: the files that are generated and committed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo::{Metadata, cargo, output, run};
use crate::tidy::access::{self, OPENAPI, SNAPSHOT};

/// Writes what is stale, and the snapshot of rights only when `sign_access` says that its change is meant.
pub(crate) fn write(sign_access: bool) -> Result<()> {
    let (root, document) = generate()?;
    replace(&root.join(OPENAPI), &document)?;
    let snapshot = access::snapshot(&document)?;
    let committed = read(&root.join(SNAPSHOT))?;
    if sign_access {
        return replace(&root.join(SNAPSHOT), &snapshot);
    }
    if let Some(difference) = difference(&committed, &snapshot) {
        bail!("{SNAPSHOT} differs:\n{difference}\nif that is meant: `cargo xtask regen --sign-access`");
    }
    Ok(())
}

/// Fails when a generated file is stale.
pub(crate) fn check() -> Result<()> {
    let (root, document) = generate()?;
    if let Some(difference) = difference(&read(&root.join(OPENAPI))?, &document) {
        bail!("{OPENAPI} is stale, run `cargo xtask regen`:\n{difference}");
    }
    let snapshot = access::snapshot(&document)?;
    if let Some(difference) = difference(&read(&root.join(SNAPSHOT))?, &snapshot) {
        bail!("{SNAPSHOT} differs:\n{difference}\nif that is meant: `cargo xtask regen --sign-access`");
    }
    println!("{OPENAPI} and {SNAPSHOT} are fresh");
    Ok(())
}

/// Builds the binary as the tests do, so that nothing is built twice, and asks it for its API document.
fn generate() -> Result<(std::path::PathBuf, String)> {
    run(cargo().args(["build", "--workspace", "--bin", "souk"]))?;
    let metadata = Metadata::of_workspace()?;
    let document = output(Command::new(metadata.target_directory.join("debug/souk")).arg("openapi"))?;
    Ok((metadata.workspace_root, format!("{}\n", document.trim_end())))
}

fn read(path: &Path) -> Result<String> {
    if !path.exists() {
        return Ok(String::new());
    }
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn replace(path: &Path, text: &str) -> Result<()> {
    if read(path)? != text {
        fs::write(path, text).with_context(|| path.display().to_string())?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// The first lines in which two texts differ.
fn difference(is: &str, should: &str) -> Option<String> {
    if is == should {
        return None;
    }
    let (mut is, mut should) = (is.lines(), should.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (is.next(), should.next()) {
            (None, None) => return Some("line ends differ".to_owned()),
            (is, should) if is != should => {
                let (is, should) = (is.unwrap_or_default(), should.unwrap_or_default());
                return Some(format!("line {number}\n- {is}\n+ {should}"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn the_first_difference_is_shown() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\n", "a\nc\n").unwrap(), "line 2\n- b\n+ c");
        assert_eq!(difference("a\n", "a\nc\n").unwrap(), "line 2\n- \n+ c");
    }
}
