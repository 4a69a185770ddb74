//! The words in which a refusal is told, whatever the provider calls it.

use contracts::payments::Decline;

/// The card was refused without a reason that may be told.
pub(crate) const DECLINED: &str = "declined";
/// There is not enough money.
pub(crate) const INSUFFICIENT_FUNDS: &str = "insufficient_funds";
/// The person refused the challenge or failed it.
pub(crate) const CHALLENGE_FAILED: &str = "challenge_failed";
/// The provider knows no such token, or cannot charge it.
pub(crate) const INVALID_METHOD: &str = "invalid_method";
/// The provider failed and has done nothing.
pub(crate) const PROVIDER_ERROR: &str = "provider_error";
/// The provider could not be reached, so nothing was asked.
pub(crate) const PROVIDER_UNAVAILABLE: &str = "provider_unavailable";
/// The provider took back that it had taken the money.
pub(crate) const CAPTURE_FAILED: &str = "capture_failed";
/// The provider took back that it had given the money back, or could not.
pub(crate) const REFUND_FAILED: &str = "refund_failed";

/// A refusal for `reason`, one of the words above, with the provider's own.
pub(crate) fn decline(reason: &str, provider_reason: Option<&str>) -> Decline {
    Decline { reason: reason.to_owned(), provider_reason: provider_reason.map(str::to_owned) }
}
