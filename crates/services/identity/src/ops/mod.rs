//! What this service does, one verb per file.

pub(crate) mod add_staff;
pub(crate) mod chain_audit;
pub(crate) mod change_password;
pub(crate) mod choose_password;
pub(crate) mod complete_recovery;
pub(crate) mod end_sessions;
pub(crate) mod ensure_account;
pub(crate) mod export;
pub(crate) mod forget;
pub(crate) mod import_accounts;
pub(crate) mod leave_note;
pub(crate) mod limit;
pub(crate) mod open_session;
pub(crate) mod record;
pub(crate) mod refresh;
pub(crate) mod send_mail;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod verify;
