//! What can go wrong, and the codes that say so to callers.

use std::time::Duration;

use contracts::catalog::Shortage;
use kernel::{Fail, FailureKind, FieldError, VariantId};
use ledger::LedgerError;
use objects::ObjectsError;
use serde_json::{Map, Value};
use web::{Code, code};

/// `catalog.product_not_found` (404).
pub const PRODUCT_NOT_FOUND: Code = Code::new("catalog.product_not_found", 404, "There is no such product.");
/// `catalog.variant_not_found` (404).
pub const VARIANT_NOT_FOUND: Code = Code::new("catalog.variant_not_found", 404, "There is no such variant.");
/// `catalog.picture_not_found` (404).
pub const PICTURE_NOT_FOUND: Code = Code::new("catalog.picture_not_found", 404, "There is no such picture.");
/// `catalog.handle_taken` (409).
pub const HANDLE_TAKEN: Code =
    Code::new("catalog.handle_taken", 409, "Another product or seller has this handle.");
/// `catalog.sku_taken` (409).
pub const SKU_TAKEN: Code =
    Code::new("catalog.sku_taken", 409, "A variant of another product has this stock keeping unit.");
/// `catalog.insufficient_stock` (409).
pub const INSUFFICIENT_STOCK: Code = Code::new(
    "catalog.insufficient_stock",
    409,
    "There is less stock than would be taken away, not counting what is reserved.",
);
/// `catalog.out_of_stock` (409).
pub const OUT_OF_STOCK: Code =
    Code::new("catalog.out_of_stock", 409, "Some lines cannot be had; `lines` names them.");
/// `catalog.variant_not_for_sale` (409).
pub const VARIANT_NOT_FOR_SALE: Code = Code::new(
    "catalog.variant_not_for_sale",
    409,
    "Some variants are unknown or not for sale; `variants` names them.",
);
/// `catalog.reservation_ended` (409).
pub const RESERVATION_ENDED: Code =
    Code::new("catalog.reservation_ended", 409, "The reservation was released or ran out.");
/// `catalog.reservation_differs` (409).
pub const RESERVATION_DIFFERS: Code =
    Code::new("catalog.reservation_differs", 409, "The checkout has reserved other lines before.");
/// `catalog.reservation_committed` (409).
pub const RESERVATION_COMMITTED: Code =
    Code::new("catalog.reservation_committed", 409, "The reservation is final already.");
/// `catalog.reservation_not_committed` (409).
pub const RESERVATION_NOT_COMMITTED: Code =
    Code::new("catalog.reservation_not_committed", 409, "The reservation was never made final.");
/// `catalog.picture_unreadable` (400).
pub const PICTURE_UNREADABLE: Code =
    Code::new("catalog.picture_unreadable", 400, "The file is not a picture of the kind that it says it is.");

/// What can go wrong in the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields are missing, malformed or beyond their limits.
    #[error("{} cannot be used; see `errors`.", if .0.len() == 1 { "A field" } else { "Some fields" })]
    Invalid(Vec<FieldError>),
    /// No such product, or none that this caller may know of.
    #[error("There is no such product.")]
    ProductNotFound,
    /// No such variant.
    #[error("There is no such variant.")]
    VariantNotFound,
    /// No such picture.
    #[error("There is no such picture.")]
    PictureNotFound,
    /// The bytes are no picture of the media type that was given.
    #[error("The file is not a picture of the kind that its media type says.")]
    PictureUnreadable,
    /// A media type that is no picture's.
    #[error("Send a picture: PNG, JPEG, WebP, AVIF, GIF or SVG.")]
    PictureUnsupported,
    /// Another product or seller has the handle.
    #[error("The handle {handle:?} is taken. Choose another.")]
    HandleTaken {
        /// The handle.
        handle: String,
    },
    /// A variant of another product has the stock keeping unit.
    #[error("The stock keeping unit {sku:?} belongs to a variant of another product.")]
    SkuTaken {
        /// The stock keeping unit.
        sku: String,
    },
    /// It has been changed since the version that the caller wrote against.
    #[error(
        "It has changed since you read it: it is at version {current} now. Read it again and decide anew."
    )]
    Stale {
        /// The present version.
        current: i64,
    },
    /// Less is free than would be taken off the shelf.
    #[error("Only {available} can be taken away; the rest is reserved or not there.")]
    InsufficientStock {
        /// How many can be taken away.
        available: i64,
    },
    /// Lines that cannot be had.
    #[error("Some of it is not in stock any more.")]
    OutOfStock(Vec<Shortage>),
    /// Variants that are unknown or not for sale.
    #[error("Some of it is not for sale.")]
    NotForSale(Vec<VariantId>),
    /// The reservation was released or ran out, or there never was one.
    #[error("The reservation has ended. Begin a new checkout.")]
    ReservationEnded,
    /// The checkout reserved other lines before.
    #[error("This checkout has reserved other lines before.")]
    ReservationDiffers,
    /// The reservation is final, so it cannot be given back.
    #[error("The reservation is final. Restock it instead.")]
    ReservationCommitted,
    /// The reservation was never final, so nothing was sold that could come back.
    #[error("The reservation was never made final. Release it instead.")]
    ReservationNotCommitted,
    /// The ledger refuses what the catalogue would never ask of it.
    #[error("the stock ledger refused")]
    Ledger(#[source] LedgerError),
    /// The file store does not answer.
    #[error(transparent)]
    Objects(ObjectsError),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Database(error),
            error => Self::Ledger(error),
        }
    }
}

impl From<ObjectsError> for Error {
    fn from(error: ObjectsError) -> Self {
        match error {
            // A key that cannot be names nothing, and a caller need not learn why.
            ObjectsError::NotFound { .. } | ObjectsError::InvalidKey { .. } => Self::PictureNotFound,
            error => Self::Objects(error),
        }
    }
}

impl Error {
    /// One complaint about the field at `pointer`.
    pub(crate) fn invalid(pointer: &str, code: &str, detail: &str) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, code, detail)])
    }
}

impl Fail for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Invalid(_) | Self::PictureUnreadable => FailureKind::Invalid,
            Self::ProductNotFound | Self::VariantNotFound | Self::PictureNotFound => FailureKind::NotFound,
            Self::PictureUnsupported => FailureKind::UnsupportedMedia,
            Self::HandleTaken { .. }
            | Self::SkuTaken { .. }
            | Self::InsufficientStock { .. }
            | Self::OutOfStock(_)
            | Self::NotForSale(_)
            | Self::ReservationEnded
            | Self::ReservationDiffers
            | Self::ReservationCommitted
            | Self::ReservationNotCommitted => FailureKind::Conflict,
            Self::Stale { .. } => FailureKind::StaleVersion,
            Self::Ledger(_) => FailureKind::Internal,
            Self::Objects(error) if error.kind() == FailureKind::Unavailable => FailureKind::Unavailable,
            Self::Objects(_) => FailureKind::Internal,
            Self::Database(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => code::VALIDATION.code,
            Self::ProductNotFound => PRODUCT_NOT_FOUND.code,
            Self::VariantNotFound => VARIANT_NOT_FOUND.code,
            Self::PictureNotFound => PICTURE_NOT_FOUND.code,
            Self::PictureUnreadable => PICTURE_UNREADABLE.code,
            Self::PictureUnsupported => code::UNSUPPORTED_MEDIA_TYPE.code,
            Self::HandleTaken { .. } => HANDLE_TAKEN.code,
            Self::SkuTaken { .. } => SKU_TAKEN.code,
            Self::Stale { .. } => code::PRECONDITION_FAILED.code,
            Self::InsufficientStock { .. } => INSUFFICIENT_STOCK.code,
            Self::OutOfStock(_) => OUT_OF_STOCK.code,
            Self::NotForSale(_) => VARIANT_NOT_FOR_SALE.code,
            Self::ReservationEnded => RESERVATION_ENDED.code,
            Self::ReservationDiffers => RESERVATION_DIFFERS.code,
            Self::ReservationCommitted => RESERVATION_COMMITTED.code,
            Self::ReservationNotCommitted => RESERVATION_NOT_COMMITTED.code,
            Self::Ledger(_) => code::INTERNAL.code,
            Self::Objects(error) if error.kind() == FailureKind::Unavailable => {
                code::SERVICE_UNAVAILABLE.code
            }
            Self::Objects(_) => code::INTERNAL.code,
            Self::Database(error) => error.code(),
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(errors) => errors.clone(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Objects(error) => error.retry_after(),
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }

    fn extensions(&self) -> Map<String, Value> {
        let (member, value) = match self {
            Self::Stale { current } => ("current_version", (*current).into()),
            Self::InsufficientStock { available } => ("available", (*available).into()),
            Self::OutOfStock(lines) => ("lines", serde_json::to_value(lines).unwrap_or_default()),
            Self::NotForSale(variants) => ("variants", serde_json::to_value(variants).unwrap_or_default()),
            _ => return Map::new(),
        };
        Map::from_iter([(member.to_owned(), value)])
    }
}

/// Every code of this service.
pub const ALL: &[Code] = &[
    PRODUCT_NOT_FOUND,
    VARIANT_NOT_FOUND,
    PICTURE_NOT_FOUND,
    HANDLE_TAKEN,
    SKU_TAKEN,
    INSUFFICIENT_STOCK,
    OUT_OF_STOCK,
    VARIANT_NOT_FOR_SALE,
    RESERVATION_ENDED,
    RESERVATION_DIFFERS,
    RESERVATION_COMMITTED,
    RESERVATION_NOT_COMMITTED,
    PICTURE_UNREADABLE,
];
