//! An app to try: registered at every start, which changes nothing after the first.

use serde_json::json;

/// The app's id.
pub const DEMO_APP: &str = "app_demo";
/// What each human may do once.
pub const DEMO_ACTION: &str = "one-human-one-vote";
/// What each human may do a few times a day.
const DAILY_ACTION: &str = "posts-per-day";
/// How many times.
const POSTS: u32 = 3;

/// Registers the app with both actions, as an operator does.
pub(super) fn register(enroll: &str, operator_token: &str) -> Result<(), Box<ureq::Error>> {
    let bearer = format!("Bearer {operator_token}");
    let apps = format!("{enroll}/v1/apps");
    let app = json!({ "app_id": DEMO_APP, "name": "An app to try" });
    ureq::post(&apps).header("authorization", &bearer).send_json(app)?;
    for (action, terms) in [
        (DEMO_ACTION, json!({ "description": "Each human votes once" })),
        (DAILY_ACTION, json!({ "max_uses": POSTS, "per": "day", "description": "A few posts a day" })),
    ] {
        let action = format!("{apps}/{DEMO_APP}/actions/{action}");
        ureq::put(&action).header("authorization", &bearer).send_json(terms)?;
    }
    Ok(())
}
