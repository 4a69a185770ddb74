use kernel::{Money, PaymentId, RefundId, Secret};

/// Set money aside.
#[derive(Clone, Debug)]
pub(crate) struct Authorize {
    /// Our name for the payment, by which it can be asked for later.
    pub(crate) payment_id: PaymentId,
    pub(crate) amount: Money,
    /// The provider's token for what is paid with.
    pub(crate) token: Secret<String>,
    /// Where its pages send the person afterwards.
    pub(crate) return_url: String,
    /// What it recognises a repetition by.
    pub(crate) idempotency_key: String,
}

/// Take money that is set aside.
#[derive(Clone, Debug)]
pub(crate) struct Capture {
    pub(crate) payment_id: PaymentId,
    /// At most what was authorised.
    pub(crate) amount: Money,
    pub(crate) idempotency_key: String,
}

/// Let go of money that is set aside.
#[derive(Clone, Debug)]
pub(crate) struct Void {
    pub(crate) payment_id: PaymentId,
    pub(crate) idempotency_key: String,
}

/// Give money back.
#[derive(Clone, Debug)]
pub(crate) struct RefundPayment {
    pub(crate) payment_id: PaymentId,
    /// Our name for the refund.
    pub(crate) refund_id: RefundId,
    pub(crate) amount: Money,
    pub(crate) idempotency_key: String,
}
