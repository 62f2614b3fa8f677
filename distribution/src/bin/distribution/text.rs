//! What the server answered, as people read it in a terminal.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use unum_identity::action::Period;
use unum_identity::ledger::LedgerReport;
use unum_identity::programme::{Length, PeriodView, Policy, ProgrammeView};
use unum_identity::time::UnixTime;

pub(crate) fn programme(view: &ProgrammeView) -> String {
    let terms = &view.terms;
    let periods = |periods: &[Period]| match periods {
        [] => "none".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    format!(
        "{}  {}\n  share      {} (minor units of {}, {} digits)\n  pool       {}\n  period     {}, {} each, from {}\n  \
         claimable  {}",
        view.id,
        terms.name,
        share(&terms.policy),
        terms.unit,
        terms.minor_digits,
        view.pool,
        view.current.map_or_else(|| "not started".to_owned(), |period| period.to_string()),
        length(terms.length),
        moment(terms.starts_at),
        periods(&view.claimable),
    )
}

pub(crate) fn programmes(views: &[ProgrammeView]) -> String {
    match views {
        [] => "no programme yet: distribution programme create --help".to_owned(),
        some => some.iter().map(programme).collect::<Vec<_>>().join("\n\n"),
    }
}

pub(crate) fn period(view: &PeriodView) -> String {
    let people = view.set.map_or_else(|| "-".to_owned(), |set| format!("{} under {}", set.people, set.root));
    let waits =
        view.waits_for.map_or_else(String::new, |shortage| format!("\n  waits    for money: {shortage}"));
    format!(
        "period {}: {}{waits}\n  people   {people}\n  share    {} now, {} at most\n  reserve  {}\n  claims   from {} until before {}",
        view.period,
        view.state,
        view.amount,
        view.most,
        view.reserve,
        moment(view.opens_at),
        moment(view.closes_at),
    )
}

/// A line each, newest first.
pub(crate) fn periods(views: &[PeriodView]) -> String {
    let line = |view: &PeriodView| {
        let people = view.set.map_or_else(|| "-".to_owned(), |set| set.people.to_string());
        let waits =
            view.waits_for.map_or_else(String::new, |shortage| format!("  waits for money: {shortage}"));
        let (opens_at, closes_at) = (moment(view.opens_at), moment(view.closes_at));
        format!(
            "{:>6}  {:<8}  {people:>10}  {opens_at} – {closes_at}{waits}",
            view.period.0,
            view.state.name()
        )
    };
    let header = format!("{:>6}  {:<8}  {:>10}  claims", "period", "state", "people");
    std::iter::once(header).chain(views.iter().map(line)).collect::<Vec<_>>().join("\n")
}

pub(crate) fn report(report: &LedgerReport) -> String {
    let mut lines: Vec<String> =
        report.accounts.iter().map(|a| format!("{:>40}  {}", a.balance.to_string(), a.name)).collect();
    lines.push(format!("{:>40}  difference", report.difference.to_string()));
    lines.push(format!("{} entries, head {}", report.transfers, report.chain_head));
    lines.extend(report.problems.iter().map(|problem| format!("PROBLEM {problem:?}")));
    if report.problems.is_empty() {
        lines.push("everything holds".to_owned());
    }
    lines.join("\n")
}

fn share(policy: &Policy) -> String {
    match policy {
        Policy::Fixed { amount } => amount.to_string(),
        Policy::PoolShare { rate_ppm, floor, cap } => {
            format!("{rate_ppm} millionths of the pool for all, {floor} to {cap} for each")
        }
        Policy::Accrual { per_hour, cap_days } => format!("{per_hour} an hour, for {cap_days} days at most"),
        other => format!("{other:?}"),
    }
}

fn length(length: Length) -> String {
    match length {
        Length::Seconds { seconds } => format!("{seconds} s"),
        Length::CalendarMonth {} => "a month".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A moment, to the second, in UTC.
fn moment(at: UnixTime) -> String {
    let moment = i64::try_from(at.0).ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| "never".to_owned())
}
