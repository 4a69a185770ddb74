use std::time::Duration;

use contracts::catalog::{QuotedVariant, Shortage};
use contracts::payments::PaymentMethod;
use database::Tx;
use kernel::{CheckoutId, CustomerId, OrderId, PaymentId, RefundId};
use sha2::{Digest, Sha256};

use super::advance_checkout::{advance_checkout, due};
use super::price_cart::for_sale;
use crate::error::Error;
use crate::jobs::checkout::LEASE;
use crate::model::cart::{Cart, Owner};
use crate::model::checkout::{Checkout, Details, Failure, Saga};
use crate::model::{number, pricing};
use crate::shop::{Shop, sealed};
use crate::store::{carts, checkouts};

/// What somebody asks for when they check out.
#[derive(Clone, Debug)]
pub(crate) struct CheckoutRequest {
    pub(crate) owner: Owner,
    pub(crate) details: Details,
    pub(crate) payment: PaymentMethod,
    /// The `Idempotency-Key`, when there is one.
    pub(crate) key: Option<String>,
}

/// What a request to check out has come to.
pub(crate) enum Begun {
    /// The cart has changed since it was frozen: freeze it again.
    Outdated,
    /// The same cart is being, or was, checked out in the same way.
    Before(Box<Checkout>),
    /// A new checkout, which its caller has to itself.
    New(Box<Checkout>),
}

/// Freezes the cart as it is now, with every id that other services will be told, sealed and ready to
/// be stored.
///
/// # Errors
/// An empty cart; variants that are not for sale or too few.
pub(crate) async fn freeze(shop: &Shop, request: &CheckoutRequest) -> Result<Checkout, Error> {
    let cart = carts::find(&mut *shop.database.read_primary().await?, request.owner).await?;
    let cart = cart.filter(|cart| !cart.lines.is_empty()).ok_or(Error::CartEmpty)?;
    let wanted = wanted(shop, &cart).await?;
    let config = &shop.config;
    let (lines, totals) = pricing::freeze(&wanted, config.currency, &config.shipping)?;
    let now = shop.clock.now();
    let order_id = OrderId::new(now, &shop.rng);
    let person_id = cart.customer_id.map_or_else(|| shop.rng.uuid_v7(now), CustomerId::uuid);
    let [number, _] = number::candidates(order_id);
    Ok(Checkout {
        id: CheckoutId::new(now, &shop.rng),
        order_id,
        payment_id: PaymentId::new(now, &shop.rng),
        refund_id: RefundId::new(now, &shop.rng),
        number,
        cart_id: cart.id,
        cart_version: cart.version,
        customer_id: cart.customer_id,
        person_id,
        request_key: request_key(request),
        request_hash: shop.vault.blind_index("orders.checkout", &content(request)),
        saga: Saga::new(now.plus(Duration::from_secs(60 * u64::from(config.payment_minutes)))),
        lines,
        totals,
        details: shop.vault.seal_json(person_id, sealed::DETAILS, &request.details).await?,
        method: Some(shop.vault.seal_json(person_id, sealed::METHOD, &request.payment).await?),
        leased_until: Some(now.plus(LEASE)),
        version: 1,
        created_at: now,
    })
}

/// What the cart wants, as catalog has it now.
async fn wanted(shop: &Shop, cart: &Cart) -> Result<Vec<(QuotedVariant, i64)>, Error> {
    let mut quoted = for_sale(shop, cart.lines.iter().map(|line| line.variant_id)).await?;
    let mut wanted = Vec::with_capacity(cart.lines.len());
    let mut short = Vec::new();
    for line in &cart.lines {
        let found = quoted.remove(&line.variant_id);
        let available = found.as_ref().map_or(0, |variant| variant.available);
        match found {
            Some(variant) if available >= line.quantity => wanted.push((variant, line.quantity)),
            _ => short.push(Shortage { variant_id: line.variant_id, requested: line.quantity, available }),
        }
    }
    if short.is_empty() { Ok(wanted) } else { Err(Error::OutOfStock { lines: short }) }
}

/// What was asked for, so that the same request is known again.
fn content(request: &CheckoutRequest) -> String {
    serde_json::to_string(&(&request.details, &request.payment)).unwrap_or_default()
}

/// Tells the same request of the same caller, whatever has become of the cart since.
fn request_key(request: &CheckoutRequest) -> Option<[u8; 32]> {
    let key = request.key.as_deref()?;
    let caller = match request.owner {
        Owner::Customer(customer) => customer.to_string(),
        Owner::Guest(cart) => cart.to_string(),
    };
    let mut hash = Sha256::new();
    for part in [caller.as_str(), key, content(request).as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Some(hash.finalize().into())
}

/// The checkout that an earlier sending of the same request began. Its cart may have been emptied since,
/// so this comes before looking at the cart.
///
/// # Errors
/// What the database says.
pub(crate) async fn before(tx: &mut Tx, request: &CheckoutRequest) -> Result<Option<Checkout>, Error> {
    match request_key(request) {
        Some(key) => Ok(checkouts::of_request(tx, key).await?),
        None => Ok(None),
    }
}

/// Stores a frozen checkout, unless the cart has changed since or is being checked out already.
///
/// A cart has one checkout at a time and one order per state. Asked for again in the same way it is
/// the same checkout; asked for in another way while the first waits, say for the person, the first is
/// turned back and makes room.
///
/// # Errors
/// [`Error::CheckoutInProgress`], and what the database says.
pub(crate) async fn begin(tx: &mut Tx, owner: Owner, frozen: &Checkout) -> Result<Begun, Error> {
    let now = tx.database().clock().now();
    if let Some(live) = checkouts::live_of_cart(tx, frozen.cart_id).await? {
        if live.request_hash == frozen.request_hash && live.cart_version == frozen.cart_version {
            return Ok(Begun::Before(Box::new(live)));
        }
        let given_up = live.saga.given_up(Failure::Superseded).filter(|_| !live.is_driven(now));
        let saga = given_up.ok_or(Error::CheckoutInProgress)?;
        advance_checkout(tx, &live, saga, now).await?.ok_or(Error::CheckoutInProgress)?;
    }
    let cart = carts::find(tx, owner).await?;
    if cart.is_none_or(|cart| cart.id != frozen.cart_id || cart.version != frozen.cart_version) {
        return Ok(Begun::Outdated);
    }
    let mut checkout = frozen.clone();
    if checkouts::number_is_taken(tx, &checkout.number).await? {
        let [_, longer] = number::candidates(checkout.order_id);
        checkout.number = longer;
    }
    if !checkouts::insert(tx, &checkout).await? {
        return Err(Error::CheckoutInProgress);
    }
    tx.schedule(&due(checkout.id, checkout.leased_until.unwrap_or(now))).await?;
    Ok(Begun::New(Box::new(checkout)))
}
