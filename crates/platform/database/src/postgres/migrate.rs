use kernel::Timestamp;

use super::session::Session;
use crate::error::Error;
use crate::migrate::{Applied, Migration, checksum, pending};
use crate::params;
use crate::row::Row;

/// Runs what is missing of `set` in the session's open transaction. A lock lets one copy at a time do so, and
/// those who waited for it find everything done.
pub(super) async fn migrate(
    session: &mut Session,
    schema: &'static str,
    set: &'static str,
    migrations: &[Migration],
    now: Timestamp,
) -> Result<(), Error> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    session.execute(lock, &params![format!("souk migrates {schema}")]).await?;
    // Without asking first, this would need the right to create schemas even where there is nothing to create.
    let exists =
        session.execute("SELECT 1 FROM pg_namespace WHERE nspname = $1", &params![schema]).await? == 1;
    if !exists {
        session.simple(&format!("CREATE SCHEMA {schema}")).await?;
    }
    session.simple(MIGRATIONS_TABLE).await?;
    let applied = applied(session, set).await?;
    for migration in pending(set, migrations, &applied, |migration| migration.postgres)? {
        session.simple(migration.postgres).await?;
        session
            .execute(
                "INSERT INTO platform_migrations (set_name, number, name, checksum, applied_at) \
                 VALUES ($1, $2, $3, $4, $5)",
                &params![set, migration.number, migration.name, checksum(migration.postgres), now],
            )
            .await?;
        tracing::info!(schema, set, migration = migration.name, "migrated");
    }
    Ok(())
}

const MIGRATIONS_TABLE: &str = "
CREATE TABLE IF NOT EXISTS platform_migrations (
    set_name text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamptz NOT NULL,
    PRIMARY KEY (set_name, number)
)";

async fn applied(session: &mut Session, set: &str) -> Result<Vec<Applied>, Error> {
    let mut applied = Vec::new();
    session
        .query(
            "SELECT number, checksum FROM platform_migrations WHERE set_name = $1 ORDER BY number",
            &params![set],
            &mut Row::default(),
            &mut |row| {
                applied.push(Applied { number: row.get(0)?, checksum: row.get(1)? });
                Ok(true)
            },
        )
        .await?;
    Ok(applied)
}
