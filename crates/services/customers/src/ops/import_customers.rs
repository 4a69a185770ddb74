use std::collections::{HashMap, HashSet};

use contracts::customers::{Address, ImportCustomer};
use contracts::identity::EMAIL_CONTEXT;
use contracts::import::{Mode, Verdict};
use database::Tx;
use kernel::{AddressId, CustomerId};
use vault::Plain;
use web::{Checks, Validate};

use super::decide_consent::decide;
use crate::config::Config;
use crate::context::{Context, sealed};
use crate::error::{Error, code};
use crate::model::address::{self, MAX_ADDRESSES};
use crate::model::consent::Decision;
use crate::model::profile::{Profile, check_person};
use crate::store::import::{self, ImportedAddress, ImportedCustomer, Known};

/// The blind index that tells whether a record is the same as last time, without opening anything.
const FINGERPRINT: &str = "customers.import";

/// Where an imported consent was given, and to which text.
const SOURCE: &str = "import";

/// What of a record is written and does not need a key.
struct Accepted<'a> {
    record: &'a ImportCustomer,
    email_index: [u8; 32],
    fingerprint: [u8; 32],
}

/// A batch as it is written.
struct Rows {
    customers: Vec<ImportedCustomer>,
    addresses: Vec<ImportedAddress>,
    consents: Vec<(CustomerId, Decision)>,
}

impl Context {
    /// Takes customers over. A record that is the same as last time changes nothing, another one
    /// replaces what the import before it brought; what people added themselves stays.
    pub(crate) async fn import_customers(
        &self,
        records: &[ImportCustomer],
        mode: Mode,
    ) -> Result<Vec<Verdict>, Error> {
        let ids: Vec<CustomerId> = records.iter().map(|record| record.customer_id).collect();
        let mut known: HashMap<CustomerId, Known> =
            import::known(&mut *self.database.read_primary().await?, &ids).await?.into_iter().collect();
        let mut accepted = HashMap::new();
        let mut verdicts = Vec::with_capacity(records.len());
        for record in records {
            let verdict = match self.judge(record, known.get(&record.customer_id))? {
                Ok((verdict, taken)) => {
                    // Should a batch name somebody twice, the last record stands.
                    let fingerprint = Some(taken.fingerprint);
                    known.insert(record.customer_id, Known { fingerprint, erased: false });
                    if verdict != Verdict::Unchanged {
                        accepted.insert(record.customer_id, taken);
                    }
                    verdict
                }
                Err(refused) => refused,
            };
            verdicts.push(verdict);
        }
        // A key of a person is durable when it is made, so a rehearsal makes none.
        if mode == Mode::Apply && !accepted.is_empty() {
            let rows = self.seal(&accepted.into_values().collect::<Vec<_>>()).await?;
            self.write(&rows).await?;
        }
        Ok(verdicts)
    }

    fn judge<'a>(
        &self,
        record: &'a ImportCustomer,
        known: Option<&Known>,
    ) -> Result<Result<(Verdict, Accepted<'a>), Verdict>, Error> {
        let email = match validate(record, &self.config) {
            Ok(email) => email,
            Err(refused) => return Ok(Err(refused)),
        };
        if known.is_some_and(|known| known.erased) {
            let detail = "the customer was erased and does not come back";
            return Ok(Err(Verdict::refused(code::NOT_FOUND.code, None, detail)));
        }
        let fingerprint = self.vault.blind_index(FINGERPRINT, &serde_json::to_string(record)?);
        let verdict = match known {
            None => Verdict::Created,
            Some(known) if known.fingerprint == Some(fingerprint) => Verdict::Unchanged,
            Some(_) => Verdict::Updated,
        };
        let email_index = self.email_index(&email);
        Ok(Ok((verdict, Accepted { record, email_index, fingerprint })))
    }

    /// Seals everything of the batch with one look-up of keys.
    async fn seal(&self, accepted: &[Accepted<'_>]) -> Result<Rows, Error> {
        let mut texts = Vec::new();
        for Accepted { record, .. } in accepted {
            texts.push((record.customer_id, EMAIL_CONTEXT, record.email.clone().into_bytes()));
            texts.push((record.customer_id, sealed::PROFILE, serde_json::to_vec(&profile(record))?));
            for address in &record.addresses {
                texts.push((record.customer_id, sealed::ADDRESS, serde_json::to_vec(address)?));
            }
        }
        let plain: Vec<Plain<'_>> = texts
            .iter()
            .map(|(id, context, text)| Plain { person: id.uuid(), context, plaintext: text })
            .collect();
        let mut sealed = self.vault.seal_many(&plain).await?.into_iter();
        let mut next = || sealed.next().unwrap_or_default();
        let mut rows = Rows { customers: Vec::new(), addresses: Vec::new(), consents: Vec::new() };
        for Accepted { record, email_index, fingerprint } in accepted {
            let (id, created_at) = (record.customer_id, record.created_at);
            let (email, profile) = (next(), next());
            let (email_index, fingerprint) = (*email_index, *fingerprint);
            rows.customers.push(ImportedCustomer {
                id,
                email,
                email_index,
                profile,
                fingerprint,
                created_at,
            });
            for index in 0..record.addresses.len() {
                rows.addresses.push(ImportedAddress {
                    id: AddressId::new(created_at, &self.rng),
                    customer_id: id,
                    address: next(),
                    is_default: index == 0,
                    created_at,
                });
            }
            rows.consents.extend(record.consents.iter().map(|purpose| (id, consent(record, purpose))));
        }
        Ok(rows)
    }

    async fn write(&self, rows: &Rows) -> Result<(), Error> {
        self.database
            .write(|mut tx| async move {
                self.write_rows(&mut tx, rows).await?;
                Ok(tx.commit(()).await?)
            })
            .await
    }

    async fn write_rows(&self, tx: &mut Tx, rows: &Rows) -> Result<(), Error> {
        let ids: Vec<CustomerId> = rows.customers.iter().map(|customer| customer.id).collect();
        // Whoever was erased since the batch was judged has lost their key, and nothing of this could
        // ever be opened.
        if import::known(tx, &ids).await?.iter().any(|(_, known)| known.erased) {
            return Err(Error::NotFound);
        }
        import::upsert(tx, &rows.customers, self.now()).await?;
        import::delete_addresses(tx, &ids).await?;
        let decided: HashSet<CustomerId> =
            import::with_default_address(tx, &ids).await?.into_iter().collect();
        import::insert_addresses(tx, &rows.addresses, &decided).await?;
        for (customer, decision) in &rows.consents {
            decide(tx, *customer, decision).await?;
        }
        Ok(())
    }
}

fn profile(record: &ImportCustomer) -> Profile {
    Profile {
        name: record.name.clone(),
        phone: record.phone.clone(),
        locale: record.locale.clone(),
        ..Profile::default()
    }
}

fn consent(record: &ImportCustomer, purpose: &str) -> Decision {
    Decision {
        purpose: purpose.to_owned(),
        granted: true,
        text_version: SOURCE.to_owned(),
        source: SOURCE.to_owned(),
        decided_at: record.created_at,
    }
}

/// The record's mail address when the record can be taken, else the refusal.
fn validate(record: &ImportCustomer, config: &Config) -> Result<mail::Address, Verdict> {
    let mut checks = Checks::of_body();
    let email = record.email.parse::<mail::Address>();
    checks.check("email", email.is_ok(), "invalid_email", "must be a mail address");
    checks.text("external_id", &record.external_id, 1..=255);
    check_person(&mut checks, record.name.as_deref(), record.phone.as_deref(), record.locale.as_deref());
    checks.count("addresses", record.addresses.len(), 0..=MAX_ADDRESSES);
    let addresses: Vec<_> = record.addresses.iter().map(Checked).collect();
    checks.each("addresses", &addresses);
    for purpose in &record.consents {
        let known = config.purpose(purpose).is_some();
        checks.check("consents", known, "unknown_purpose", "must name purposes that the shop asks about");
    }
    match (checks.into_errors().into_iter().next(), email) {
        (None, Ok(email)) => Ok(email),
        (Some(error), _) => {
            let field = error.pointer.trim_start_matches('/').replace('/', ".");
            Err(Verdict::refused(web::code::VALIDATION.code, Some(&field), error.detail))
        }
        (None, Err(error)) => {
            Err(Verdict::refused(web::code::VALIDATION.code, Some("email"), error.to_string()))
        }
    }
}

struct Checked<'a>(&'a Address);

impl Validate for Checked<'_> {
    fn validate(&self, checks: &mut Checks) {
        address::check(checks, self.0);
    }
}
