//! The mail that the shop sent, wherever it went.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use testkit::engines::Smtp;

/// Where the shop's mail arrives.
pub enum Mailbox {
    Folder(PathBuf),
    Server(Arc<Smtp>),
}

/// A mail as a person reads it.
#[derive(Clone, Debug)]
pub struct Mail {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
}

impl Mailbox {
    pub fn folder(path: PathBuf) -> Self {
        Self::Folder(path)
    }

    pub fn server(smtp: Arc<Smtp>) -> Self {
        Self::Server(smtp)
    }

    /// Everything that has arrived.
    pub fn all(&self) -> Vec<Mail> {
        let folder = match self {
            Self::Folder(folder) => folder,
            Self::Server(smtp) => {
                return smtp.messages().iter().filter_map(|mail| read(mail.message.as_bytes())).collect();
            }
        };
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .collect();
        files.sort();
        files.iter().filter_map(|path| read(&std::fs::read(path).ok()?)).collect()
    }

    /// Waits for the `nth` mail to `to` whose subject or text holds `words`.
    pub async fn wait(&self, to: &str, words: &str, nth: usize) -> Mail {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let all = self.all();
            let found = all
                .iter()
                .filter(|mail| mail.to == to && (mail.subject.contains(words) || mail.text.contains(words)))
                .nth(nth);
            if let Some(mail) = found {
                return mail.clone();
            }
            assert!(Instant::now() < deadline, "no mail to {to} with {words:?}: {all:#?}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

impl Mail {
    /// The first run of six to eight digits that stands alone.
    pub fn code(&self) -> String {
        self.text
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .find(|word| (6..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()))
            .unwrap_or_else(|| panic!("no code in {}", self.text))
            .to_owned()
    }
}

fn read(raw: &[u8]) -> Option<Mail> {
    let message = MessageParser::default().parse(raw)?;
    Some(Mail {
        id: message.message_id()?.to_owned(),
        to: message.to()?.first()?.address()?.to_owned(),
        subject: message.subject()?.to_owned(),
        text: message.body_text(0)?.into_owned(),
    })
}
