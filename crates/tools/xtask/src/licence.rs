//! SPDX licence expressions.

use std::iter::Peekable;
use std::vec::IntoIter;

use anyhow::{Result, bail};

/// Whether the licences that `allowed` accepts are enough for an expression such as
/// `(MIT OR Apache-2.0) AND Unicode-3.0`. The old `MIT/Apache-2.0` means OR.
pub(crate) fn is_satisfied(expression: &str, allowed: impl Fn(&str) -> bool) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut words = words.into_iter().peekable();
    let satisfied = either(&mut words, &allowed)?;
    match words.next() {
        None => Ok(satisfied),
        Some(word) => bail!("`{word}` is not expected in `{expression}`"),
    }
}

type Words<'a> = Peekable<IntoIter<&'a str>>;

fn either(words: &mut Words<'_>, allowed: &impl Fn(&str) -> bool) -> Result<bool> {
    let mut satisfied = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        satisfied |= both(words, allowed)?;
    }
    Ok(satisfied)
}

fn both(words: &mut Words<'_>, allowed: &impl Fn(&str) -> bool) -> Result<bool> {
    let mut satisfied = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        satisfied &= one(words, allowed)?;
    }
    Ok(satisfied)
}

fn one(words: &mut Words<'_>, allowed: &impl Fn(&str) -> bool) -> Result<bool> {
    match words.next() {
        Some("(") => {
            let satisfied = either(words, allowed)?;
            match words.next() {
                Some(")") => Ok(satisfied),
                _ => bail!("a parenthesis is not closed"),
            }
        }
        Some(licence) if !["OR", "AND", "WITH", ")"].contains(&licence) => {
            if words.next_if_eq(&"WITH").is_none() {
                return Ok(allowed(licence));
            }
            let exception = words.next().unwrap_or_default();
            Ok(allowed(&format!("{licence} WITH {exception}")))
        }
        word => bail!("a licence is expected, not `{}`", word.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_satisfied;

    fn check(expression: &str) -> Option<bool> {
        is_satisfied(expression, |licence| {
            ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence)
        })
        .ok()
    }

    #[test]
    fn expressions_are_read_as_spdx_says() {
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("GPL-3.0", Some(false)),
            ("GPL-3.0 OR MIT", Some(true)),
            ("GPL-3.0/MIT", Some(true)),
            ("GPL-3.0 AND MIT", Some(false)),
            ("MIT AND ISC", Some(true)),
            ("GPL-3.0 AND MIT OR ISC", Some(true)),
            ("GPL-3.0 AND (MIT OR ISC)", Some(false)),
            ("(MIT OR GPL-3.0) AND ISC", Some(true)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("MIT WITH LLVM-exception", Some(false)),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT ISC", None),
            ("", None),
        ] {
            assert_eq!(check(expression), expected, "{expression}");
        }
    }
}
