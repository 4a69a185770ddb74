//! Mails about orders, sent after the transaction that caused them, once: the `Message-ID` comes from the
//! order's id, so one that goes out again after a crash is the same mail.

use database::{Away, BoxError, Due, DueItem, Next};
use kernel::{Fail, FailureKind, OrderId, Timestamp};
use mail::{Address, Message};
use serde_json::{Value, json};

use crate::error::Error;
use crate::model::checkout::Details;
use crate::model::order::{Line, Reader};
use crate::shop::{Shop, sealed};
use crate::store::orders::OrderRow;
use crate::store::{lines, orders};

/// The queue of mails to send.
pub(crate) const QUEUE: &str = "orders.mail";

/// The templates of this service.
pub(crate) static TEMPLATES: include_dir::Dir<'static> =
    include_dir::include_dir!("$CARGO_MANIFEST_DIR/templates");

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The order was placed.
    Placed,
    /// The order was cancelled.
    Cancelled,
}

impl Kind {
    /// The work of sending it about `order` at `at`.
    pub(crate) fn due(self, order: OrderId, at: Timestamp) -> Due {
        Due { queue: QUEUE, key: format!("{}:{order}", self.template()), payload: Value::Null, at }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Placed => "order_confirmation",
            Self::Cancelled => "order_cancelled",
        }
    }

    fn parse(key: &str) -> Option<(Self, OrderId)> {
        let (template, order) = key.split_once(':')?;
        let kind = [Self::Placed, Self::Cancelled].into_iter().find(|kind| kind.template() == template)?;
        Some((kind, order.parse().ok()?))
    }
}

/// Whom a mail goes to.
struct Recipient {
    address: Address,
    name: Option<String>,
}

/// Sends one mail.
pub(crate) async fn send(shop: Shop, item: DueItem) -> Result<Next, BoxError> {
    let (kind, id) = Kind::parse(&item.key).ok_or("not a mail about an order")?;
    let mut reader = shop.database.read_primary().await?;
    let Some(order) = orders::find(&mut reader, id, Reader::Shop).await? else { return Ok(Next::Done) };
    let lines = lines::of_orders(&mut reader, &[id]).await?.remove(&id).unwrap_or_default();
    drop(reader);
    let details = details(&shop, &order).await?;
    let Some(to) = recipient(&shop, &order, details.as_ref()).await? else {
        tracing::info!(order = %id, "nobody is left to write to");
        return Ok(Next::Done);
    };
    let context = context(&shop, &order, &lines, details.as_ref(), to.name.as_deref());
    let rendered = shop.templates.render(kind.template(), &context)?;
    let message = Message { to_name: to.name, ..Message::new(message_id(kind, id), to.address, rendered) };
    match shop.mailer.send(&message).await {
        Ok(()) => Ok(Next::Done),
        Err(error) if error.is_permanent() => {
            tracing::warn!(order = %id, error = &error as &dyn std::error::Error, "a mail cannot be sent");
            Ok(Next::Done)
        }
        Err(error) if error.is_away() => Err(Away(error.into()).into()),
        Err(error) => Err(error.into()),
    }
}

fn message_id(kind: Kind, order: OrderId) -> String {
    format!("{}.{order}", kind.template())
}

/// What is personal about the order; none when the person was erased.
async fn details(shop: &Shop, order: &OrderRow) -> Result<Option<Details>, Error> {
    match (order.person_id, &order.details) {
        (Some(person), Some(sealed)) => Ok(shop.vault.open_json(person, sealed::DETAILS, sealed).await?),
        _ => Ok(None),
    }
}

/// The address that was given for the order, else the customer's own; none when there is neither.
async fn recipient(
    shop: &Shop,
    order: &OrderRow,
    details: Option<&Details>,
) -> Result<Option<Recipient>, Error> {
    let contact = match order.customer_id {
        None => None,
        Some(customer) => match shop.customers.contact(customer).await {
            Ok(contact) => Some(contact),
            // They are gone, and so is whatever they had given us.
            Err(error) if error.is("customers.not_found") => return Ok(None),
            Err(error) if error.kind() == FailureKind::Internal => None,
            Err(error) => return Err(error.into()),
        },
    };
    let given = details.and_then(|details| details.email.as_deref());
    let Some(address) = given.or(contact.as_ref().map(|contact| contact.email.as_str())) else {
        return Ok(None);
    };
    let name = contact.as_ref().and_then(|contact| contact.name.clone());
    Ok(address.parse().ok().map(|address| Recipient { address, name }))
}

fn context(
    shop: &Shop,
    order: &OrderRow,
    lines: &[Line],
    details: Option<&Details>,
    name: Option<&str>,
) -> Value {
    let totals = &order.totals;
    let bought: Vec<[String; 2]> = lines
        .iter()
        .map(|line| [format!("{} × {}", line.quantity, line.title), line.total.to_string()])
        .collect();
    let sums = [
        ["Subtotal".to_owned(), totals.subtotal.to_string()],
        ["Shipping".to_owned(), totals.shipping.to_string()],
        ["Total".to_owned(), totals.total.to_string()],
        ["Tax contained".to_owned(), totals.tax.to_string()],
    ];
    json!({
        "number": order.number,
        "name": name,
        "lines": bought,
        "totals": sums,
        "total": totals.total.to_string(),
        "address": details.map(address_lines),
        "money_back": money_back(order),
        "url": link(shop, order),
    })
}

/// The page of the order. A guest has no account to read it with, so the right to goes along, where only
/// the browser sees it.
fn link(shop: &Shop, order: &OrderRow) -> String {
    let page = format!("{}/orders/{}", shop.public_url, order.id);
    match order.customer_id {
        Some(_) => page,
        None => format!("{page}#token={}", shop.guest_token(order.id).expose()),
    }
}

fn address_lines(details: &Details) -> Vec<String> {
    let address = &details.shipping_address;
    let town = [address.postal_code.as_deref().unwrap_or_default(), &address.city].join(" ");
    [Some(address.name.clone()), Some(address.line1.clone()), address.line2.clone(), Some(town)]
        .into_iter()
        .chain([address.region.clone(), Some(address.country.clone())])
        .flatten()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// What becomes of the money, true whether or not the undo has come that far.
fn money_back(order: &OrderRow) -> &'static str {
    use contracts::payments::PaymentStatus as P;
    match order.payment_status {
        P::Captured | P::PartiallyRefunded | P::Refunded => "What you paid goes back the way it came.",
        _ => "Nothing was taken from you.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_work_tells_mail_and_order() {
        let order: OrderId = "ord_01h2xcejqtf2nbrexx3vqjhp41".parse().unwrap();
        for kind in [Kind::Placed, Kind::Cancelled] {
            assert_eq!(Kind::parse(&kind.due(order, Timestamp::EPOCH).key), Some((kind, order)));
            assert!(message_id(kind, order).len() <= 64);
        }
        assert_eq!(Kind::parse("order_lost:ord_01h2xcejqtf2nbrexx3vqjhp41"), None);
    }
}
