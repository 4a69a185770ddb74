use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What can go wrong with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit 64 bits.
    #[error("the amount is too large")]
    Overflow,
    /// Two currencies in one sum.
    #[error("the amounts are in different currencies")]
    CurrencyMismatch,
    /// Not three upper-case letters of ISO 4217.
    #[error("not an ISO 4217 currency code")]
    UnknownCurrency,
    /// Nothing to divide by, or a text that is not a decimal amount of the currency.
    #[error("not an amount of this currency")]
    InvalidAmount,
}

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Active codes of ISO 4217 whose minor unit is not a hundredth, with their exponents.
const OTHER_EXPONENTS: &[(&[u8; 3], u32)] = &[
    (b"BIF", 0),
    (b"CLP", 0),
    (b"DJF", 0),
    (b"GNF", 0),
    (b"ISK", 0),
    (b"JPY", 0),
    (b"KMF", 0),
    (b"KRW", 0),
    (b"PYG", 0),
    (b"RWF", 0),
    (b"UGX", 0),
    (b"UYI", 0),
    (b"VND", 0),
    (b"VUV", 0),
    (b"XAF", 0),
    (b"XOF", 0),
    (b"XPF", 0),
    (b"BHD", 3),
    (b"IQD", 3),
    (b"JOD", 3),
    (b"KWD", 3),
    (b"LYD", 3),
    (b"OMR", 3),
    (b"TND", 3),
    (b"CLF", 4),
    (b"UYW", 4),
];

/// Active codes of ISO 4217 whose minor unit is a hundredth.
const HUNDREDTHS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD \
    CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
    HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR \
    MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD \
    SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER \
    ZAR ZMW ZWG";

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
    /// The United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// The pound sterling.
    pub const GBP: Self = Self(*b"GBP");
    /// The yen, which has no minor unit.
    pub const JPY: Self = Self(*b"JPY");

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimal places the minor unit has: 2 for EUR, 0 for JPY, 3 for TND.
    pub fn exponent(self) -> u32 {
        OTHER_EXPONENTS.iter().find(|(code, _)| **code == self.0).map_or(2, |(_, exponent)| *exponent)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| MoneyError::UnknownCurrency)?;
        let known = OTHER_EXPONENTS.iter().any(|(other, _)| **other == code)
            || HUNDREDTHS.split_ascii_whitespace().any(|other| other == text);
        known.then_some(Self(code)).ok_or(MoneyError::UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::ToSchema for Currency {}

impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .pattern(Some("^[A-Z]{3}$"))
            .examples(["EUR"])
            .into()
    }
}

/// An amount of money: a whole number of minor units of one currency.
///
/// Arithmetic is checked, and there is no way in or out through a floating-point number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units: cents for EUR, yen for JPY.
    #[schema(examples(4200))]
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// `amount` minor units of `currency`.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// Different currencies, or a result beyond 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The difference.
    ///
    /// # Errors
    /// Different currencies, or a result beyond 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_sub(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// `quantity` times as much.
    ///
    /// # Errors
    /// A result beyond 64 bits.
    pub fn times(self, quantity: i64) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(quantity).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The sum of `amounts`, nothing of `currency` when there are none.
    ///
    /// # Errors
    /// As [`Money::plus`].
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// Divides into parts in the ratio of `weights` without losing a unit: the parts add up to the
    /// whole, and what the division leaves over goes one unit each to the largest remainders,
    /// earlier parts first.
    ///
    /// # Errors
    /// [`MoneyError::InvalidAmount`] when there are no weights or they are all zero.
    pub fn allocate(self, weights: &[u32]) -> Result<Vec<Self>, MoneyError> {
        let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        if total == 0 {
            return Err(MoneyError::InvalidAmount);
        }
        let whole = i128::from(self.amount);
        let mut parts: Vec<(usize, i128, i128)> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| {
                let share = whole * i128::from(*weight);
                (index, share.div_euclid(total), share.rem_euclid(total))
            })
            .collect();
        let mut left = whole - parts.iter().map(|(_, share, _)| share).sum::<i128>();
        parts.sort_by_key(|(index, _, remainder)| (std::cmp::Reverse(*remainder), *index));
        for (_, share, _) in &mut parts {
            if left == 0 {
                break;
            }
            *share += 1;
            left -= 1;
        }
        parts.sort_by_key(|(index, _, _)| *index);
        parts
            .into_iter()
            .map(|(_, share, _)| i64::try_from(share).map_err(|_| MoneyError::Overflow))
            .map(|amount| amount.map(|amount| Self { amount, ..self }))
            .collect()
    }

    /// Reads a decimal text in major units, as CSV exports write it: `11.77`, `-3`, `1200.5`.
    ///
    /// # Errors
    /// [`MoneyError::InvalidAmount`] for anything else, more decimals than the currency has among
    /// it; nothing is ever rounded.
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let text = text.trim();
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let exponent = currency.exponent() as usize;
        let excess = fraction.get(exponent..).unwrap_or("");
        let sound = !whole.is_empty()
            && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
            && excess.bytes().all(|byte| byte == b'0');
        if !sound {
            return Err(MoneyError::InvalidAmount);
        }
        let kept = fraction.get(..exponent).unwrap_or(fraction);
        let padded = format!("{whole}{kept:0<exponent$}");
        let amount: i64 = padded.parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Self { amount: if negative { -amount } else { amount }, currency })
    }

    /// The amount in major units with the currency's decimals, without the code: `42.00`.
    pub fn to_major(self) -> String {
        let exponent = self.currency.exponent() as usize;
        let digits = format!("{:0>width$}", self.amount.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        let sign = if self.amount < 0 { "-" } else { "" };
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency { Ok(()) } else { Err(MoneyError::CurrencyMismatch) }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_major(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    #[test]
    fn major_units_follow_the_currency() {
        assert_eq!(eur(4200).to_string(), "42.00 EUR");
        assert_eq!(eur(-5).to_string(), "-0.05 EUR");
        assert_eq!(Money::new(42, Currency::JPY).to_string(), "42 JPY");
        assert_eq!(Money::new(1, "TND".parse().unwrap()).to_string(), "0.001 TND");
    }

    #[test]
    fn parsing_never_rounds() {
        assert_eq!(Money::parse_major("11.77", Currency::EUR), Ok(eur(1177)));
        assert_eq!(Money::parse_major("11.7", Currency::EUR), Ok(eur(1170)));
        assert_eq!(Money::parse_major("11.770", Currency::EUR), Ok(eur(1177)));
        assert_eq!(Money::parse_major("-3", Currency::EUR), Ok(eur(-300)));
        for bad in ["11.777", "", ".5", "1e3", "1,000.00", "--1", "٣", "99999999999999999999"] {
            assert!(Money::parse_major(bad, Currency::EUR).is_err(), "{bad}");
        }
    }

    #[test]
    fn mixing_and_overflowing_are_errors() {
        assert_eq!(eur(1).plus(Money::new(1, Currency::USD)), Err(MoneyError::CurrencyMismatch));
        assert_eq!(eur(i64::MAX).plus(eur(1)), Err(MoneyError::Overflow));
        assert_eq!(eur(i64::MAX).times(2), Err(MoneyError::Overflow));
        assert!("EURO".parse::<Currency>().is_err());
        assert!("eur".parse::<Currency>().is_err());
        assert!("XXX".parse::<Currency>().is_err());
    }

    #[test]
    fn what_is_left_over_goes_to_the_largest_remainders() {
        assert_eq!(eur(100).allocate(&[1, 1, 1]).unwrap(), [eur(34), eur(33), eur(33)]);
        assert_eq!(eur(5).allocate(&[7, 3]).unwrap(), [eur(4), eur(1)]);
        assert_eq!(eur(0).allocate(&[0, 3]).unwrap(), [eur(0), eur(0)]);
        assert_eq!(eur(1).allocate(&[0, 0]), Err(MoneyError::InvalidAmount));
    }

    proptest! {
        #[test]
        fn allocation_never_loses_a_unit(
            amount in any::<i64>(),
            weights in proptest::collection::vec(0_u32..1_000_000, 1..20),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let parts = eur(amount).allocate(&weights).unwrap();
            let sum: i128 = parts.iter().map(|part| i128::from(part.amount)).sum();
            prop_assert_eq!(sum, i128::from(amount));
        }

        #[test]
        fn decimal_text_round_trips(amount in -1_000_000_000_000_i64..1_000_000_000_000) {
            for currency in [Currency::EUR, Currency::JPY, "KWD".parse().unwrap()] {
                let money = Money::new(amount, currency);
                prop_assert_eq!(Money::parse_major(&money.to_major(), currency), Ok(money));
            }
        }
    }
}
