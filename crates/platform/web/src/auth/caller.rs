use std::fmt;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use kernel::{CustomerId, SellerId, SessionId, StaffId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Claims, Internal, Kind, TokenError};
use crate::{Problem, code};

/// Whoever is asking. As an extractor it takes anybody, but refuses a token that is not good:
/// somebody whose session ended must learn of it, not be taken for a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody said who they are.
    Anonymous,
    /// A signed-in customer.
    Customer(Customer),
    /// A member of the staff.
    Staff(Staff),
    /// Somebody who acts for a seller.
    Seller(Seller),
    /// Another service of the shop.
    Service(Internal),
}

/// A signed-in customer; as an extractor it refuses everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Who.
    pub id: CustomerId,
    /// The session they are signed in with.
    pub session: SessionId,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
}

/// A member of the staff; as an extractor it refuses everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Who.
    pub id: StaffId,
    /// The session they are signed in with.
    pub session: SessionId,
    /// What they may do.
    pub roles: Vec<Role>,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
}

/// Somebody who acts for a seller; as an extractor it refuses everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seller {
    /// The seller; every query of theirs is bound to it.
    pub id: SellerId,
    /// The person who acts.
    pub member: StaffId,
    /// The session they are signed in with.
    pub session: SessionId,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
}

/// What a member of the staff may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, and who else may do what.
    Administrator,
    /// Products, prices and stock.
    Catalog,
    /// Orders, shipments and returns.
    Orders,
    /// Refunds, disputes and the ledger.
    Payments,
    /// Reads what customers see, to help them.
    Support,
    /// Reads figures and answers to polls.
    Analyst,
    /// A role that a newer release knows; here it permits nothing.
    #[serde(other)]
    Unknown,
}

impl Role {
    /// Every role that can be given.
    pub const ALL: [Self; 6] =
        [Self::Administrator, Self::Catalog, Self::Orders, Self::Payments, Self::Support, Self::Analyst];

    /// The role as tokens and tables write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Catalog => "catalog",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Support => "support",
            Self::Analyst => "analyst",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the roles are administrator, catalog, orders, payments, support and analyst")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

impl Staff {
    /// Whether they may act as `role`; administrators may act as any.
    pub fn may(&self, role: Role) -> bool {
        self.roles.iter().any(|held| *held == role || *held == Role::Administrator)
    }

    /// Nothing when they may act as `role`.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub fn require(&self, role: Role) -> Result<(), Problem> {
        if self.may(role) {
            return Ok(());
        }
        let detail = format!("This needs the role {role}. Ask an administrator for it.");
        Err(code::FORBIDDEN.problem(detail).with("required_role", role.as_str()))
    }
}

impl Caller {
    /// Who the claims are about.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when the subject is not what `kind` says.
    pub fn from_claims(claims: &Claims) -> Result<Self, TokenError> {
        let session = claims.sid;
        let authenticated_at = Timestamp::from_seconds(claims.auth_time);
        let invalid = |_| TokenError::Invalid;
        match claims.kind {
            Kind::Customer => {
                let id = claims.sub.parse().map_err(invalid)?;
                Ok(Self::Customer(Customer { id, session, authenticated_at }))
            }
            Kind::Staff => {
                let id = claims.sub.parse().map_err(invalid)?;
                Ok(Self::Staff(Staff { id, session, roles: claims.roles.clone(), authenticated_at }))
            }
            Kind::Seller => {
                let member = claims.sub.parse().map_err(invalid)?;
                let id = claims.seller_id.ok_or(TokenError::Invalid)?;
                Ok(Self::Seller(Seller { id, member, session, authenticated_at }))
            }
        }
    }

    /// A text that tells callers apart, for idempotency keys, rate limits and the like. `None` for
    /// somebody unknown, who is told apart by address or by what they hold.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::Customer(customer) => Some(customer.id.to_string()),
            Self::Staff(staff) => Some(staff.id.to_string()),
            Self::Seller(seller) => Some(seller.member.to_string()),
            Self::Service(internal) => Some(format!("service:{}", internal.service)),
        }
    }

    /// The session, when somebody is signed in.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Customer(customer) => Some(customer.session),
            Self::Staff(staff) => Some(staff.session),
            Self::Seller(seller) => Some(seller.session),
            Self::Anonymous | Self::Service(_) => None,
        }
    }

    fn refuse(self) -> Problem {
        match self {
            Self::Anonymous => code::AUTH_MISSING.problem("Sign in first, and send the access token."),
            _ => code::FORBIDDEN.problem("This is not for this kind of account."),
        }
    }
}

fn caller(parts: &Parts) -> Result<Caller, Problem> {
    if let Some(error) = parts.extensions.get::<TokenError>() {
        return Err(error.clone().into());
    }
    if let Some(caller) = parts.extensions.get::<Caller>() {
        return Ok(caller.clone());
    }
    Ok(parts.extensions.get::<Internal>().cloned().map_or(Caller::Anonymous, Caller::Service))
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        caller(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Customer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match caller(parts)? {
            Caller::Customer(customer) => Ok(customer),
            other => Err(other.refuse()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match caller(parts)? {
            Caller::Staff(staff) => Ok(staff),
            other => Err(other.refuse()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Seller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match caller(parts)? {
            Caller::Seller(seller) => Ok(seller),
            other => Err(other.refuse()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_may_act_as_anybody_and_an_unknown_role_as_nobody() {
        let staff = |roles: &[Role]| Staff {
            id: "stf_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            session: "ses_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            roles: roles.to_vec(),
            authenticated_at: Timestamp::EPOCH,
        };
        assert!(staff(&[Role::Administrator]).may(Role::Payments));
        assert!(staff(&[Role::Catalog]).require(Role::Catalog).is_ok());
        assert_eq!(staff(&[Role::Catalog]).require(Role::Payments).unwrap_err().code(), "auth.forbidden");
        assert!(!staff(&[Role::Unknown]).may(Role::Catalog));
        let roles: Vec<Role> = serde_json::from_str(r#"["catalog","oracle"]"#).unwrap();
        assert_eq!(roles, [Role::Catalog, Role::Unknown]);
        assert_eq!("oracle".parse::<Role>(), Err(UnknownRole));
    }
}
