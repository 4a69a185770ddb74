//! The signature scheme that Stripe made common: `t=<unix seconds>,v1=<hex>`, an HMAC-SHA256 over
//! `"{t}.{raw body}"`.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use kernel::{Secret, Timestamp};
use sha2::Sha256;

use super::WebhookError;

/// How far the time of a signature may be from ours.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(300);

/// More of a header than this is not looked at.
const MAX_HEADER: usize = 4_096;

/// The header for `body`, signed at `at`.
pub(crate) fn sign(secret: &Secret<Vec<u8>>, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_seconds();
    let signature: [u8; 32] = mac(secret, &seconds.to_string(), body).finalize().into_bytes().into();
    format!("t={seconds},v1={}", hex::encode(signature))
}

/// Nothing when `header` holds a signature of `body` under one of `secrets`, made within
/// [`TOLERANCE`] of `now`. While a secret is rotated there are two, and the provider may sign with
/// both. Signatures are compared in constant time.
///
/// # Errors
/// [`WebhookError::Signature`], which does not say what is wrong: only a forger would learn from it.
pub(crate) fn verify(
    header: &str,
    body: &[u8],
    secrets: &[Secret<Vec<u8>>],
    now: Timestamp,
) -> Result<(), WebhookError> {
    if header.len() > MAX_HEADER {
        return Err(WebhookError::Signature);
    }
    let items = || header.split(',').filter_map(|item| item.trim().split_once('='));
    let time = items().find(|(name, _)| *name == "t").map(|(_, time)| time).ok_or(WebhookError::Signature)?;
    let at = time.parse().map(Timestamp::from_seconds).map_err(|_| WebhookError::Signature)?;
    if now.since(at).max(at.since(now)) > TOLERANCE {
        return Err(WebhookError::Signature);
    }
    let signatures = items().filter(|(name, _)| *name == "v1").filter_map(|(_, text)| hex::decode(text).ok());
    let genuine = |signature: Vec<u8>| {
        secrets.iter().any(|secret| mac(secret, time, body).verify_slice(&signature).is_ok())
    };
    signatures.into_iter().any(genuine).then_some(()).ok_or(WebhookError::Signature)
}

/// Over the time as it was written: `007` and `7` are the same moment and not the same text.
fn mac(secret: &Secret<Vec<u8>>, time: &str, body: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of every length, so the fallback of an all-zero key is never taken.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose()).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const SIGNED: &str = "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";
    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn secret(text: &str) -> Secret<Vec<u8>> {
        Secret::new(text.as_bytes().to_vec())
    }

    /// The vector that Stripe's own library computes for `whsec_test`.
    #[test]
    fn stripes_vector() {
        assert_eq!(sign(&secret("whsec_test"), NOW, BODY), SIGNED);
        assert_eq!(verify(SIGNED, BODY, &[secret("whsec_test")], NOW), Ok(()));
    }

    #[test]
    fn any_signature_under_any_valid_secret_will_do() {
        let both = [secret("new"), secret("whsec_test")];
        assert_eq!(verify(SIGNED, BODY, &both, NOW), Ok(()));
        let (old, new) = (sign(&secret("old"), NOW, BODY), sign(&secret("new"), NOW, BODY));
        let header = format!("{old},v0=00,{}", new.split_once(',').unwrap().1);
        assert_eq!(verify(&header, BODY, &[secret("new")], NOW), Ok(()));
    }

    #[test]
    fn five_minutes_either_way() {
        let at = |seconds| verify(SIGNED, BODY, &[secret("whsec_test")], Timestamp::from_seconds(seconds));
        assert_eq!(at(1_700_000_300), Ok(()));
        assert_eq!(at(1_699_999_700), Ok(()));
        assert_eq!(at(1_700_000_301), Err(WebhookError::Signature));
        assert_eq!(at(1_699_999_699), Err(WebhookError::Signature));
    }

    #[test]
    fn anything_else_is_refused() {
        let refused = |header: &str, body: &[u8], secrets: &[Secret<Vec<u8>>]| {
            assert_eq!(verify(header, body, secrets, NOW), Err(WebhookError::Signature), "{header}");
        };
        let ours = [secret("whsec_test")];
        refused(SIGNED, br#"{"id":"evt_2"}"#, &ours);
        refused(SIGNED, BODY, &[secret("another")]);
        refused(SIGNED, BODY, &[]);
        refused(&SIGNED.replace("v1=", "v0="), BODY, &ours);
        refused(&SIGNED.replace("t=1700000000", "t=1700000001"), BODY, &ours);
        refused(&SIGNED.replace("v1=c8", "v1=zz"), BODY, &ours);
        for header in ["", "t=", "t=x,v1=00", "v1=00", "t=9223372036854775807,v1=00", "t=-1,v1="] {
            refused(header, BODY, &ours);
        }
        refused(&format!("{SIGNED}{}", ",v1=00".repeat(1_000)), BODY, &ours);
    }
}
