use crate::support::*;

#[tokio::test]
async fn what_is_sealed_opens_until_the_person_is_erased() {
    let ground = Ground::sqlite().await;
    let vault = ground.open().await.unwrap();
    let sealed = vault.seal(person(1), "customers.name", b"Maria").await.unwrap();
    assert_eq!(vault.open_sealed(person(1), "customers.name", &sealed).await.unwrap().unwrap(), b"Maria");
    assert!(vault.destroy(person(1)).await.unwrap());
    assert_eq!(vault.open_sealed(person(1), "customers.name", &sealed).await.unwrap(), None);
}
