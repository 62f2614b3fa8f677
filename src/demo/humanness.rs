//! The app of a demo: it asks the verify API whether its users are humans who have not been here before.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use unum_identity::action::Act;
use unum_identity::hash::hash_signal;
use wallet_sdk::client::{ClientError, EnrollServer};
use wallet_sdk::prove_app;

use super::stage::Stage;
use super::{DemoError, World};
use crate::system::{DEMO_ACTION, DEMO_APP};

/// How many wallets show the app that they are human.
const USERS: usize = 5;

/// Some wallets verify, and then try again.
pub(super) fn verify_some(world: &mut World) -> Result<(), DemoError> {
    let server = EnrollServer::at(&world.system.addresses().enroll);
    let stage = Stage::of(world.enrolled().take(USERS).count(), "voting in an app");
    let mut votes = Vec::new();
    for person in world.enrolled().take(USERS) {
        let inclusion = server.inclusion(person.wallet.commitment(), None)?;
        let vote = |signal| {
            let (identity, rng) = (person.wallet.identity(), &mut UnwrapErr(SysRng));
            let act = Act { app_id: DEMO_APP.to_owned(), action: DEMO_ACTION.to_owned(), day: None };
            prove_app(&world.prover, &identity, &inclusion, act, hash_signal(signal), rng)
        };
        votes.push([vote("yes")?, vote("no")?]);
        stage.step();
    }
    for [first, second] in votes {
        let accepted = server.verify(&first).is_ok();
        world.facts.app_verified += usize::from(accepted);
        world.check(accepted, || "an app did not accept a human".into());
        // Another signal and other proof bytes: the nullifier alone gives the second vote away.
        let answer = server.verify(&second);
        let refused =
            matches!(&answer, Err(ClientError::Refused(problem)) if problem.code == "nullifier_used");
        world.facts.app_reuse_refused += usize::from(refused);
        world.check(refused, || "an app accepted a human twice".into());
    }
    stage.done(&format!(
        "an app counted {} votes and refused {} second ones",
        world.facts.app_verified, world.facts.app_reuse_refused
    ));
    Ok(())
}
