use database::Tx;
use kernel::CustomerId;

use crate::context::Context;
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::Action;
use crate::store::sessions::Which;
use crate::store::{accounts, audit, recoveries, signups};

use super::end_sessions::Ending;

impl Context {
    /// Forgets a customer whose key was destroyed: no account, no session, no trace of the address,
    /// which is free again. Other nodes learn of the ended sessions when they next read the list,
    /// within a second.
    pub(crate) async fn forget(&self, tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
        let (subject, now) = (Subject::Customer(customer), self.now());
        let ending = Ending { which: Which::All, reason: "erased", now };
        let _known_within_a_second = self.end_sessions(tx, subject, ending).await?;
        recoveries::delete_of_account(tx, subject.uuid()).await?;
        if let Some(address_index) = accounts::delete(tx, subject.uuid()).await? {
            signups::delete_of_address(tx, &address_index).await?;
            audit::forget_address(tx, &address_index).await?;
        }
        audit::append(tx, &self.own_entry(subject, Action::Erase)).await?;
        Ok(())
    }
}
