//! Apps, and what humans do in them, as operators register both.
//!
//! An app that is registered stays as it is. The limit of an action can only be raised, and how it is counted never changes: a lower
//! limit would leave humans behind who have done more than they may, another way of counting would let all of them in again.

use unum_identity::humanness::{ActionName, ActionTerms, App, AppAction, AppId, AppRegistration};

use crate::server;
use crate::store::{StoreError, apps};

/// Longest name of an app, in characters; the schema has the same limit.
const MAX_NAME: usize = 64;
/// Most sets of an app; the schema has the same limit.
const MAX_SETS: usize = 16;
/// Longest description of an action, in characters; the schema has the same limit.
const MAX_DESCRIPTION: usize = 256;

/// Why an app or an action is not registered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    /// No such app.
    #[error("no app with this id is registered")]
    Unknown,
    /// Choose another id.
    #[error("this id is registered with another name, signer or sets")]
    Known,
    /// A text that people would not want to read, or cannot.
    #[error(
        "a name has 1 to {MAX_NAME} characters, a description up to {MAX_DESCRIPTION}, none a control character"
    )]
    Text,
    /// A set that this server does not know, or not once.
    #[error("name 1 to {MAX_SETS} sets that this server knows, each once; {0:?} is not")]
    Set(String),
    /// Nobody could ever do it.
    #[error("max_uses must be 1 or more")]
    NoUses,
    /// Open another action instead.
    #[error("the limit of an action can only be raised, and how it is counted never changes; now {} {:?}", .0.max_uses, .0.per)]
    Narrower(ActionTerms),
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Registers an app. Gives it back, and whether it is new; the same again changes nothing.
pub(crate) async fn register(app: &server::App, asked: &AppRegistration) -> Result<(App, bool), AppError> {
    if !(1..=MAX_NAME).contains(&asked.name.chars().count()) || asked.name.chars().any(char::is_control) {
        return Err(AppError::Text);
    }
    check_sets(app, &asked.sets)?;
    let now = app.clock.now();
    let registered = app.store.run_tx("register_app", |tx| async move {
        let is_new = apps::insert(&tx, asked, now).await?;
        Ok((apps::get(&tx, &asked.app_id).await?, is_new))
    });
    match registered.await? {
        (Some(known), is_new) if known.registration == *asked => Ok((known, is_new)),
        _ => Err(AppError::Known),
    }
}

fn check_sets(app: &server::App, sets: &[String]) -> Result<(), AppError> {
    if !(1..=MAX_SETS).contains(&sets.len()) {
        return Err(AppError::Set(String::new()));
    }
    let wrong = sets.iter().enumerate().find(|(at, set)| !app.sets.knows(set) || sets[..*at].contains(set));
    wrong.map_or(Ok(()), |(_, set)| Err(AppError::Set(set.clone())))
}

/// An app, as everybody may see it.
pub(crate) async fn get(app: &server::App, app_id: &AppId) -> Result<App, AppError> {
    let found = app.store.run_tx("read_app", |tx| async move { apps::get(&tx, app_id).await });
    found.await?.ok_or(AppError::Unknown)
}

/// All apps in order of registration.
pub(crate) async fn all(app: &server::App) -> Result<Vec<App>, AppError> {
    Ok(app.store.run_tx("list_apps", |tx| async move { apps::all(&tx).await }).await?)
}

/// Makes an action, or changes its limit, description, and whether it is open. Gives it back, and whether it is new.
pub(crate) async fn put_action(
    app: &server::App,
    app_id: &AppId,
    action: &ActionName,
    terms: &ActionTerms,
) -> Result<(AppAction, bool), AppError> {
    if terms.max_uses == 0 {
        return Err(AppError::NoUses);
    }
    let description = &terms.description;
    if description.chars().count() > MAX_DESCRIPTION || description.chars().any(char::is_control) {
        return Err(AppError::Text);
    }
    let now = app.clock.now();
    let put = app.store.run_tx("put_action", |tx| async move {
        if !apps::lock(&tx, app_id).await? {
            return Ok(Err(AppError::Unknown));
        }
        let before = apps::action(&tx, app_id, action).await?;
        if let Some(before) = &before
            && (before.per != terms.per || before.max_uses > terms.max_uses)
        {
            return Ok(Err(AppError::Narrower(before.clone())));
        }
        apps::put_action(&tx, app_id, action, terms, now).await?;
        Ok(Ok(before.is_none()))
    });
    let is_new = put.await??;
    Ok((AppAction { action: action.clone(), terms: terms.clone() }, is_new))
}
