use std::sync::Arc;

use kernel::Secret;

use crate::context::Context;
use crate::hashing::Overloaded;
use crate::model::password::{Owner, Password, Weakness};

impl Context {
    /// A password that somebody wants to have, held against every rule there is: those of the model and the
    /// list on the threads that hash, then what the service knows, if one is configured.
    ///
    /// # Errors
    /// When there is too much to do; within, why the password would not protect its owner.
    pub(crate) async fn choose_password(
        &self,
        text: &Secret<String>,
        owner: Owner<'_>,
    ) -> Result<Result<Password, Weakness>, Overloaded> {
        let (policy, words, text) = (Arc::clone(&self.passwords), self.passwords.words(owner), text.clone());
        match self.hasher.beside(move || policy.judge(&text, &words)).await? {
            Ok(password) => Ok(self.passwords.ask(password).await),
            Err(weakness) => Ok(Err(weakness)),
        }
    }
}
