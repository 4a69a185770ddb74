use contracts::customers::ConsentChanged;
use database::Tx;
use kernel::CustomerId;

use crate::context::Context;
use crate::error::Error;
use crate::model::consent::{Consent, Decision};
use crate::store::consents;

impl Context {
    /// Where the customer stands on each purpose that the shop asks about.
    pub(crate) async fn read_consents(&self, customer: CustomerId) -> Result<Vec<Consent>, Error> {
        let mut latest = consents::latest(&mut *self.database.read().await?, customer).await?;
        let purposes = &self.config.purposes;
        Ok(purposes.iter().map(|purpose| Consent::new(purpose, take(&mut latest, purpose))).collect())
    }

    /// Adds a decision to the customer's history and tells of it. Saying again what was said last
    /// changes nothing and returns what stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the erased.
    pub(crate) async fn decide_consent(
        &self,
        customer: CustomerId,
        decision: &Decision,
    ) -> Result<Consent, Error> {
        self.database
            .write(|mut tx| async move {
                self.touch(&mut tx, customer).await?;
                let standing = decide(&mut tx, customer, decision).await?;
                Ok(tx.commit(Consent::new(&decision.purpose, Some(standing))).await?)
            })
            .await
    }
}

/// Adds a decision within a transaction; the one that stands afterwards.
pub(crate) async fn decide(
    tx: &mut Tx,
    customer: CustomerId,
    decision: &Decision,
) -> Result<Decision, Error> {
    let before = take(&mut consents::latest(tx, customer).await?, &decision.purpose);
    if !decision.is_new(before.as_ref()) {
        return Ok(before.unwrap_or_else(|| decision.clone()));
    }
    consents::append(tx, customer, decision).await?;
    // The same answer to another text is history, not a change.
    if before.is_none_or(|before| before.granted != decision.granted) {
        let (purpose, granted) = (decision.purpose.clone(), decision.granted);
        tx.emit(&ConsentChanged { customer_id: customer, purpose, granted }).await?;
    }
    Ok(decision.clone())
}

fn take(latest: &mut Vec<Decision>, purpose: &str) -> Option<Decision> {
    let index = latest.iter().position(|decision| decision.purpose == purpose)?;
    Some(latest.swap_remove(index))
}
