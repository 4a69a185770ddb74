//! Who uses a cart: a customer, or somebody unknown who brings the id of theirs.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderName, header};
use kernel::{CartId, CustomerId};
use web::{Caller, Checks, Handled, Problem, code};

use crate::error::Error;
use crate::model::cart::Owner;
use crate::ops::resolve_cart::resolve_cart;
use crate::shop::Shop;

/// The header field that carries a cart's id.
pub(super) const HEADER: HeaderName = HeaderName::from_static("souk-cart");
/// The cookie that carries a cart's id.
pub(super) const COOKIE: &str = "souk_cart";
/// The query parameter that carries a cart's id.
const PARAMETER: &str = "cart_id";

/// Somebody who uses a cart, and the cart's id that they brought, first from the query, then from the
/// header, then from the cookie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visitor {
    pub(super) customer: Option<CustomerId>,
    pub(super) carried: Option<CartId>,
}

impl Visitor {
    /// The cart that the request is about. A guest's cart that a customer brings becomes part of their own.
    pub(super) async fn cart(&self, shop: &Shop) -> Result<Owner, Error> {
        resolve_cart(shop, self.customer, self.carried).await
    }
}

impl FromRequestParts<Shop> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Handled<Self> {
        let customer = match Caller::from_request_parts(parts, shop).await? {
            Caller::Anonymous => None,
            Caller::Customer(customer) => Some(customer.id),
            _ => return Err(code::FORBIDDEN.problem("Carts are for customers and guests.")),
        };
        Ok(Self { customer, carried: carried(parts)? })
    }
}

fn carried(parts: &Parts) -> Handled<Option<CartId>> {
    let mut checks = Checks::of_query();
    let parameter = parts
        .uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('=')));
    let field = parts.headers.get(HEADER).map(|value| value.to_str().unwrap_or_default());
    let mut given = None;
    for text in [parameter, field].into_iter().flatten().filter(|text| !text.is_empty()) {
        match text.parse() {
            Ok(id) => given = given.or(Some(id)),
            Err(_) => checks.refuse(PARAMETER, "invalid_value", "is not the id of a cart"),
        }
    }
    checks.finish()?;
    if given.is_some() {
        return Ok(given);
    }
    // A cookie that cannot be read is as good as none: the person did not write it.
    Ok(cookie(parts).and_then(|text| text.parse().ok()))
}

fn cookie(parts: &Parts) -> Option<&str> {
    parts
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const A: &str = "crt_01h455vb4pex5vsknk084sn02q";
    const B: &str = "crt_01h455vb4pex5vsknk084sn02r";

    fn carried_by(uri: &str, headers: &[(&str, &str)]) -> Handled<Option<CartId>> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        carried(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_cart_is_carried_in_three_ways() {
        let a: CartId = A.parse().unwrap();
        assert_eq!(carried_by(&format!("/?x=1&cart_id={A}"), &[]).unwrap(), Some(a));
        assert_eq!(carried_by("/", &[("souk-cart", A)]).unwrap(), Some(a));
        assert_eq!(carried_by("/", &[("cookie", &format!("s=1; souk_cart={A}"))]).unwrap(), Some(a));
        let both = [("souk-cart", B), ("cookie", "souk_cart=x")];
        assert_eq!(carried_by(&format!("/?cart_id={A}"), &both).unwrap(), Some(a));
        assert_eq!(carried_by("/", &[]).unwrap(), None);
    }

    #[test]
    fn a_typed_id_must_be_one_and_a_spoilt_cookie_is_none() {
        assert_eq!(carried_by("/?cart_id=7", &[]).unwrap_err().code(), "request.validation");
        assert_eq!(carried_by("/", &[("souk-cart", "ord_x")]).unwrap_err().code(), "request.validation");
        let good = format!("/?cart_id={A}");
        assert_eq!(carried_by(&good, &[("souk-cart", "ord_x")]).unwrap_err().code(), "request.validation");
        assert_eq!(carried_by("/", &[("cookie", "souk_cart=x")]).unwrap(), None);
    }
}
