use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{AnyId, Clock, Rng, Secret};
use serde::Serialize;
use vault::{SigningKeys, VaultError};
use web::auth::{Claims, Kind, TOKEN_TYPE};

use crate::error::Error;
use crate::model::account::Subject;
use crate::model::token::RefreshToken;
use crate::store::accounts::Account;
use crate::store::sessions::Session;

/// For whom access tokens are: every service of the shop.
pub const AUDIENCE: &str = "souk";

/// Writes access tokens (RFC 9068) and refresh tokens.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) keys: SigningKeys,
    /// The shop's public address, which is the `iss` of every token.
    pub(crate) issuer: String,
    pub(crate) lifetime: Duration,
    pub(crate) refresh_key: Secret<[u8; 32]>,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
}

/// What somebody gets who proved who they are.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Tokens {
    /// A JWT of a few minutes that goes into `Authorization: Bearer`.
    pub(crate) access_token: String,
    /// Always `Bearer`.
    #[schema(examples("Bearer"))]
    pub(crate) token_type: &'static str,
    /// For how many seconds the access token is good.
    #[schema(examples(300))]
    pub(crate) expires_in: u64,
    /// Good once, for the next pair of tokens. Keep it secret.
    pub(crate) refresh_token: String,
    /// The session.
    pub(crate) session_id: kernel::SessionId,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

/// The claims with the one that only the token itself needs: its id.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(flatten)]
    claims: &'a Claims,
    jti: String,
}

impl Issuer {
    /// The next pair of tokens of `session`, which belongs to `account`.
    pub(crate) async fn issue(&self, account: &Account, session: &Session) -> Result<Tokens, Error> {
        let claims = self.claims(account, session);
        let generation = session.rotation.issued;
        let refresh = RefreshToken::issue(&self.refresh_key, session.id, generation, &session.seed);
        Ok(Tokens {
            access_token: self.sign(&claims).await?,
            token_type: "Bearer",
            expires_in: u64::try_from(claims.exp.saturating_sub(claims.iat)).unwrap_or(0),
            refresh_token: refresh.encode().expose().clone(),
            session_id: session.id,
        })
    }

    fn claims(&self, account: &Account, session: &Session) -> Claims {
        let now = self.clock.now();
        let iat = session.not_issued_before.map_or(now, |earliest| now.max(earliest));
        let exp = iat.plus(self.lifetime).min(session.ends_at);
        let kind = match (account.subject, account.seller) {
            (Subject::Customer(_), _) => Kind::Customer,
            (Subject::Staff(_), None) => Kind::Staff,
            (Subject::Staff(_), Some(_)) => Kind::Seller,
        };
        Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: account.subject.to_string(),
            kind,
            sid: session.id,
            iat: iat.as_seconds(),
            exp: exp.as_seconds(),
            auth_time: session.created_at.as_seconds(),
            amr: vec![session.method.reference().to_owned()],
            acr: None,
            roles: account.roles.clone(),
            seller_id: account.seller,
            scope: None,
        }
    }

    /// A JWS in compact form (RFC 7515) with EdDSA (RFC 8037).
    async fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let key = self.keys.current().await?;
        let jti = AnyId { prefix: "jti", uuid: self.rng.uuid_v7(self.clock.now()) }.to_string();
        let header = Header { alg: "EdDSA", typ: TOKEN_TYPE, kid: key.kid() };
        let mut token = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&Payload { claims, jti })?, &mut token);
        let signature = key.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517): those that sign, and the next one.
    pub(crate) async fn key_set(&self) -> Result<serde_json::Value, VaultError> {
        self.keys.jwks().await
    }
}
