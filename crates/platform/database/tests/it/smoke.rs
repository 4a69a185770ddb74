testkit::on_both_engines! {
    async fn starts_empty(db: testkit::TestDatabase) {
        assert!(db.schema_columns().await.unwrap().is_empty());
        assert!(db.outbox_after(0, 10).await.unwrap().is_empty());
    }
}
