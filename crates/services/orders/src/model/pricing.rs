//! What a cart costs, and the lines of an order frozen at that price.

use contracts::catalog::QuotedVariant;
use contracts::orders::Totals;
use kernel::{Currency, Money, MoneyError};

use crate::config::Shipping;
use crate::model::order::Line;

const WHOLE: i128 = 10_000;

/// Freezes `wanted` of each variant at the price it was quoted.
///
/// # Errors
/// A price in another currency than the shop's, or an amount beyond 64 bits.
pub(crate) fn freeze(
    wanted: &[(QuotedVariant, i64)],
    currency: Currency,
    shipping: &Shipping,
) -> Result<(Vec<Line>, Totals), MoneyError> {
    let mut lines = wanted
        .iter()
        .map(|(variant, quantity)| line(variant, *quantity, currency))
        .collect::<Result<Vec<Line>, MoneyError>>()?;
    let mut rates: Vec<u32> = wanted.iter().map(|(variant, _)| variant.tax_basis_points).collect();
    for (line, rate) in lines.iter_mut().zip(&rates) {
        line.tax_basis_points = *rate;
    }
    rates.sort_unstable();
    rates.dedup();
    for rate in rates {
        let mut of_rate: Vec<&mut Line> =
            lines.iter_mut().filter(|line| line.tax_basis_points == rate).collect();
        share_tax(&mut of_rate, rate)?;
    }
    let totals = totals(&lines, currency, shipping)?;
    Ok((lines, totals))
}

fn line(variant: &QuotedVariant, quantity: i64, currency: Currency) -> Result<Line, MoneyError> {
    if variant.unit_price.currency != currency {
        return Err(MoneyError::CurrencyMismatch);
    }
    Ok(Line {
        variant_id: Some(variant.variant_id),
        product_id: Some(variant.product_id),
        seller_id: Some(variant.seller_id),
        sku: variant.sku.clone(),
        title: variant.title.clone(),
        brand: variant.brand.clone(),
        category: variant.category.clone(),
        quantity,
        fulfilled: 0,
        unit_price: variant.unit_price,
        total: variant.unit_price.times(quantity)?,
        tax: Money::zero(currency),
        tax_basis_points: 0,
    })
}

/// Tax is worked out once on the sum of a rate and then shared out, so that the lines always add
/// up to what the order says: each line gets the rounded tax of the sum so far, less what the
/// lines before it got.
fn share_tax(lines: &mut [&mut Line], rate: u32) -> Result<(), MoneyError> {
    let mut sum = 0_i128;
    let mut given = 0_i128;
    for line in lines {
        sum += i128::from(line.total.amount);
        let due = contained(sum, rate);
        let amount = i64::try_from(due - given).map_err(|_| MoneyError::Overflow)?;
        line.tax = Money { amount, ..line.total };
        given = due;
    }
    Ok(())
}

/// The tax that `gross` contains at `rate` hundredths of a per cent, half a unit rounded up.
fn contained(gross: i128, rate: u32) -> i128 {
    let whole = WHOLE + i128::from(rate);
    (2 * gross * i128::from(rate) + whole).div_euclid(2 * whole)
}

fn totals(lines: &[Line], currency: Currency, shipping: &Shipping) -> Result<Totals, MoneyError> {
    let subtotal = Money::sum(currency, lines.iter().map(|line| line.total))?;
    let shipped = shipping.cost(subtotal);
    let shipping_tax = i64::try_from(contained(i128::from(shipped.amount), shipping.tax_basis_points))
        .map_err(|_| MoneyError::Overflow)?;
    let tax =
        Money::sum(currency, lines.iter().map(|line| line.tax))?.plus(Money::new(shipping_tax, currency))?;
    Ok(Totals {
        subtotal,
        discount: Money::zero(currency),
        shipping: shipped,
        tax,
        total: subtotal.plus(shipped)?,
    })
}

#[cfg(test)]
mod tests {
    use kernel::{ProductId, SellerId, VariantId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const SHIPPING: Shipping = Shipping { flat: 490, free_from: Some(5_000), tax_basis_points: 1_900 };

    fn variant(price: i64, rate: u32) -> QuotedVariant {
        QuotedVariant {
            variant_id: VariantId::from_uuid(Uuid::from_u128(1)),
            product_id: ProductId::from_uuid(Uuid::from_u128(2)),
            seller_id: SellerId::from_uuid(Uuid::from_u128(3)),
            sku: "SKU".into(),
            title: "Lipstick, Rosewood".into(),
            brand: "Aurelle".into(),
            category: None,
            unit_price: Money::new(price, Currency::EUR),
            tax_basis_points: rate,
            available: 10,
        }
    }

    #[test]
    fn a_small_order_pays_for_shipping_and_contains_its_tax() {
        let wanted = [(variant(1_190, 1_900), 2), (variant(107, 700), 1)];
        let (lines, totals) = freeze(&wanted, Currency::EUR, &SHIPPING).unwrap();
        assert_eq!(lines[0].total.amount, 2_380);
        assert_eq!((lines[0].tax.amount, lines[1].tax.amount), (380, 7));
        assert_eq!(totals.subtotal.amount, 2_487);
        assert_eq!(totals.shipping.amount, 490);
        assert_eq!(totals.tax.amount, 380 + 7 + 78);
        assert_eq!(totals.total.amount, 2_977);
    }

    #[test]
    fn a_large_order_is_sent_for_nothing() {
        let (_, totals) = freeze(&[(variant(5_000, 0), 1)], Currency::EUR, &SHIPPING).unwrap();
        assert_eq!((totals.shipping.amount, totals.tax.amount, totals.total.amount), (0, 0, 5_000));
    }

    #[test]
    fn another_currency_and_too_large_an_amount_are_errors() {
        let result = freeze(&[(variant(1, 0), 1)], Currency::USD, &SHIPPING);
        assert_eq!(result, Err(MoneyError::CurrencyMismatch));
        let result = freeze(&[(variant(i64::MAX, 0), 2)], Currency::EUR, &SHIPPING);
        assert_eq!(result, Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn lines_add_up_and_no_unit_of_tax_is_lost(
            wanted in proptest::collection::vec((1_i64..1_000_000, 0_usize..4, 1_i64..999), 1..100),
        ) {
            let rates = [0, 700, 1_900, 2_500];
            let wanted: Vec<_> =
                wanted.into_iter().map(|(price, rate, many)| (variant(price, rates[rate]), many)).collect();
            let free = Shipping { flat: 0, ..SHIPPING };
            let (lines, totals) = freeze(&wanted, Currency::EUR, &free).unwrap();
            prop_assert_eq!(totals.subtotal.amount, lines.iter().map(|line| line.total.amount).sum::<i64>());
            prop_assert_eq!(totals.tax.amount, lines.iter().map(|line| line.tax.amount).sum::<i64>());
            for rate in rates {
                let gross: i64 = lines.iter().filter(|line| line.tax_basis_points == rate).map(|line| line.total.amount).sum();
                let tax: i64 = lines.iter().filter(|line| line.tax_basis_points == rate).map(|line| line.tax.amount).sum();
                prop_assert_eq!(i128::from(tax), contained(i128::from(gross), rate));
            }
            for line in &lines {
                let exact = contained(i128::from(line.total.amount), line.tax_basis_points);
                prop_assert!((i128::from(line.tax.amount) - exact).abs() <= 1);
            }
        }
    }
}
