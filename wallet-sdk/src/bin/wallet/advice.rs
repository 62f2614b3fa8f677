//! What to do about an error, in one sentence.

use wallet_sdk::bridge::BridgeError;
use wallet_sdk::client::ClientError;
use wallet_sdk::{ProveError, VaultError};

/// What the person can do next, if we know.
pub(crate) fn advice(error: &anyhow::Error) -> Option<String> {
    if let Some(error) = error.downcast_ref::<ClientError>() {
        return of_client(error);
    }
    if let Some(error) = error.downcast_ref::<BridgeError>() {
        return of_bridge(error).map(str::to_owned);
    }
    let advice = match (error.downcast_ref::<VaultError>(), error.downcast_ref::<ProveError>()) {
        (Some(VaultError::Exists { .. }), _) => {
            "choose another place with --file; a wallet is never replaced"
        }
        (Some(VaultError::NotAVault), _) => "say which file is your wallet with --file",
        (Some(VaultError::Locked), _) => {
            "try again; if you are sure of the passphrase, use a copy of the file"
        }
        (_, Some(ProveError::NotOurs | ProveError::Broken)) => {
            "fetch the path again: `wallet status --save FILE`"
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

fn of_bridge(error: &BridgeError) -> Option<&'static str> {
    Some(match error {
        BridgeError::Link(_) => "copy the link again, whole, and put it in quotation marks",
        BridgeError::Gone => "go back to the app, and have it show a new link",
        BridgeError::Answered => {
            "if that was not you, somebody else has the link: have the app show a new one"
        }
        BridgeError::Unavailable(_) => {
            "try again in a moment; if it stays so, ask the app which bridge it uses: the link names it"
        }
        BridgeError::Key => {
            "part of the link is missing or changed: have the app show a new one, and copy all of it"
        }
        BridgeError::Question => "nothing was proved; tell whoever runs the app",
        _ => return None,
    })
}

fn of_client(error: &ClientError) -> Option<String> {
    let problem = match error {
        ClientError::Refused(problem) => problem,
        ClientError::Unavailable { .. } => {
            return Some("check the address (--enroll, --distribution), or try again later".to_owned());
        }
        _ => return Some("do not act on it; ask whoever runs the service".to_owned()),
    };
    let advice = match &*problem.code {
        "commitment_unknown" => {
            "you are not enrolled, or were not at that size of the set: `wallet show` at a device"
        }
        "nullifier_used" => "you have done this as often as the app lets each human",
        "app_unknown" | "action_unknown" => {
            "the server counts nothing for this app: hand the proof to the app instead (--out)"
        }
        "day_wrong" => "this action is counted in another way: prove again, with or without --day",
        "day_over" => "prove again for today, in UTC",
        "claimed_for_another_recipient" => {
            "your share of this period was claimed on other terms, once and for all"
        }
        "balance_insufficient" => "nothing was paid: look at `wallet statement`",
        "idempotency_key_taken" => {
            "you have paid something else under this request's key: ask for a new request"
        }
        "recipient_cannot_sign" => "the account is mistyped: nobody could ever spend what it gets",
        "period_not_open" => "this period is not open: look at its dates, or choose another period",
        "nothing_accrued" => {
            "the share grows by the hour and is claimed once: the later in the window, the more, up to the period's `most`"
        }
        "deadline_passed" => {
            "nothing was paid, and this order or claim never will be: make a new one, without --deadline"
        }
        "root_expired" => "the path is too old: prove again without --inclusion",
        _ => return problem.retry_after.map(|seconds| format!("try again in {seconds} s")),
    };
    Some(advice.to_owned())
}

#[cfg(test)]
mod tests {
    use unum_identity::problem::Problem;

    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_or_when_to_come_back() {
        let advise = |problem| advice(&ClientError::Refused(problem).into());
        assert!(advise(Problem::new(404, "commitment_unknown")).unwrap().contains("wallet show"));
        let pending = Problem::new(409, "commitment_pending").retry_after(3);
        assert_eq!(advise(pending).as_deref(), Some("try again in 3 s"));
        assert_eq!(advise(Problem::new(422, "proof_invalid")), None);
        let link = "unum://verify".parse::<wallet_sdk::bridge::BridgeLink>().unwrap_err();
        assert!(advice(&BridgeError::from(link).into()).unwrap().contains("copy the link again"));
    }
}
