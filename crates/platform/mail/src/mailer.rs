use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::Dir;
use kernel::{Clock, Rng};

use crate::folder::Folder;
use crate::smtp::Smtp;
use crate::{Brand, MailConfig, MailError, Message, Sender, SmtpConfig, Templates};

/// Sends mails: into a folder, or through a server. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Mailer {
    inner: Arc<Inner>,
    brand: Brand,
    overrides: Option<PathBuf>,
}

struct Inner {
    engine: Engine,
    from: Sender,
    clock: Clock,
}

enum Engine {
    Folder(Folder),
    Smtp(Box<Smtp>),
}

impl Mailer {
    /// What the configuration asks for: the server when there is one, else the folder below
    /// `data_dir`. Like [`Mailer::smtp`], to be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`MailError::Config`] that names the field.
    pub fn open(config: &MailConfig, data_dir: &Path, clock: Clock, rng: Rng) -> Result<Self, MailError> {
        let from = config.sender()?;
        let mailer = match &config.smtp {
            Some(smtp) => Self::smtp(smtp, from, clock)?,
            None => Self::folder(data_dir.join(&config.folder), from, clock, rng),
        };
        let overrides = config.templates.as_ref().map(|folder| data_dir.join(folder));
        Ok(Self { brand: config.brand.clone(), overrides, ..mailer })
    }

    /// Writes mails to `.eml` files in the folder `path`, which is made when the first mail comes.
    pub fn folder(path: impl Into<PathBuf>, from: Sender, clock: Clock, rng: Rng) -> Self {
        Self::new(Engine::Folder(Folder::new(path.into(), rng)), from, clock)
    }

    /// Sends mails through a server. No connection is made before the first mail; connections
    /// are looked after by a task, so this is to be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`MailError::Config`] that names the field.
    pub fn smtp(config: &SmtpConfig, from: Sender, clock: Clock) -> Result<Self, MailError> {
        Ok(Self::new(Engine::Smtp(Box::new(Smtp::new(config)?)), from, clock))
    }

    fn new(engine: Engine, from: Sender, clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { engine, from, clock }), brand: Brand::default(), overrides: None }
    }

    /// A service's own mails, with the shop's brand and the operator's files in the place of built-in ones.
    ///
    /// # Errors
    /// [`MailError::Template`] names the template that is missing or malformed.
    pub fn templates(&self, embedded: &Dir<'static>) -> Result<Templates, MailError> {
        let templates = Templates::from_embedded(embedded)?.brand(&self.brand);
        match &self.overrides {
            Some(folder) => templates.with_overrides(folder),
            None => Ok(templates),
        }
    }

    /// Sends one mail. When it returns, the mail is on disk or the server has taken it over.
    ///
    /// # Errors
    /// [`MailError::is_permanent`] tells whether trying again is useless. After
    /// [`MailError::Timeout`] the mail may have gone out all the same; sending it again with the
    /// same id gives it the same `Message-ID`.
    pub async fn send(&self, message: &Message) -> Result<(), MailError> {
        let Inner { engine, from, clock } = &*self.inner;
        let now = clock.now();
        let encoded = message.encode(from, now)?;
        match engine {
            Engine::Folder(folder) => folder.deliver(now, &encoded.formatted()).await,
            Engine::Smtp(smtp) => smtp.deliver(encoded.envelope(), &encoded.formatted()).await,
        }
    }

    /// Whether the server was away when a mail was last sent. Nobody asks it otherwise.
    pub fn is_away(&self) -> bool {
        match &self.inner.engine {
            Engine::Folder(_) => false,
            Engine::Smtp(smtp) => smtp.is_away(),
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.inner.engine {
            Engine::Folder(_) => "Mailer(folder)",
            Engine::Smtp(_) => "Mailer(smtp)",
        })
    }
}
