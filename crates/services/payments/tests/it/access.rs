//! Who may see what.

use contracts::payments::PaymentStatus;
use kernel::{CustomerId, SellerId, StaffId};
use serde_json::json;
use testkit::TestDatabase;
use testkit::database::Engine;
use web::{Caller, Role, Seller};

use crate::shop::{Shop, customer, refused, staff};

fn seller() -> Caller {
    let Caller::Staff(member) = staff(&[]) else { unreachable!() };
    Caller::Seller(Seller {
        id: SellerId::from_uuid(uuid::Uuid::from_u128(1)),
        member: StaffId::from_uuid(uuid::Uuid::from_u128(2)),
        session: member.session,
        authenticated_at: member.authenticated_at,
    })
}

#[tokio::test]
async fn a_payment_is_its_customers_and_the_staffs() {
    let db = TestDatabase::on(Engine::Sqlite).await;
    let shop = Shop::idle(&db).await;
    let wanted = shop.wanted("tok_visa");
    shop.client.authorize(&wanted).await.unwrap();
    let owner = customer(wanted.customer_id.unwrap());
    let path = format!("/v1/payments/{}", wanted.payment_id);
    let shown = shop.get(&owner, &path).await;
    assert_eq!((shown.status.as_u16(), shown.header("etag")), (200, Some("\"2\"")));
    let now = shop.clock.now().to_string();
    assert_eq!(
        shown.json(),
        json!({
            "id": wanted.payment_id, "order_id": wanted.order_id, "customer_id": wanted.customer_id,
            "status": "authorized", "amount": {"amount": 4_200, "currency": "EUR"},
            "captured": {"amount": 0, "currency": "EUR"}, "refunded": {"amount": 0, "currency": "EUR"},
            "method": {"type": "card", "brand": "visa", "last4": "4242"}, "provider": "sandbox",
            "next_action": null, "decline": null, "created_at": now, "updated_at": now, "version": 2,
        })
    );
    let refunds = format!("{path}/refunds");
    for path in [&path, &refunds] {
        for role in [Role::Payments, Role::Orders, Role::Support, Role::Administrator] {
            assert_eq!(shop.get(&staff(&[role]), path).await.status, 200, "{path} {role}");
        }
        assert_eq!(shop.get(&owner, path).await.status, 200);
        let other = customer(CustomerId::new(shop.clock.now(), &shop.rng));
        assert_eq!(shop.get(&other, path).await.refusal(), refused(404, "payments.not_found"));
        assert_eq!(shop.get(&staff(&[Role::Catalog]), path).await.refusal(), refused(403, "auth.forbidden"));
        assert_eq!(shop.get(&seller(), path).await.refusal(), refused(403, "auth.forbidden"));
        assert_eq!(shop.get(&Caller::Anonymous, path).await.refusal(), refused(401, "auth.missing"));
    }
    assert_eq!(shop.get(&owner, "/v1/payments/pay_1").await.refusal(), refused(404, "request.bad_id"));
}

#[tokio::test]
async fn only_staff_with_the_role_refund() {
    let db = TestDatabase::on(Engine::Sqlite).await;
    let shop = Shop::idle(&db).await;
    let wanted = shop.wanted("tok_visa");
    shop.client.authorize(&wanted).await.unwrap();
    shop.client.capture(wanted.payment_id).await.unwrap();
    let path = format!("/v1/payments/{}/refunds", wanted.payment_id);
    let body = json!({"reason": "please"});
    for (caller, expected) in [
        (Caller::Anonymous, refused(401, "auth.missing")),
        (customer(wanted.customer_id.unwrap()), refused(403, "auth.forbidden")),
        (seller(), refused(403, "auth.forbidden")),
        (staff(&[Role::Orders, Role::Support, Role::Catalog]), refused(403, "auth.forbidden")),
    ] {
        assert_eq!(shop.post(&caller, &path, &[], &body).await.refusal(), expected);
    }
    assert_eq!(shop.client.get(wanted.payment_id).await.unwrap().status, PaymentStatus::Captured);
    assert_eq!(shop.post(&staff(&[Role::Administrator]), &path, &[], &body).await.status, 201);
}

#[tokio::test]
async fn the_staff_list_payments_by_what_they_look_for() {
    let db = TestDatabase::on(Engine::Sqlite).await;
    let shop = Shop::hasty(&db).await;
    let declined = shop.wanted("tok_declined");
    shop.client.authorize(&declined).await.unwrap();
    shop.later(60);
    let paid = shop.wanted("tok_visa");
    shop.client.authorize(&paid).await.unwrap();
    shop.client.capture(paid.payment_id).await.unwrap();
    let lost = shop.authorize("tok_timeout_after_success").await;

    let caller = staff(&[Role::Support]);
    let ids = async |query: &str| {
        let answer = shop.get(&caller, &format!("/v1/admin/payments{query}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.json();
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("").await.len(), 3);
    assert_eq!(ids("?status=failed").await, [declined.payment_id.to_string()]);
    assert_eq!(ids("?status=unknown").await, [lost.payment_id.to_string()]);
    assert_eq!(ids(&format!("?order_id={}", paid.order_id)).await, [paid.payment_id.to_string()]);
    assert_eq!(
        ids(&format!("?customer_id={}", paid.customer_id.unwrap())).await,
        [paid.payment_id.to_string()]
    );
    let now = shop.clock.now();
    assert_eq!(ids(&format!("?created_to={now}")).await, [declined.payment_id.to_string()]);
    assert_eq!(ids(&format!("?created_from={now}&status=captured")).await, [paid.payment_id.to_string()]);

    let first = shop.get(&caller, "/v1/admin/payments?limit=2").await;
    let next = first.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
    let second = shop.get(&caller, &next).await.json();
    assert_eq!(
        (second["data"][0]["id"].as_str(), &second["next_cursor"]),
        (Some(&*declined.payment_id.to_string()), &serde_json::Value::Null)
    );

    for (query, expected) in [
        ("?status=levitating", refused(400, "request.validation")),
        ("?colour=red", refused(400, "request.validation")),
        ("?limit=0", refused(400, "request.validation")),
        ("?cursor=nonsense", refused(400, "request.bad_cursor")),
    ] {
        assert_eq!(
            shop.get(&caller, &format!("/v1/admin/payments{query}")).await.refusal(),
            expected,
            "{query}"
        );
    }
    let path = "/v1/admin/payments";
    assert_eq!(shop.get(&Caller::Anonymous, path).await.refusal(), refused(401, "auth.missing"));
    assert_eq!(
        shop.get(&customer(paid.customer_id.unwrap()), path).await.refusal(),
        refused(403, "auth.forbidden")
    );
    assert_eq!(shop.get(&staff(&[Role::Analyst]), path).await.refusal(), refused(403, "auth.forbidden"));
}
