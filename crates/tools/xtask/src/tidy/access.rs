//! Rule 8. Who may call each endpoint, and who is refused, stands in a snapshot that somebody signs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Finding;
use super::workspace::Workspace;

const RULE: &str = "access";
/// The API document that the code generates.
pub(crate) const OPENAPI: &str = "docs/openapi.json";
/// Who may call what.
pub(crate) const SNAPSHOT: &str = "docs/access.txt";

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];
/// Everybody who may come, from nobody in particular to the shop's own people.
const CALLERS: [&str; 4] = ["anonymous", "customer", "seller", "staff"];
/// Staff with one of the shop's roles, as in `staff:orders`; an administrator has them all.
const STAFF_ROLE: &str = "staff:";
const SIGNED: &str = "signed: sha256:";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let finding =
        |file: &str, line, advice: String| Finding { file: file.to_owned(), line, rule: RULE, advice };
    let Some(document) = workspace.file(OPENAPI) else {
        return vec![finding(OPENAPI, 1, "missing: run `cargo xtask regen`".to_owned())];
    };
    let expected = match snapshot(document) {
        Ok(expected) => expected,
        Err(error) => return vec![finding(OPENAPI, 1, format!("{error:#}"))],
    };
    let committed = workspace.file(SNAPSHOT).unwrap_or_default();
    if committed == expected {
        return Vec::new();
    }
    let (committed, expected): (Vec<&str>, Vec<&str>) =
        (committed.lines().collect(), expected.lines().collect());
    let differs = |line: &usize| committed.get(*line) != expected.get(*line);
    // The signature differs with every other difference, so it is named only when nothing else does.
    let line = (1..committed.len().max(expected.len())).find(differs).unwrap_or(0);
    let name = |line: Option<&&str>| line.copied().unwrap_or("nothing").to_owned();
    let (is, should) = (name(committed.get(line)), name(expected.get(line)));
    let advice =
        format!("`{is}` would become `{should}`: if that is meant, `cargo xtask regen --sign-access`");
    vec![finding(SNAPSHOT, line + 1, advice)]
}

/// The snapshot that belongs to an API document: the signature, then a line for each endpoint.
pub(crate) fn snapshot(document: &str) -> Result<String> {
    let document: Value = serde_json::from_str(document).context("the API document is no JSON")?;
    let paths = document.get("paths").and_then(Value::as_object).context("the API document has no paths")?;
    let mut lines = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let (allowed, refused) =
                    callers(operation).with_context(|| format!("{} {path}", method.to_ascii_uppercase()))?;
                let call = format!("{:<6} {path}", method.to_ascii_uppercase());
                lines.push((path, format!("{call:<60} allowed: {allowed:<43} refused: {refused}")));
            }
        }
    }
    lines.sort();
    let mut body = String::from("# Who may call each endpoint, and who is refused.\n");
    for (_, line) in lines {
        writeln!(body, "{}", line.trim_end())?;
    }
    Ok(format!("{SIGNED}{}\n{body}", hex::encode(Sha256::digest(body.as_bytes()))))
}

/// Who may call an operation and who is refused, from its alternatives in `security`.
fn callers(operation: &Value) -> Result<(String, String)> {
    let alternatives = operation
        .get("security")
        .and_then(Value::as_array)
        .context("say who may call it: `security(())` for everybody, else `(\"bearer\" = [\"role\"])`")?;
    let mut allowed = BTreeSet::new();
    for alternative in alternatives {
        let schemes = alternative.as_object().context("a security requirement is an object")?;
        if schemes.is_empty() {
            allowed.extend(CALLERS.map(str::to_owned));
        }
        for (scheme, scopes) in schemes {
            allowed.extend(callers_of(scheme, scopes)?);
        }
    }
    if allowed.is_empty() {
        bail!("nobody may call it: name a role, or `security(())` for everybody");
    }
    let mut refused =
        CALLERS.iter().filter(|caller| !allowed.contains(**caller)).copied().collect::<Vec<_>>();
    if allowed.iter().any(|caller| caller.starts_with(STAFF_ROLE)) {
        refused.retain(|caller| *caller != "staff");
        refused.push("other staff");
    }
    // What anybody may call can still be refused to staff who show themselves without a role for it.
    let everybody = CALLERS.iter().all(|caller| allowed.contains(*caller));
    let allowed: Vec<String> =
        if everybody { vec!["everybody".to_owned()] } else { allowed.into_iter().collect() };
    let refused = if refused.is_empty() { "nobody".to_owned() } else { refused.join(", ") };
    Ok((allowed.join(", "), refused))
}

/// The callers that a scheme lets in. Schemes other than `bearer` prove something else than a role, such as
/// a provider's signature, and are named as they are.
fn callers_of(scheme: &str, scopes: &Value) -> Result<Vec<String>> {
    let scopes: Vec<&str> = scopes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match (scheme, &scopes[..]) {
        ("bearer", []) => Ok(CALLERS[1..].iter().map(ToString::to_string).collect()),
        ("bearer", [role]) if CALLERS[1..].contains(role) || is_staff_role(role) => {
            Ok(vec![(*role).to_owned()])
        }
        ("bearer", [role]) => bail!("`{role}` is no role: {} or staff:<role>", CALLERS[1..].join(", ")),
        ("bearer", _) => bail!("one role for each alternative: a caller has one"),
        (scheme, scopes) => {
            Ok(vec![std::iter::once(&scheme).chain(scopes).copied().collect::<Vec<_>>().join(":")])
        }
    }
}

fn is_staff_role(role: &str) -> bool {
    role.strip_prefix(STAFF_ROLE).is_some_and(|role| {
        !role.is_empty() && role.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}
