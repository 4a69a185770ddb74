/// Which paths belong to which service. A path belongs to the longest prefix that it begins with,
/// where a prefix ends at a slash or at the end of the path.
pub const PREFIXES: &[(&str, &str)] = &[
    ("/v1/auth", "identity"),
    ("/v1/admin/identity", "identity"),
    ("/.well-known/jwks.json", "identity"),
    ("/v1/customers", "customers"),
    ("/v1/admin/customers", "customers"),
    ("/v1/products", "catalog"),
    ("/v1/categories", "catalog"),
    ("/v1/brands", "catalog"),
    ("/v1/sellers", "catalog"),
    ("/v1/admin/products", "catalog"),
    ("/v1/admin/sellers", "catalog"),
    ("/v1/admin/variants", "catalog"),
    ("/v1/admin/media", "catalog"),
    ("/media", "catalog"),
    ("/v1/carts", "orders"),
    ("/v1/checkouts", "orders"),
    ("/v1/orders", "orders"),
    ("/v1/admin/orders", "orders"),
    ("/v1/payments", "payments"),
    ("/v1/admin/payments", "payments"),
    ("/webhooks", "payments"),
    ("/sandbox", "payments"),
    ("/v1/track", "analytics"),
    ("/v1/identify", "analytics"),
    ("/v1/page", "analytics"),
    ("/v1/screen", "analytics"),
    ("/v1/group", "analytics"),
    ("/v1/alias", "analytics"),
    ("/v1/batch", "analytics"),
    ("/v1/t", "analytics"),
    ("/v1/i", "analytics"),
    ("/v1/p", "analytics"),
    ("/v1/s", "analytics"),
    ("/v1/g", "analytics"),
    ("/v1/a", "analytics"),
    ("/v1/b", "analytics"),
    ("/v1/projects", "analytics"),
    ("/v1/admin/analytics", "analytics"),
    ("/v1/stream", "sync"),
    ("/v1/polls", "feedback"),
    ("/v1/admin/polls", "feedback"),
];

/// The service that `path` belongs to.
pub fn service_of(path: &str) -> Option<&'static str> {
    PREFIXES
        .iter()
        .filter(|(prefix, _)| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
        .max_by_key(|(prefix, _)| prefix.len())
        .map(|(_, service)| *service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_slash() {
        assert_eq!(service_of("/v1/orders"), Some("orders"));
        assert_eq!(service_of("/v1/orders/ord_1/events"), Some("orders"));
        assert_eq!(service_of("/v1/ordersx"), None);
        assert_eq!(service_of("/v1/a"), Some("analytics"));
        assert_eq!(service_of("/v1/admin/products/x"), Some("catalog"));
    }

    #[test]
    fn internal_routes_belong_to_nobody() {
        assert!(PREFIXES.iter().all(|(prefix, _)| !prefix.starts_with("/internal")));
        assert_eq!(service_of("/internal/catalog/quote"), None);
    }
}
