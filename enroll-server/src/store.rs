//! The schema `enroll`: one module of SQL for each table.
//!
//! Whatever decides about a person does so behind [`lock_enrollments`]: enrollments are one after the other.

pub(crate) mod apps;
pub(crate) mod devices;
pub(crate) mod erasures;
pub(crate) mod log;
pub(crate) mod mailboxes;
pub(crate) mod matchers;
pub(crate) mod nullifiers;
pub(crate) mod queue;
pub(crate) mod reviews;
pub(crate) mod roots;
pub(crate) mod segments;
pub(crate) mod sessions;
pub(crate) mod templates;

use service::store::Schema;
pub(crate) use service::store::{Store, StoreError, Tx, chain};
use service::store::{bigint, bytes, count, time};

/// What stands in Postgres.
pub(crate) const SCHEMA: Schema = Schema {
    name: "enroll",
    migrations: &[
        ("V1__devices_people_and_the_set", include_str!("../migrations/V1__devices_people_and_the_set.sql")),
        ("V2__segments", include_str!("../migrations/V2__segments.sql")),
        (
            "V3__the_log_and_those_who_leave",
            include_str!("../migrations/V3__the_log_and_those_who_leave.sql"),
        ),
        ("V4__the_queue", include_str!("../migrations/V4__the_queue.sql")),
        ("V5__apps_and_actions", include_str!("../migrations/V5__apps_and_actions.sql")),
        ("V6__the_bridge", include_str!("../migrations/V6__the_bridge.sql")),
    ],
    lock: 0x756e_756d_0002, // "unum", 2
};

/// Advisory lock of enrollments; a number that nobody else uses in this database.
const ENROLLMENTS: i64 = 0x756e_756d_0001; // "unum", 1

/// From here to the end of the transaction no other enrollment adds anything, on any server: what is read next is
/// everything there is.
pub(crate) async fn lock_enrollments(tx: &Tx) -> Result<(), StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&ENROLLMENTS]).await.map(|_| ())
}
