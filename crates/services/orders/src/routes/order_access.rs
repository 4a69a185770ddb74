//! By what right somebody reads or changes one order.

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;
use kernel::{OrderId, Secret};
use web::{Caller, Handled, Problem, Role, code};

use crate::error::Error;
use crate::model::order::{Actor, Reader};
use crate::shop::Shop;

const HEADER: HeaderName = HeaderName::from_static("souk-order-token");
const PARAMETER: &str = "token";

/// Whoever asks about an order, and the token that they brought in the query or the header.
#[derive(Clone, Debug)]
pub(super) struct OrderCaller {
    caller: Caller,
    token: Option<Secret<String>>,
}

impl OrderCaller {
    /// The right to `order`: a customer to their own, the holder of its token to a guest's, staff to any.
    ///
    /// # Errors
    /// `auth.missing` for somebody unknown without a token, `orders.not_found` for a wrong one,
    /// `auth.forbidden` for staff without the role.
    pub(super) fn right(&self, shop: &Shop, order: OrderId, role: Role) -> Handled<(Reader, Actor)> {
        let holds = |token: &Secret<String>| shop.guest_token(order).matches(token.expose());
        match &self.caller {
            Caller::Staff(staff) => {
                if !staff.may(Role::Orders) {
                    staff.require(role)?;
                }
                Ok((Reader::Shop, Actor::Staff(staff.id)))
            }
            // Somebody who bought as a guest may be signed in by now.
            Caller::Anonymous | Caller::Customer(_) if self.token.as_ref().is_some_and(holds) => {
                Ok((Reader::Guest, Actor::Guest))
            }
            Caller::Customer(customer) => Ok((Reader::Customer(customer.id), Actor::Customer(customer.id))),
            Caller::Anonymous if self.token.is_some() => Err(Error::NotFound.into()),
            Caller::Anonymous => {
                Err(code::AUTH_MISSING.problem("Sign in first, or send the token that came with the order."))
            }
            Caller::Seller(_) | Caller::Service(_) => {
                Err(code::FORBIDDEN.problem("This is not for this kind of account."))
            }
        }
    }

    /// Tells callers apart for idempotency keys.
    pub(super) fn key(&self, order: OrderId) -> String {
        self.caller.key().unwrap_or_else(|| order.to_string())
    }
}

impl FromRequestParts<Shop> for OrderCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Handled<Self> {
        let caller = Caller::from_request_parts(parts, shop).await?;
        let parameter = parts.uri.query().and_then(|query| {
            query.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('='))
        });
        let field = parts.headers.get(HEADER).and_then(|value| value.to_str().ok());
        let token = parameter.or(field).map(|token| Secret::new(token.to_owned()));
        Ok(Self { caller, token })
    }
}
