use bytes::Bytes;
use objects::{Checksum, Objects, ObjectsError};

use crate::Error;
use crate::model::picture::Kind;

/// Under this folder of the file store lies what everybody may see, and nothing else does.
const FOLDER: &str = "media";

/// Where uploads lie below `/media/`. Their addresses follow from their bytes.
pub(crate) const UPLOADS: &str = "uploads/";

/// The key in the file store of what stands at `/media/{path}`.
pub(crate) fn key(path: &str) -> String {
    format!("{FOLDER}/{path}")
}

/// Stores a picture at an address that follows from its bytes, so sending it twice stores it once and
/// what stands at the address never changes. Returns the path below `/media/`.
///
/// # Errors
/// [`Error::PictureUnsupported`], [`Error::PictureUnreadable`].
pub(crate) async fn put_picture(
    objects: &Objects,
    content_type: &str,
    content: Bytes,
) -> Result<String, Error> {
    let kind = Kind::of(content_type).ok_or(Error::PictureUnsupported)?;
    if !kind.matches(&content) {
        return Err(Error::PictureUnreadable);
    }
    let name = Checksum::of(&content).to_string();
    let path = format!("{UPLOADS}{}.{}", &name[..32], kind.extension);
    match objects.put_if_absent(&key(&path), content, kind.media_type).await {
        Ok(_) | Err(ObjectsError::AlreadyExists { .. }) => Ok(path),
        Err(error) => Err(error.into()),
    }
}
