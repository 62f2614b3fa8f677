//! The sealed period, recomputed from what both services publish: as anybody else would.

use circuits::folder::read_verifying_key;
use distribution::archive::{Source, fetch};
use distribution::audit::Trust;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;

use super::stage::Stage;
use super::{DemoError, World};
use crate::system::ORIGIN;

/// Audits with every key that there is to trust.
pub(super) fn recompute(world: &mut World, programme: ProgrammeId, period: Period) -> Result<(), DemoError> {
    let stage = Stage::new("auditing the period");
    let addresses = world.system.addresses();
    let trust = Trust {
        keys: vec![world.system.ledger_key()],
        set: Some((ORIGIN.to_owned(), world.system.set_key())),
        verifying_key: Some(read_verifying_key(&addresses.keys.join("verifying.key"))?),
    };
    let source = Source::at(&addresses.distribution, Some(&addresses.enroll));
    let folder = tempfile::tempdir().map_err(DemoError::Folder)?;
    let place = (programme, period);
    let archive = fetch(&source, place, folder.path(), &mut |_, _, _| {})?;
    let report = archive.audit(place, trust, &mut UnwrapErr(SysRng), &mut |_, _, _| {})?;
    let holds = report.problems.is_empty() && report.not_checked.is_empty();
    world.check(holds, || format!("the audit of the period: {report}"));
    stage.done(&format!("an auditor recomputed {} claims and {} entries", report.claims, report.entries));
    Ok(())
}
