use kernel::{SellerId, SessionId};
use serde::{Deserialize, Serialize};

use super::Role;

/// The `typ` of an access token (RFC 9068), so that no other token of the shop passes for one.
pub const TOKEN_TYPE: &str = "at+jwt";

/// What an access token says. Identity writes it, everybody else believes it after checking the
/// signature. Times are seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For whom it is.
    pub aud: String,
    /// Who it is about: a customer's id (`cus_…`), or a staff id (`stf_…`) for staff and sellers.
    pub sub: String,
    /// What `sub` is to the shop.
    pub kind: Kind,
    /// The session it belongs to.
    pub sid: SessionId,
    /// When it was issued.
    pub iat: i64,
    /// When it stops being good.
    pub exp: i64,
    /// When the person last proved who they are.
    pub auth_time: i64,
    /// How they proved it (RFC 8176): `pwd`, `otp`, `hwk`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// How far the proof can be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// What a member of the staff may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Which seller somebody acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<SellerId>,
    /// What an application was granted, when it holds the token for a person (RFC 6749 section 3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// What the subject of a token is to the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody who buys.
    Customer,
    /// Somebody who works for the shop.
    Staff,
    /// Somebody who acts for a seller.
    Seller,
}
