-- Balances are kept beside the account, so that a guard is checked without adding up its transfers.
-- The last check repeats the guards: a row that breaks its own guard cannot be stored by anybody.
CREATE TABLE ledger_accounts (
    id BLOB NOT NULL PRIMARY KEY,
    unit TEXT NOT NULL,
    kind TEXT NOT NULL,
    guard TEXT NOT NULL
        CHECK (guard IN ('none', 'debits_must_not_exceed_credits', 'credits_must_not_exceed_debits')),
    debits_pending INTEGER NOT NULL CHECK (debits_pending >= 0),
    debits_posted INTEGER NOT NULL CHECK (debits_posted >= 0),
    credits_pending INTEGER NOT NULL CHECK (credits_pending >= 0),
    credits_posted INTEGER NOT NULL CHECK (credits_posted >= 0),
    CHECK (guard <> 'debits_must_not_exceed_credits' OR debits_posted + debits_pending <= credits_posted),
    CHECK (guard <> 'credits_must_not_exceed_debits' OR credits_posted + credits_pending <= debits_posted)
) STRICT, WITHOUT ROWID;

-- Rows are never deleted, and only the resolution of a pending transfer is ever changed.
CREATE TABLE ledger_transfers (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('single', 'pending', 'post_pending', 'void_pending')),
    debit_id BLOB NOT NULL,
    credit_id BLOB NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reference TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    pending_id BLOB,
    expires_at INTEGER,
    resolution TEXT CHECK (resolution IN ('posted', 'voided', 'expired')),
    CHECK (debit_id <> credit_id),
    CHECK ((kind = 'pending') = (expires_at IS NOT NULL)),
    CHECK ((kind IN ('post_pending', 'void_pending')) = (pending_id IS NOT NULL)),
    CHECK (kind = 'pending' OR resolution IS NULL)
) STRICT, WITHOUT ROWID;

-- A pending transfer is resolved once.
CREATE UNIQUE INDEX ledger_transfers_pending_id ON ledger_transfers (pending_id) WHERE pending_id IS NOT NULL;
CREATE INDEX ledger_transfers_due ON ledger_transfers (expires_at)
    WHERE kind = 'pending' AND resolution IS NULL;
CREATE INDEX ledger_transfers_due_debit ON ledger_transfers (debit_id, expires_at)
    WHERE kind = 'pending' AND resolution IS NULL;
CREATE INDEX ledger_transfers_due_credit ON ledger_transfers (credit_id, expires_at)
    WHERE kind = 'pending' AND resolution IS NULL;
