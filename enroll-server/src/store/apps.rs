//! Tables `apps` and `actions`.

use std::time::SystemTime;

use tokio_postgres::Row;
use unum_identity::humanness::{
    ActionName, ActionTerms, App, AppAction, AppId, AppRegistration, AppSigner, Per,
};
use unum_identity::time::UnixTime;

use super::{StoreError, Tx, count, time};

/// What is known of an app and one of its actions, when somebody does it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The sets whose people the app takes.
    pub(crate) sets: Vec<String>,
    /// None if the app has no such action.
    pub(crate) action: Option<Limits>,
}

/// What an action allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) max_uses: u32,
    pub(crate) per: Per,
    pub(crate) open: bool,
}

/// Whether it was added: `false` if the id is taken.
pub(crate) async fn insert(tx: &Tx, app: &AppRegistration, now: UnixTime) -> Result<bool, StoreError> {
    let sql = "INSERT INTO apps (app_id, name, signer, sets, created_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (app_id) DO NOTHING";
    let signer = app.signer.as_ref().map(|signer| signer.0.as_slice());
    let (app_id, now) = (app.app_id.as_str(), SystemTime::from(now));
    Ok(tx.execute(sql, &[&app_id, &app.name, &signer, &app.sets, &now]).await? == 1)
}

/// The app, with its actions.
pub(crate) async fn get(tx: &Tx, app_id: &AppId) -> Result<Option<App>, StoreError> {
    let sql = "SELECT app_id, name, signer, sets, created_at FROM apps WHERE app_id = $1";
    let Some(row) = tx.row(sql, &[&app_id.as_str()]).await? else { return Ok(None) };
    let mut app = read_app(&row)?;
    let sql =
        "SELECT action, max_uses, per, open, description FROM actions WHERE app_id = $1 ORDER BY action";
    let rows = tx.rows(sql, &[&app_id.as_str()]).await?;
    app.actions = rows.iter().map(read_action).collect::<Result<_, _>>()?;
    Ok(Some(app))
}

/// All apps in order of registration, with their actions.
pub(crate) async fn all(tx: &Tx) -> Result<Vec<App>, StoreError> {
    let sql = "SELECT app_id, name, signer, sets, created_at FROM apps ORDER BY created_at, app_id";
    let mut apps: Vec<App> = tx.rows(sql, &[]).await?.iter().map(read_app).collect::<Result<_, _>>()?;
    let sql = "SELECT app_id, action, max_uses, per, open, description FROM actions ORDER BY action";
    for row in tx.rows(sql, &[]).await? {
        let app_id: &str = row.try_get("app_id")?;
        if let Some(app) = apps.iter_mut().find(|app| app.registration.app_id.as_str() == app_id) {
            app.actions.push(read_action(&row)?);
        }
    }
    Ok(apps)
}

/// Whether there is such an app. Its actions are changed by nobody else until the transaction ends.
pub(crate) async fn lock(tx: &Tx, app_id: &AppId) -> Result<bool, StoreError> {
    let sql = "SELECT FROM apps WHERE app_id = $1 FOR UPDATE";
    Ok(tx.row(sql, &[&app_id.as_str()]).await?.is_some())
}

/// The app and the action that somebody does; nothing if there is no such app.
pub(crate) async fn asked(tx: &Tx, app_id: &AppId, action: &ActionName) -> Result<Option<Asked>, StoreError> {
    let sql = "SELECT apps.sets, actions.max_uses, actions.per, actions.open FROM apps \
               LEFT JOIN actions ON actions.app_id = apps.app_id AND actions.action = $2 WHERE apps.app_id = $1";
    let Some(row) = tx.row(sql, &[&app_id.as_str(), &action.as_str()]).await? else { return Ok(None) };
    let open: Option<bool> = row.try_get("open")?;
    let action = match open {
        Some(open) => Some(Limits { max_uses: max_uses(&row)?, per: per(&row)?, open }),
        None => None,
    };
    Ok(Some(Asked { sets: row.try_get("sets")?, action }))
}

/// The terms of an action.
pub(crate) async fn action(
    tx: &Tx,
    app_id: &AppId,
    action: &ActionName,
) -> Result<Option<ActionTerms>, StoreError> {
    let sql =
        "SELECT action, max_uses, per, open, description FROM actions WHERE app_id = $1 AND action = $2";
    let row = tx.row(sql, &[&app_id.as_str(), &action.as_str()]).await?;
    row.map(|row| Ok(read_action(&row)?.terms)).transpose()
}

/// Makes an action, or gives it other terms.
pub(crate) async fn put_action(
    tx: &Tx,
    app_id: &AppId,
    action: &ActionName,
    terms: &ActionTerms,
    now: UnixTime,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO actions (app_id, action, max_uses, per, open, description, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (app_id, action) DO UPDATE \
               SET max_uses = excluded.max_uses, open = excluded.open, description = excluded.description";
    let per = match terms.per {
        Per::Ever => "ever",
        Per::Day => "day",
    };
    let (max_uses, now) = (i64::from(terms.max_uses), SystemTime::from(now));
    tx.execute(
        sql,
        &[&app_id.as_str(), &action.as_str(), &max_uses, &per, &terms.open, &terms.description, &now],
    )
    .await
    .map(|_| ())
}

/// Without its actions.
fn read_app(row: &Row) -> Result<App, StoreError> {
    let signer: Option<&[u8]> = row.try_get("signer")?;
    let signer = signer.map(|signer| signer.try_into().map(AppSigner)).transpose();
    let app_id: String = row.try_get("app_id")?;
    Ok(App {
        registration: AppRegistration {
            app_id: app_id.try_into().map_err(StoreError::damaged)?,
            name: row.try_get("name")?,
            signer: signer.map_err(StoreError::damaged)?,
            sets: row.try_get("sets")?,
        },
        created_at: time(row, "created_at")?,
        actions: Vec::new(),
    })
}

fn read_action(row: &Row) -> Result<AppAction, StoreError> {
    let action: String = row.try_get("action")?;
    let terms = ActionTerms {
        max_uses: max_uses(row)?,
        per: per(row)?,
        open: row.try_get("open")?,
        description: row.try_get("description")?,
    };
    Ok(AppAction { action: action.try_into().map_err(StoreError::damaged)?, terms })
}

fn max_uses(row: &Row) -> Result<u32, StoreError> {
    count(row, "max_uses")?.try_into().map_err(StoreError::damaged)
}

fn per(row: &Row) -> Result<Per, StoreError> {
    match row.try_get("per")? {
        "ever" => Ok(Per::Ever),
        "day" => Ok(Per::Day),
        other => Err(StoreError::damaged(format!("actions are not counted per {other}"))),
    }
}
