//! Secrets that are named in running text: `password=…`, `"token": "…"`, `Authorization: …`, and
//! the `Debug` form of a struct.

use super::field::{is_code_name, is_plain_code, is_secret_name};
use super::{Finding, SECRET};

pub(super) fn find(text: &str, findings: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut past = 0;
    for (at, sign) in text.match_indices(['=', ':']) {
        // `token::verify` is a path in a program, `a==b` a comparison.
        let byte = sign.as_bytes().first();
        let doubled = bytes.get(at + 1) == byte || (at > 0 && bytes.get(at - 1) == byte);
        if at < past || doubled {
            continue;
        }
        let Some((name, quoted)) = name_before(text, at) else { continue };
        let code = is_code_name(name) && (sign == "=" || quoted);
        if !code && !is_secret_name(name) {
            continue;
        }
        let header = ["authorization", "cookie"].iter().any(|header| ends_with_ignore_case(name, header));
        let (start, end) = value_after(text, at + 1, header && !quoted);
        let value = &text[start..end];
        if value.is_empty() || text[start..].starts_with(SECRET) || (code && is_plain_code(value)) {
            continue;
        }
        findings.push(Finding { range: start..end, replacement: SECRET });
        past = end;
    }
}

fn ends_with_ignore_case(name: &str, end: &str) -> bool {
    name.len() >= end.len() && name.as_bytes()[name.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// No secret has a longer name, and without a limit a long line of colons would cost its square.
const MAX_NAME: usize = 64;

/// The name that stands before the sign at `at`, and whether it is in quotes.
fn name_before(text: &str, at: usize) -> Option<(&str, bool)> {
    let before = text[..at].strip_suffix(' ').unwrap_or(&text[..at]);
    let bare = before.strip_suffix(['"', '\'']).map(|bare| bare.strip_suffix('\\').unwrap_or(bare));
    let name_end = bare.unwrap_or(before);
    let len = name_end
        .bytes()
        .rev()
        .take(MAX_NAME)
        .take_while(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b))
        .count();
    (len > 0).then(|| (&name_end[name_end.len() - len..], bare.is_some()))
}

/// Start and end of the value at or after `at`: up to the closing quote when it is in quotes,
/// else up to a blank or a delimiter, or for a header up to the end of the line.
fn value_after(text: &str, at: usize, header: bool) -> (usize, usize) {
    let rest = text[at..].trim_start_matches(' ');
    let rest = rest.strip_prefix("Some(").unwrap_or(rest);
    let escaped = rest.strip_prefix('\\').filter(|rest| rest.starts_with('"'));
    let rest = escaped.unwrap_or(rest);
    let start = text.len() - rest.len();
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = &rest[1..];
        let end = if escaped.is_some() { inner.find('\\') } else { closing_quote(inner, quote) };
        return (start + 1, start + 1 + end.unwrap_or(inner.len()));
    }
    let ends = |c: char| match header {
        true => matches!(c, '\n' | '\r'),
        false => c.is_whitespace() || ",;&)]}\"'".contains(c),
    };
    (start, start + rest.find(ends).unwrap_or(rest.len()))
}

fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(place, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::redact;

    #[test]
    fn named_secrets_are_blanked_in_every_notation() {
        for (text, expected) in [
            ("password=hunter2 next", "password=[secret] next"),
            (r#"{"password":"hun\"ter2","a":1}"#, r#"{"password":"[secret]","a":1}"#),
            (r#"{\"token\":\"abc\",\"a\":1}"#, r#"{\"token\":\"[secret]\",\"a\":1}"#),
            (r#"SignIn { password: "hunter2", n: 1 }"#, r#"SignIn { password: "[secret]", n: 1 }"#),
            (r#"otp: Some("123456")"#, r#"otp: Some("[secret]")"#),
            ("Cookie: a=1; b=2\nHost: x", "Cookie: [secret]\nHost: x"),
            ("authorization: whatever it is", "authorization: [secret]"),
            ("?code=493021&state=x", "?code=[secret]&state=x"),
            ("code=orders.out_of_stock", "code=orders.out_of_stock"),
            ("exit code: 1062", "exit code: 1062"),
            ("kernel::Secret::new", "kernel::Secret::new"),
            ("api_key = 'sk_live_x'", "api_key = '[secret]'"),
            ("password: [secret]", "password: [secret]"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }
}
