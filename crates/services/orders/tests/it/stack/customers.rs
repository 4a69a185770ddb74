use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use contracts::Channel;
use contracts::customers::Contact;
use http::StatusCode;
use kernel::CustomerId;
use parking_lot::Mutex;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;

/// Customers who can be written to until they are erased.
#[derive(Clone, Default)]
pub(crate) struct Customers(Arc<Mutex<HashSet<CustomerId>>>);

impl Customers {
    pub(crate) fn erase(&self, customer: CustomerId) {
        self.0.lock().insert(customer);
    }

    pub(crate) fn channel(&self) -> Channel {
        let router =
            Router::new().route("/internal/customers/{id}/contact", get(contact)).with_state(self.clone());
        web::channel::local("orders", "customers", router)
    }
}

async fn contact(State(customers): State<Customers>, Path(id): Path<CustomerId>) -> Response {
    if customers.0.lock().contains(&id) {
        let problem = json!({"code": "customers.not_found", "detail": "There is no such customer."});
        return (StatusCode::NOT_FOUND, Json(problem)).into_response();
    }
    Json(Contact { email: format!("{id}@people.example"), name: Some("Maria".into()), locale: "en".into() })
        .into_response()
}
