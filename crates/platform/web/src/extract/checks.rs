use std::fmt::Display;
use std::ops::RangeInclusive;

use kernel::FieldError;

use crate::Problem;

/// Limits that a type puts on its own values beyond what its shape says. Every request type has
/// one; a type whose shape says all has an empty one: `impl Validate for Body {}`.
pub trait Validate {
    /// Says what is wrong with `self`.
    fn validate(&self, checks: &mut Checks) {
        let _ = checks;
    }
}

/// Collects what is wrong with an input, field by field, so that a caller learns all of it at once.
///
/// ```
/// use web::{Checks, Validate};
///
/// struct Review { title: String, stars: u8, tags: Vec<String> }
///
/// impl Validate for Review {
///     fn validate(&self, checks: &mut Checks) {
///         checks.text("title", &self.title, 1..=120);
///         checks.range("stars", self.stars, 1..=5);
///         checks.count("tags", self.tags.len(), 0..=10);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Checks {
    at: String,
    in_query: bool,
    errors: Vec<FieldError>,
}

/// More complaints than this help nobody.
const MOST_ERRORS: usize = 100;

impl Checks {
    /// Checks of a body: fields are named by JSON pointers.
    pub fn of_body() -> Self {
        Self { at: String::new(), in_query: false, errors: Vec::new() }
    }

    /// Checks of a query string: parameters are named `?name`.
    pub fn of_query() -> Self {
        Self { at: String::new(), in_query: true, errors: Vec::new() }
    }

    /// What was found wrong.
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    /// Nothing when all is well, else the problem `request.validation` with every complaint.
    ///
    /// # Errors
    /// When anything was found wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(invalid(self.errors)) }
    }

    /// Complains about `field` with a stable word and a sentence.
    pub fn refuse(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        if self.errors.len() < MOST_ERRORS {
            let pointer = self.pointer(field);
            self.errors.push(FieldError::new(pointer, code, detail));
        }
    }

    /// Complains about a field that the type does not have.
    pub(super) fn unknown(&mut self, pointer: String) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(FieldError::new(pointer, "unknown_field", super::json::UNKNOWN_FIELD));
        }
    }

    /// Complains about `field` unless `holds`.
    pub fn check(&mut self, field: &str, holds: bool, code: &str, detail: &str) {
        if !holds {
            self.refuse(field, code, detail);
        }
    }

    /// `field` must have so many characters and, unless it may be empty, something other than
    /// white space: `required`, `too_short`, `too_long`. Control characters other than line breaks
    /// and tabs are `invalid_characters`.
    pub fn text(&mut self, field: &str, value: &str, length: RangeInclusive<usize>) {
        let characters = value.chars().count();
        let controls = value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
        if *length.start() > 0 && value.trim().is_empty() {
            self.refuse(field, "required", "must not be empty");
        } else if characters < *length.start() {
            self.refuse(field, "too_short", format!("must have at least {} characters", length.start()));
        } else if characters > *length.end() {
            self.refuse(field, "too_long", format!("must have at most {} characters", length.end()));
        } else if controls {
            self.refuse(field, "invalid_characters", "must not contain control characters");
        }
    }

    /// The same for a field that may be absent.
    pub fn optional_text(&mut self, field: &str, value: Option<&str>, length: RangeInclusive<usize>) {
        if let Some(value) = value {
            self.text(field, value, length);
        }
    }

    /// A list must have so many items: `too_few`, `too_many`.
    pub fn count(&mut self, field: &str, items: usize, allowed: RangeInclusive<usize>) {
        if items < *allowed.start() {
            self.refuse(field, "too_few", format!("must have at least {} items", allowed.start()));
        } else if items > *allowed.end() {
            self.refuse(field, "too_many", format!("must have at most {} items", allowed.end()));
        }
    }

    /// A number or moment must lie between two bounds: `out_of_range`.
    pub fn range<T: PartialOrd + Display>(&mut self, field: &str, value: T, allowed: RangeInclusive<T>) {
        if !allowed.contains(&value) {
            let detail = format!("must lie between {} and {}", allowed.start(), allowed.end());
            self.refuse(field, "out_of_range", detail);
        }
    }

    /// Checks what lies within `field`.
    pub fn within(&mut self, field: &str, value: &impl Validate) {
        self.inside(field, |checks| value.validate(checks));
    }

    /// Checks what lies within `field` by `check`, for a type that has no rules of its own.
    pub fn inside(&mut self, field: &str, check: impl FnOnce(&mut Self)) {
        let length = self.at.len();
        self.at = self.pointer(field);
        check(self);
        self.at.truncate(length);
    }

    /// Checks each item of the list `field`.
    pub fn each<T: Validate>(&mut self, field: &str, items: &[T]) {
        self.inside(field, |checks| {
            for (index, item) in items.iter().enumerate() {
                checks.within(&index.to_string(), item);
            }
        });
    }

    fn pointer(&self, field: &str) -> String {
        if self.in_query {
            return format!("?{field}");
        }
        let mut pointer = self.at.clone();
        if !field.is_empty() {
            super::pointer::push(&mut pointer, field);
        }
        pointer
    }
}

/// The problem `request.validation` with its complaints.
pub(crate) fn invalid(errors: Vec<FieldError>) -> Problem {
    let detail = match errors.as_slice() {
        [only] if only.pointer.is_empty() => format!("The request cannot be used: its body {}.", only.detail),
        [only] => format!("The request cannot be used: `{}` {}.", only.pointer, only.detail),
        many => format!("The request cannot be used: {} fields are wrong, see `errors`.", many.len()),
    };
    crate::code::VALIDATION.problem(detail).with_errors(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Line(i64);

    impl Validate for Line {
        fn validate(&self, checks: &mut Checks) {
            checks.range("quantity", self.0, 1..=99);
        }
    }

    #[test]
    fn every_complaint_has_its_pointer() {
        let mut checks = Checks::of_body();
        checks.text("name", " ", 1..=10);
        checks.text("a/b~c", "too long for it", 1..=3);
        checks.text("note", "bell\u{7}", 0..=10);
        checks.text("pin", "12", 4..=8);
        checks.count("lines", 0, 1..=2);
        checks.each("lines", &[Line(1), Line(0)]);
        checks.within("first", &Line(100));
        let found: Vec<_> = checks
            .into_errors()
            .into_iter()
            .map(|error| format!("{} {}", error.pointer, error.code))
            .collect();
        assert_eq!(
            found,
            [
                "/name required",
                "/a~1b~0c too_long",
                "/note invalid_characters",
                "/pin too_short",
                "/lines too_few",
                "/lines/1/quantity out_of_range",
                "/first/quantity out_of_range",
            ]
        );
    }

    #[test]
    fn complaints_are_bounded() {
        let mut checks = Checks::of_query();
        for _ in 0..1_000 {
            checks.refuse("x", "bad", "is bad");
        }
        let errors = checks.into_errors();
        assert_eq!(errors.len(), MOST_ERRORS);
        assert_eq!(errors[0].pointer, "?x");
    }
}
