use std::collections::HashMap;

use contracts::catalog::QuotedVariant;
use kernel::{Money, VariantId};

use crate::error::Error;
use crate::model::cart::{Cart, CartLine};
use crate::shop::Shop;

/// A cart at the prices of this moment.
pub(crate) struct PricedCart {
    pub(crate) cart: Cart,
    /// In the order of the cart's lines.
    pub(crate) lines: Vec<PricedLine>,
    /// What can be had of it, tax included.
    pub(crate) subtotal: Money,
    /// What sending that costs, tax included.
    pub(crate) shipping: Money,
}

/// A line of a cart, and what it is and costs; none when it is no longer for sale.
pub(crate) struct PricedLine {
    pub(crate) line: CartLine,
    pub(crate) quoted: Option<(QuotedVariant, Money)>,
}

/// Asks catalog what the cart's lines cost now.
///
/// # Errors
/// When catalog cannot be asked, or an amount is beyond 64 bits.
pub(crate) async fn price_cart(shop: &Shop, cart: Cart) -> Result<PricedCart, Error> {
    let mut quoted = for_sale(shop, cart.lines.iter().map(|line| line.variant_id)).await?;
    let mut subtotal = Money::zero(shop.config.currency);
    let mut lines = Vec::with_capacity(cart.lines.len());
    for line in &cart.lines {
        let quoted = match quoted.remove(&line.variant_id) {
            Some(variant) => {
                let total = variant.unit_price.times(line.quantity)?;
                subtotal = subtotal.plus(total)?;
                Some((variant, total))
            }
            None => None,
        };
        lines.push(PricedLine { line: *line, quoted });
    }
    let nothing = lines.iter().all(|line| line.quoted.is_none());
    let shipping = if nothing { subtotal } else { shop.config.shipping.cost(subtotal) };
    Ok(PricedCart { cart, lines, subtotal, shipping })
}

/// What is known of those variants that can be bought here, by variant: a shop sells in one currency, and
/// what catalog has in another is not for sale.
///
/// # Errors
/// When catalog cannot be asked.
pub(crate) async fn for_sale(
    shop: &Shop,
    variants: impl IntoIterator<Item = VariantId>,
) -> Result<HashMap<VariantId, QuotedVariant>, Error> {
    let mut quoted = quote(shop, variants).await?;
    quoted.retain(|_, variant| variant.unit_price.currency == shop.config.currency);
    Ok(quoted)
}

/// What catalog knows of published variants, by variant, in whatever currency.
///
/// # Errors
/// When catalog cannot be asked.
pub(crate) async fn quote(
    shop: &Shop,
    variants: impl IntoIterator<Item = VariantId>,
) -> Result<HashMap<VariantId, QuotedVariant>, Error> {
    let variants: Vec<VariantId> = variants.into_iter().collect();
    if variants.is_empty() {
        return Ok(HashMap::new());
    }
    let quote = shop.catalog.quote(&variants).await?;
    Ok(quote.variants.into_iter().map(|variant| (variant.variant_id, variant)).collect())
}
