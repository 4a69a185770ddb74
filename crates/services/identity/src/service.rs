use std::sync::Arc;

use bus::React;
use contracts::identity::ImportAccount;
use contracts::import::{Mode, Verdict};
use database::{Migration, WorkOptions};
use host::{Platform, StartError, Worker};
use include_dir::{Dir, include_dir};
use kernel::{CustomerId, Secret, SellerId, StaffId};
use mail::Address;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use web::Role;

use crate::config::Config;
use crate::context::{Context, Parts};
use crate::error::Error;
use crate::hashing::Hasher;
use crate::ops::add_staff::Appointment;
use crate::ops::chain_audit::AuditCheck;
use crate::ops::{leave_note, send_mail};
use crate::passwords::Policy;
use crate::reactions::ForgetErased;
use crate::routes;
use crate::tokens::Issuer;

const MIGRATIONS: &[Migration] = &database::migrations!["0001_init"];

static TEMPLATES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Why an operation that a person at the command line asked for did not come about.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct OperationError(Box<dyn std::error::Error + Send + Sync>);

impl OperationError {
    fn from(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

fn address(email: &str) -> Result<Address, OperationError> {
    email.trim().parse().map_err(|error: mail::AddressError| OperationError::from(error))
}

/// Identity, as the binary sees it. Clones are the same service.
#[derive(Clone)]
pub struct Service(Context);

impl Service {
    /// Brings the tables up to date and starts the threads that hash passwords.
    ///
    /// # Errors
    /// When the configuration is unusable, or the database, the vault or the templates are.
    pub async fn new(platform: &Platform, config: Config) -> Result<Self, StartError> {
        config.validate().map_err(StartError::because("its configuration cannot be used"))?;
        platform
            .database
            .migrate("identity", MIGRATIONS)
            .await
            .map_err(StartError::because("its tables cannot be made"))?;
        let vault = &platform.vault;
        let hasher =
            Hasher::start(&config.hashing, vault.derive("identity.password_pepper"), platform.rng.clone())
                .map_err(StartError::because("passwords cannot be hashed"))?;
        let passwords = Policy::open(&config.passwords, &platform.public_url)
            .map_err(StartError::because("the rules for passwords cannot be kept"))?;
        let templates = platform
            .mailer
            .templates(&TEMPLATES)
            .map_err(StartError::because("its mails cannot be written"))?;
        let issuer = Issuer {
            keys: vault.signing_keys("tokens"),
            issuer: platform.public_url.clone(),
            lifetime: config.access_token(),
            refresh_key: vault.derive("identity.refresh_token"),
            clock: platform.clock.clone(),
            rng: platform.rng.clone(),
        };
        Ok(Self(Context::new(Parts {
            config,
            database: platform.database.clone(),
            cache: platform.cache.clone(),
            vault: vault.clone(),
            mailer: platform.mailer.clone(),
            templates,
            hasher,
            passwords: Arc::new(passwords),
            issuer,
            code_key: vault.derive("identity.code"),
            audit_key: vault.derive("identity.audit"),
            public_url: platform.public_url.clone(),
            clock: platform.clock.clone(),
            rng: platform.rng.clone(),
        })))
    }

    /// The public routes with their documentation.
    pub fn router(&self) -> OpenApiRouter {
        routes::public().with_state(self.0.clone())
    }

    /// The routes for other services.
    pub fn internal(&self) -> axum::Router {
        routes::internal().with_state(self.0.clone())
    }

    /// Mails, notes, and what has to be done every now and then.
    pub fn workers(&self) -> Vec<Worker> {
        let (mails, notes, upkeep) = (self.0.clone(), self.0.clone(), self.0.clone());
        let database = &self.0.database;
        vec![
            Worker::due(database, send_mail::QUEUE, WorkOptions::default(), move |item| {
                let context = mails.clone();
                async move { context.send_waiting_mail(item).await }
            }),
            Worker::due(database, leave_note::QUEUE, WorkOptions::default(), move |item| {
                let context = notes.clone();
                async move { context.answer_note(item).await }
            }),
            Worker::new("identity.upkeep", move |shutdown| {
                let context = upkeep.clone();
                async move { context.upkeep(shutdown).await }
            }),
        ]
    }

    /// What it does on other services' events.
    pub fn reactions(&self) -> Vec<Arc<dyn React>> {
        vec![Arc::new(ForgetErased(self.0.clone()))]
    }

    /// Does all waiting work and upkeep once. For tests and commands that do not run the workers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn catch_up(&self) -> Result<(), OperationError> {
        let (context, database) = (&self.0, &self.0.database);
        let work = async {
            database.work_once(leave_note::QUEUE, |item| context.answer_note(item)).await?;
            database.work_once(send_mail::QUEUE, |item| context.send_waiting_mail(item)).await?;
            context.chain_audit().await?;
            context.clean().await
        };
        work.await.map(|_| ()).map_err(|error: Error| OperationError::from(error))
    }

    /// Makes somebody staff, or gives one who is more roles. Without a password somebody new is sent an invitation,
    /// with whose link they set one.
    ///
    /// # Errors
    /// When the address is a customer's, or the password would not protect them.
    pub async fn add_staff(
        &self,
        email: &str,
        roles: &[Role],
        password: impl Into<Option<&Secret<String>>>,
    ) -> Result<StaffId, OperationError> {
        let appointment = Appointment { roles, seller: None };
        self.0.add_staff(&address(email)?, appointment, password.into()).await.map_err(OperationError::from)
    }

    /// Lets somebody act for a seller; as for [`Service::add_staff`].
    ///
    /// # Errors
    /// As for [`Service::add_staff`].
    pub async fn add_seller_member(
        &self,
        email: &str,
        seller: SellerId,
        password: impl Into<Option<&Secret<String>>>,
    ) -> Result<StaffId, OperationError> {
        let appointment = Appointment { roles: &[], seller: Some(seller) };
        self.0.add_staff(&address(email)?, appointment, password.into()).await.map_err(OperationError::from)
    }

    /// Takes accounts over from elsewhere, with one verdict for each in their order. Doing it again changes nothing.
    /// No event tells of them: whoever imports gives the same people to customers.
    ///
    /// # Errors
    /// When the database or the vault does not answer.
    pub async fn import_accounts(
        &self,
        accounts: Vec<ImportAccount>,
        mode: Mode,
    ) -> Result<Vec<Verdict>, OperationError> {
        self.0.import_accounts(&accounts, mode).await.map_err(OperationError::from)
    }

    /// The customers whose addresses these are, in their order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn accounts_by_email(
        &self,
        emails: &[String],
    ) -> Result<Vec<Option<CustomerId>>, OperationError> {
        self.0.accounts_by_email(emails).await.map_err(OperationError::from)
    }

    /// Makes sure that a customer can sign in with this address and password, for demonstrations and tests; who they
    /// are. The address counts as proved.
    ///
    /// # Errors
    /// When the address is a staff member's, or the password would not protect them.
    pub async fn ensure_account(
        &self,
        email: &str,
        password: &Secret<String>,
    ) -> Result<CustomerId, OperationError> {
        self.0.ensure_account(&address(email)?, password).await.map_err(OperationError::from)
    }

    /// Publishes the next signing key; it takes over when every verifier knows it. Its id.
    ///
    /// # Errors
    /// When the vault does not answer.
    pub async fn rotate_keys(&self) -> Result<String, OperationError> {
        let next = self.0.issuer.keys.rotate().await.map_err(OperationError::from)?;
        Ok(next.kid().to_owned())
    }

    /// Checks that no entry of the audit log was changed or taken out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn check_audit(&self) -> Result<AuditCheck, OperationError> {
        self.0.check_audit().await.map_err(OperationError::from)
    }

    /// How many password hashes were computed since the start.
    pub fn hashes_computed(&self) -> u64 {
        self.0.hasher.computed()
    }
}

/// The API document of this service; nothing has to run for it.
pub fn openapi() -> OpenApi {
    routes::public().into_openapi()
}
