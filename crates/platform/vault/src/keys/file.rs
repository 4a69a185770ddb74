use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use kernel::{Rng, Secret};
use zeroize::Zeroizing;

use crate::crypto::MasterKey;
use crate::error::VaultError;

/// More than any key file has.
const MAX_LEN: u64 = 4_096;

/// The keys of the file: one a line, the first is the one that a new vault begins with. Empty lines and
/// lines that begin with `#` do not count. `None` when there is no such file.
///
/// # Errors
/// When others than the owner may read it, or a line is not a key.
pub(super) fn read(path: &Path) -> Result<Option<Vec<MasterKey>>, VaultError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(path, "cannot be read", Some(error))),
    };
    // Asked of the open file, so that it cannot be exchanged between the question and the reading.
    let metadata = file.metadata().map_err(|error| failure(path, "cannot be read", Some(error)))?;
    if !metadata.is_file() {
        return Err(failure(path, "is not a plain file", None));
    }
    if is_open_to_others(&metadata) {
        return Err(failure(path, "can be read by others; run chmod 600 on it", None));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_LEN)
        .read_to_string(&mut text)
        .map_err(|error| failure(path, "cannot be read", Some(error)))?;
    let keys: Option<Vec<MasterKey>> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(MasterKey::parse)
        .collect();
    match keys {
        Some(keys) if !keys.is_empty() => Ok(Some(keys)),
        _ => Err(failure(path, "must hold 32 bytes in base64 or hex on each line", None)),
    }
}

/// Puts a new key file in place, readable by its owner only. False when there is one already, whoever
/// made it: of many that start at once, one makes it.
pub(super) fn create(path: &Path, key: &MasterKey, rng: &Rng) -> Result<bool, VaultError> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|error| failure(path, "cannot be made: no folder", Some(error)))?;
    let draft = write_draft(path, std::slice::from_ref(key), rng)?;
    // A link appears whole or not at all, and never over a file that is there.
    let linked = fs::hard_link(&draft, path);
    let _ = fs::remove_file(&draft);
    match linked {
        Ok(()) => sync_folder(path).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failure(path, "cannot be made", Some(error))),
    }
}

/// Replaces the keys of the file in one step.
pub(super) fn replace(path: &Path, keys: &[MasterKey], rng: &Rng) -> Result<(), VaultError> {
    let draft = write_draft(path, keys, rng)?;
    fs::rename(&draft, path).map_err(|error| {
        let _ = fs::remove_file(&draft);
        failure(path, "cannot be replaced", Some(error))
    })?;
    sync_folder(path)
}

/// Removes a file that this process made and that turned out not to be wanted.
pub(super) fn remove(path: &Path) -> Result<(), VaultError> {
    fs::remove_file(path).map_err(|error| failure(path, "cannot be removed", Some(error)))
}

fn write_draft(path: &Path, keys: &[MasterKey], rng: &Rng) -> Result<PathBuf, VaultError> {
    let name = format!("master.key.{}.draft", hex::encode(rng.bytes::<8>()));
    let draft = folder_of(path).join(name);
    let mut text = Secret::new(String::from(
        "# The master key of this shop. Whoever has it can read every customer's data; without it nobody can.\n\
         # Keep a copy in a safe place, apart from the backups of the database.\n",
    ));
    for key in keys {
        text = Secret::new(format!("{}{}\n", text.expose(), key.to_text().expose()));
    }
    let written = private_file(&draft)
        .and_then(|mut file| file.write_all(text.expose().as_bytes()).and_then(|()| file.sync_all()));
    written.map(|()| draft.clone()).map_err(|error| {
        let _ = fs::remove_file(&draft);
        failure(path, "cannot be written", Some(error))
    })
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

/// Other systems have no such bits; there the folder's own protection has to do.
#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

/// Makes the name of the file as durable as its content.
fn sync_folder(path: &Path) -> Result<(), VaultError> {
    if cfg!(unix) {
        File::open(folder_of(path))
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failure(path, "cannot be made durable", Some(error)))?;
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failure(path: &Path, problem: &'static str, source: Option<std::io::Error>) -> VaultError {
    VaultError::KeyFile { path: path.to_owned(), problem, source }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/master.key");
        let rng = Rng::system();
        assert!(read(&path).unwrap().is_none());
        let first = MasterKey::generate(&rng);
        assert!(create(&path, &first, &rng).unwrap());
        assert!(!create(&path, &MasterKey::generate(&rng), &rng).unwrap());
        assert_eq!(mode(&path), 0o600);
        let keys = read(&path).unwrap().unwrap();
        assert_eq!(keys.iter().map(MasterKey::id).collect::<Vec<_>>(), [first.id()]);
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1, "a draft was left behind");
    }

    #[test]
    fn is_replaced_in_one_step_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let rng = Rng::system();
        let (old, new) = (MasterKey::generate(&rng), MasterKey::generate(&rng));
        create(&path, &old, &rng).unwrap();
        replace(&path, &[new.clone(), old.clone()], &rng).unwrap();
        let ids: Vec<_> = read(&path).unwrap().unwrap().iter().map(MasterKey::id).collect();
        assert_eq!(ids, [new.id(), old.id()]);
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn is_refused_when_others_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        create(&path, &MasterKey::generate(&Rng::system()), &Rng::system()).unwrap();
        for bits in [0o640, 0o604, 0o660, 0o602, 0o601, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.to_string().contains("chmod 600"), "{bits:o}: {error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path).unwrap().is_some());
    }

    #[test]
    fn is_refused_when_it_holds_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert!(read(folder.path()).is_err(), "a folder is no key");
        for text in ["", "# nothing\n", "secret", "AAAA\n", &format!("{}\nrubbish\n", "00".repeat(32))] {
            private_file(&path).unwrap().write_all(text.as_bytes()).unwrap();
            assert!(matches!(read(&path), Err(VaultError::KeyFile { .. })), "{text:?}");
            fs::remove_file(&path).unwrap();
        }
    }
}
