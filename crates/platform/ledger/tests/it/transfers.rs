use ledger::{Balance, Guard, LedgerError, Refusal, Shortfall, Transfer};

use crate::support::*;

#[tokio::test]
async fn stock_is_received_reserved_sold_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let db = sqlite(&folder).await;
    let (received, stock, sold) = (1, 2, 3);
    let guard = Guard::DebitsMustNotExceedCredits;
    let accounts =
        [open(received, "var", Guard::None), open(stock, "var", guard), open(sold, "var", Guard::None)];
    open_accounts(&db, &accounts).await.unwrap();
    open_accounts(&db, &accounts).await.unwrap();

    transfer(&db, &[Transfer::single(id(1), movement(received, stock, 10), "delivery")], START)
        .await
        .unwrap();
    let reserve = [
        Transfer::pending(id(2), movement(stock, sold, 4), MINUTE, "order 1"),
        Transfer::pending(id(3), movement(stock, sold, 5), MINUTE, "order 2"),
    ];
    transfer(&db, &reserve, START).await.unwrap();
    assert_eq!(balance(&db, stock, START).await.credit_available(), 1);

    let error =
        transfer(&db, &[Transfer::single(id(4), movement(stock, sold, 2), "")], START).await.unwrap_err();
    let LedgerError::Exceeds(shortfalls) = error else { panic!("{error:?}") };
    assert_eq!(shortfalls, [Shortfall { index: 0, account: account(stock), wanted: 2, available: 1 }]);

    transfer(&db, &[Transfer::post(id(5), id(2), Some(3), "order 1")], START).await.unwrap();
    transfer(&db, &[Transfer::void(id(6), id(3), "order 2")], START).await.unwrap();
    assert_eq!(
        balance(&db, stock, START).await,
        Balance { debits_pending: 0, debits_posted: 3, credits_pending: 0, credits_posted: 10 }
    );
    let again = transfer(&db, &[Transfer::void(id(7), id(2), "order 1")], START).await.unwrap_err();
    assert!(matches!(again, LedgerError::Refused { index: 0, refusal: Refusal::AlreadyPosted }), "{again:?}");
    assert_sound(&db).await;
}
