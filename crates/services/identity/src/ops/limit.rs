use std::time::Duration;

use cache::Policy;

use crate::context::Context;
use crate::error::Error;
use crate::hashing::Overloaded;
use crate::model::audit::Outcome;
use crate::model::source;

use super::record::Attempt;

/// A source that is held back stands in the audit log this often, not once for each attempt: the
/// log must not be what a flood fills.
const NOTED_EVERY: Duration = Duration::from_secs(60);

impl Context {
    /// Takes one from each bucket. Buckets fill up by themselves, so that nobody is locked out for
    /// good, whatever an attacker does.
    pub(crate) async fn hold_back(
        &self,
        attempt: Attempt<'_>,
        limits: impl IntoIterator<Item = (Policy, String)>,
    ) -> Result<(), Error> {
        for (policy, bucket) in limits {
            let verdict = self.cache.take(&bucket, &policy, 1).await?;
            if let Some(retry_after) = verdict.retry_after {
                metrics::counter!("identity_throttled_total", "policy" => policy.name.to_string())
                    .increment(1);
                self.note(attempt, Outcome::Throttled).await;
                return Err(Error::Throttled { retry_after, policy: policy.name.into_owned() });
            }
        }
        Ok(())
    }

    /// The result of hashing, with a refusal for want of time noted.
    pub(crate) async fn hashed<T>(
        &self,
        attempt: Attempt<'_>,
        result: Result<T, Overloaded>,
    ) -> Result<T, Error> {
        if result.is_err() {
            self.note(attempt, Outcome::Overloaded).await;
        }
        Ok(result?)
    }

    /// Notes that an attempt was not looked at, once a minute for each source and sort of attempt.
    async fn note(&self, attempt: Attempt<'_>, outcome: Outcome) {
        let source = source::counted(attempt.client.address);
        let key = format!("identity.noted:{}:{}:{source}", outcome.as_str(), attempt.action.as_str());
        // The answer is no in any case; a log that cannot be written must not make it something else.
        match self.cache.put_if_absent(&key, "1", NOTED_EVERY).await {
            Ok(false) => {}
            Ok(true) | Err(_) => {
                if let Err(error) = self.record(attempt, outcome, None).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "an attempt could not be noted");
                }
            }
        }
    }
}
