//! Reads the folder of mails: for the demo's mailbox page, and for tests that follow a link.

use std::io;
use std::path::Path;

use kernel::Timestamp;
use mail_parser::{HeaderName, MessageParser};
use serde::Serialize;
use tokio::fs;

use crate::MailError;

/// A mail as it lies in the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredMail {
    /// The name to read it by. Names sort by the time of sending.
    pub name: String,
    /// The address it comes from.
    pub from: String,
    /// The address it goes to.
    pub to: String,
    /// The recipient's name.
    pub to_name: Option<String>,
    /// The subject.
    pub subject: String,
    /// When it was sent, to the second.
    pub sent_at: Timestamp,
    /// The `Message-ID` without its angle brackets.
    pub message_id: String,
    /// Where one unsubscribes.
    pub unsubscribe_url: Option<String>,
    /// The body as text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

const MAX_LIST: usize = 500;
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// The last `limit` mails of the folder (500 at most), the newest first. A folder that does not
/// exist yet is an empty one.
///
/// # Errors
/// [`MailError::Folder`] when it cannot be read.
pub async fn list(folder: &Path, limit: usize) -> Result<Vec<StoredMail>, MailError> {
    let mut names = names(folder).await.map_err(MailError::Folder)?;
    names.sort_unstable_by(|a, b| b.cmp(a));
    let mut mails = Vec::new();
    for name in names.iter().take(limit.min(MAX_LIST)) {
        match read(folder, name).await {
            Ok(mail) => mails.push(mail),
            // It was deleted since, or is a file that we did not write.
            Err(MailError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(mails)
}

/// The mail of that name.
///
/// # Errors
/// [`MailError::NotFound`] when there is none, also when the name is none that a mail can have.
pub async fn read(folder: &Path, name: &str) -> Result<StoredMail, MailError> {
    if !is_name(name) {
        return Err(MailError::NotFound);
    }
    let path = folder.join(name);
    let bytes = async {
        if fs::metadata(&path).await?.len() > MAX_FILE {
            return Err(io::ErrorKind::NotFound.into());
        }
        fs::read(&path).await
    };
    let bytes = bytes.await.map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => MailError::NotFound,
        _ => MailError::Folder(error),
    })?;
    parse(name, &bytes).ok_or(MailError::NotFound)
}

async fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut entries = match fs::read_dir(folder).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        names.extend(entry.file_name().into_string().ok().filter(|name| is_name(name)));
    }
    Ok(names)
}

/// A name leads nowhere but into the folder: no separators, no leading dot.
fn is_name(name: &str) -> bool {
    const MAX_NAME: usize = 128;
    name.len() <= MAX_NAME
        && name.strip_suffix(".eml").is_some_and(|stem| {
            !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn parse(name: &str, bytes: &[u8]) -> Option<StoredMail> {
    let mail = MessageParser::default().parse(bytes)?;
    let to = mail.to()?.first()?;
    let unsubscribe =
        mail.header_raw(HeaderName::ListUnsubscribe).map(|raw| raw.trim().trim_matches(['<', '>']));
    Some(StoredMail {
        name: name.to_owned(),
        from: mail.from()?.first()?.address()?.to_owned(),
        to: to.address()?.to_owned(),
        to_name: to.name().map(str::to_owned),
        subject: mail.subject()?.to_owned(),
        sent_at: Timestamp::from_seconds(mail.date()?.to_timestamp()),
        message_id: mail.message_id()?.to_owned(),
        unsubscribe_url: unsubscribe.map(str::to_owned),
        text: mail.body_text(0)?.into_owned(),
        html: mail.body_html(0)?.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        assert!(is_name("00001795301372000001-00000000-0a1b2c3d.eml"));
        for name in
            ["", ".eml", "../x.eml", "a/b.eml", "a.b.eml", ".hidden.eml", "x.txt", "x.eml\0", "C:x.eml"]
        {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
