//! People who never came: for benches, which need a set of some size before the first person stands before a device.
//!
//! They have eyes and no leaf: they are compared with like everybody, and nobody can recover or erase them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand_core::CryptoRng;
use service::Metrics;
use unum_identity::field::{Commitment, FieldElement};
use unum_iris::EyePair;

use crate::StartError;
use crate::gallery::row;
use crate::keys::Keys;
use crate::sealed::Person;
use crate::store::templates::{self, TemplateRow};
use crate::store::{SCHEMA, Store, StoreError, Tx};

/// Rows written at a time: 8 MB.
const PAGE: usize = 1000;

/// Puts `people` into an empty database, sealed with the template key in the folder `keys`; how many. No server may run.
///
/// # Errors
///
/// [`StartError::Database`] if somebody is enrolled already, or Postgres cannot be used; [`StartError::Keys`].
pub async fn seed(
    database_url: &str,
    keys: &Path,
    people: impl IntoIterator<Item = EyePair>,
    rng: &mut impl CryptoRng,
) -> Result<u64, StartError> {
    let keys = Keys::load_or_create(keys, rng)?;
    let store = Store::open(database_url, &SCHEMA, Duration::from_secs(15), Metrics::default()).await?;
    let there = store.run_tx("last_template", |tx| async move { templates::last(&tx).await }).await?;
    if there > 0 {
        return Err(StoreError::damaged(format!("{there} people are enrolled, who would be mixed up")).into());
    }
    let mut people = people.into_iter();
    let mut seq = 0;
    loop {
        let page: Vec<TemplateRow> = people
            .by_ref()
            .take(PAGE)
            .map(|eyes| {
                seq += 1;
                let commitment = Commitment(FieldElement::from(seq));
                let person = Person { commitment, consent_version: 1, recovered_at: None, eyes };
                row(&person, seq, &keys.template, rng)
            })
            .collect();
        if page.is_empty() {
            return Ok(seq);
        }
        let page = &page;
        let insert = |tx: Arc<Tx>| async move { templates::insert_all(&tx, page).await };
        store.run_tx("seed", insert).await?;
    }
}
