use std::collections::HashMap;

use contracts::identity::{EMAIL_CONTEXT, ImportAccount};
use contracts::import::{Mode, Verdict};
use kernel::CustomerId;
use kernel::Timestamp;
use mail::Address;
use uuid::Uuid;
use vault::Plain;

use crate::context::Context;
use crate::error::Error;
use crate::hashing::Unusable;
use crate::model::account::Subject;
use crate::store::accounts::{self, Account};

/// The hash is in no form that is known.
const HASH_UNSUPPORTED: &str = "identity.hash_unsupported";
const UNSUPPORTED: &str =
    "this is no hash that can be checked here; leave it out and the person recovers the account";

/// Checking a password against the hash would take too long.
const HASH_TOO_COSTLY: &str = "identity.hash_too_costly";
const TOO_COSTLY: &str = "checking a password against this hash would take more time or memory than \
    identity.hashing allows; leave it out and the person recovers the account";

/// How many accounts one transaction takes.
const BATCH: usize = 500;

/// An account that is there already.
struct Known {
    id: Uuid,
    address_index: [u8; 32],
    verified: bool,
    has_password: bool,
}

/// What is to be done about one row.
enum Step<'a> {
    Insert(&'a ImportAccount, Read),
    Update(&'a ImportAccount, Option<String>),
    Nothing(Verdict),
}

/// What was made of one row.
struct Read {
    address: Address,
    index: [u8; 32],
    /// The hash as it is stored, unless it is left behind.
    hash: Option<String>,
}

impl Context {
    /// Takes accounts over, in their order; doing it again changes nothing. Nothing is hashed and
    /// nobody is told: whoever imports tells customers of the same people.
    ///
    /// The hash of an account whose address was not proved is left behind. Whoever chose that
    /// password need not be the person the address belongs to.
    pub(crate) async fn import_accounts(
        &self,
        rows: &[ImportAccount],
        mode: Mode,
    ) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = Vec::with_capacity(rows.len());
        for batch in rows.chunks(BATCH) {
            verdicts.extend(self.import_batch(batch, mode).await?);
        }
        Ok(verdicts)
    }

    /// The customers whose addresses these are, in their order.
    pub(crate) async fn accounts_by_email(
        &self,
        emails: &[String],
    ) -> Result<Vec<Option<CustomerId>>, Error> {
        let mut found = Vec::with_capacity(emails.len());
        for batch in emails.chunks(BATCH) {
            let index =
                |email: &String| email.trim().parse().ok().map(|address| self.address_index(&address));
            let indexes: Vec<Option<[u8; 32]>> = batch.iter().map(index).collect();
            let wanted: Vec<[u8; 32]> = indexes.iter().flatten().copied().collect();
            let mut reader = self.database.read_primary().await?;
            let known = accounts::customers(&mut reader, &wanted).await?;
            found.extend(indexes.into_iter().map(|index| index.and_then(|index| known.get(&index).copied())));
        }
        Ok(found)
    }

    async fn import_batch(&self, rows: &[ImportAccount], mode: Mode) -> Result<Vec<Verdict>, Error> {
        let read: Vec<Result<Read, Verdict>> = rows.iter().map(|row| self.read(row)).collect();
        let mut known = self.known(rows, &read).await?;
        let steps: Vec<Step<'_>> = rows
            .iter()
            .zip(read)
            .map(|(row, read)| match read {
                Ok(read) => known.plan(row, read),
                Err(verdict) => Step::Nothing(verdict),
            })
            .collect();
        if mode == Mode::DryRun {
            return Ok(steps.into_iter().map(Step::verdict).collect());
        }
        let new = self.sealed(&steps).await?;
        let (now, new, updates) = (self.now(), &new, &steps);
        self.database
            .write(|mut tx| async move {
                accounts::insert_all(&mut tx, new).await?;
                for step in updates {
                    let Step::Update(row, hash) = step else { continue };
                    let id = row.customer_id.uuid();
                    accounts::verify(&mut tx, id, now).await?;
                    if let Some(hash) = hash {
                        accounts::set_missing_password(&mut tx, id, hash, now).await?;
                    }
                }
                tx.commit(()).await
            })
            .await
            .map_err(|error: database::Error| Error::from(error))?;
        Ok(steps.into_iter().map(Step::verdict).collect())
    }

    fn read(&self, row: &ImportAccount) -> Result<Read, Verdict> {
        let address: Address = row.email.trim().parse().map_err(|_| {
            Verdict::refused("identity.address_invalid", Some("email"), "this is not a mail address")
        })?;
        let hash = row.password_hash.as_ref().map(|hash| self.hasher.adopt(hash)).transpose();
        let hash = hash.map_err(|unusable| {
            let (code, detail) = match unusable {
                Unusable::Unsupported => (HASH_UNSUPPORTED, UNSUPPORTED),
                Unusable::TooCostly => (HASH_TOO_COSTLY, TOO_COSTLY),
            };
            Verdict::refused(code, Some("password_hash"), detail)
        })?;
        let index = self.address_index(&address);
        Ok(Read { address, index, hash: hash.filter(|_| row.verified) })
    }

    async fn known(
        &self,
        rows: &[ImportAccount],
        read: &[Result<Read, Verdict>],
    ) -> Result<KnownAccounts, Error> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.customer_id.uuid()).collect();
        let indexes: Vec<[u8; 32]> = read.iter().flatten().map(|read| read.index).collect();
        let found = accounts::known(&mut *self.database.read_primary().await?, &ids, &indexes).await?;
        let mut known = KnownAccounts::default();
        for (id, address_index, verified_at, password_hash) in found {
            let verified = verified_at.is_some();
            known.add(Known { id, address_index, verified, has_password: password_hash.is_some() });
        }
        Ok(known)
    }

    async fn sealed(&self, steps: &[Step<'_>]) -> Result<Vec<Account>, Error> {
        let new: Vec<_> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Insert(row, read) => Some((*row, read)),
                _ => None,
            })
            .collect();
        let plain: Vec<Plain<'_>> = new
            .iter()
            .map(|(row, read)| Plain {
                person: row.customer_id.uuid(),
                context: EMAIL_CONTEXT,
                plaintext: read.address.as_str().as_bytes(),
            })
            .collect();
        let sealed = self.vault.seal_many(&plain).await?;
        Ok(new.into_iter().zip(sealed).map(|((row, read), sealed)| account(row, read, sealed)).collect())
    }
}

fn account(row: &ImportAccount, read: &Read, sealed: Vec<u8>) -> Account {
    let mut account = Account::new(Subject::Customer(row.customer_id), read.index, sealed, row.created_at);
    let since: Option<Timestamp> = row.verified.then_some(row.created_at);
    account.verified_at = since;
    account.password_hash = read.hash.clone();
    account.password_set_at = read.hash.as_ref().and(since);
    account
}

/// The accounts that a batch may meet: those that are stored and those of earlier rows.
#[derive(Default)]
struct KnownAccounts {
    accounts: Vec<Known>,
    by_id: HashMap<Uuid, usize>,
    by_address: HashMap<[u8; 32], usize>,
}

impl KnownAccounts {
    fn add(&mut self, known: Known) {
        let place = self.accounts.len();
        self.by_id.insert(known.id, place);
        self.by_address.insert(known.address_index, place);
        self.accounts.push(known);
    }

    fn plan<'a>(&mut self, row: &'a ImportAccount, read: Read) -> Step<'a> {
        let id = row.customer_id.uuid();
        if let Some(place) = self.by_id.get(&id) {
            let known = &mut self.accounts[*place];
            if known.address_index != read.index {
                return refuse("identity.address_differs", "the account is known under another address");
            }
            let adds_password = read.hash.is_some() && !known.has_password;
            let proves = row.verified && !known.verified;
            if !proves && !adds_password {
                return Step::Nothing(Verdict::Unchanged);
            }
            (known.verified, known.has_password) = (true, known.has_password || adds_password);
            return Step::Update(row, read.hash);
        }
        if self.by_address.contains_key(&read.index) {
            return refuse("identity.address_taken", "another account has this address");
        }
        let (address_index, has_password) = (read.index, read.hash.is_some());
        self.add(Known { id, address_index, verified: row.verified, has_password });
        Step::Insert(row, read)
    }
}

fn refuse<'a>(code: &str, detail: &str) -> Step<'a> {
    Step::Nothing(Verdict::refused(code, Some("email"), detail))
}

impl Step<'_> {
    fn verdict(self) -> Verdict {
        match self {
            Self::Insert(..) => Verdict::Created,
            Self::Update(..) => Verdict::Updated,
            Self::Nothing(verdict) => verdict,
        }
    }
}
