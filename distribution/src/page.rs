//! Pages for people: which programmes there are, and how each is going. They need no script, and fetch nothing but their
//! style.

mod chart;
mod text;

use maud::{DOCTYPE, Markup, html};
use unum_identity::claim::Amount;
use unum_identity::programme::{PeriodState, Policy, ProgrammeTerms, ProgrammeView};

use crate::overview::{Overview, PeriodFacts};
use text::{Moment, Money, Percent, count, lasting, length};

/// How every page looks.
pub(crate) const STYLE: &str = include_str!("page/style.css");

/// All programmes of this ledger.
pub(crate) fn programmes(programmes: &[ProgrammeView]) -> Markup {
    let body = html! {
        h1 { "Programmes" }
        @if programmes.is_empty() {
            p { "There is none yet. Operators make the first one with " code { "distribution programme create" } "." }
        }
        ul.programmes {
            @for programme in programmes {
                li {
                    a href={ "/programmes/" (programme.id) } { (programme.terms.name) }
                    " " (promise(&programme.terms))
                }
            }
        }
    };
    page("Programmes", &body)
}

/// One programme.
pub(crate) fn programme(overview: &Overview) -> Markup {
    let Overview { programme, at, periods, pool } = overview;
    let terms = &programme.terms;
    let body = html! {
        p.up { a href="/" { "All programmes" } }
        h1 { (terms.name) }
        p.promise { (promise(terms)) }
        (headline(overview))
        @if periods.is_empty() {
            p { "No period has begun: period 0 begins on " (Moment(terms.starts_at)) "." }
        } @else {
            section aria-labelledby="people" {
                h2 id="people" { "People" }
                (chart::people(periods))
                (table(terms, periods))
            }
        }
        @if !pool.is_empty() {
            section aria-labelledby="pool" {
                h2 id="pool" { "The pool" }
                p { "What no period has put aside: " strong { (money(terms, programme.pool.minor())) } "." }
                (chart::pool(pool, terms, *at))
            }
        }
        (sources(programme, *at))
    };
    page(&terms.name, &body)
}

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Unum" }
                link rel="stylesheet" href="/style.css";
            }
            body { main { (body) } }
        }
    }
}

/// What a programme promises, in a sentence.
fn promise(terms: &ProgrammeTerms) -> Markup {
    let money = |amount: &Amount| money(terms, amount.minor());
    html! {
        @match &terms.policy {
            Policy::PoolShare { rate_ppm, floor, cap } => {
                (Percent(*rate_ppm)) " of the pool, the same for each person, at least " (money(floor)) " and at most "
                (money(cap)) ", every "
            }
            Policy::Accrual { per_hour, .. } => {
                (money(per_hour)) " an hour for each person, up to " (money(&terms.policy.most())) ", every "
            }
            fixed => { (money(&fixed.most())) " for each person, every " }
        }
        (length(terms.length, 1)) ", to be claimed within " (lasting(terms.length, terms.claim_window)) "."
    }
}

/// The newest period that people can or could claim in, in four numbers.
fn headline(overview: &Overview) -> Markup {
    let terms = &overview.programme.terms;
    let newest = overview.periods.iter().find(|facts| facts.state >= PeriodState::Open);
    html! {
        @if let Some(facts) = newest {
            p.which {
                "Period " (facts.period) ", " (state(facts.state))
                @match (&terms.policy, facts.most) {
                    (Policy::PoolShare { .. }, Some(most)) => { ": " (money(terms, most.minor())) " for each person" }
                    _ => {}
                }
            }
            dl.headline {
                div { dt { "people eligible" } dd { (count(facts.eligible)) } }
                div { dt { "have claimed" } dd { (count(facts.claimed)) } }
                div { dt { "paid" } dd { (money(terms, facts.paid.minor())) } }
                @if facts.state == PeriodState::Open {
                    div { dt { "to be claimed" } dd { (money(terms, facts.left.minor())) } }
                } @else {
                    div { dt { "expired" } dd { (money(terms, facts.expired.minor())) } }
                }
            }
        }
    }
}

fn table(terms: &ProgrammeTerms, periods: &[PeriodFacts]) -> Markup {
    html! {
        div.wide role="region" aria-label="Periods in numbers" tabindex="0" {
            table {
                caption { "Periods, newest first. Amounts in " (terms.unit) "." }
                thead {
                    tr {
                        @for name in ["period", "claims from", "until", "state", "people", "claimed", "paid", "expired", "left"] {
                            th scope="col" { (name) }
                        }
                    }
                }
                tbody {
                    @for facts in periods {
                        tr {
                            th scope="row" { (facts.period) }
                            td { (Moment(terms.opens_at(facts.period))) }
                            td { (Moment(terms.closes_at(facts.period))) }
                            td { (state(facts.state)) }
                            td.number { (count(facts.eligible)) }
                            td.number { (count(facts.claimed)) }
                            @for amount in [facts.paid, facts.expired, facts.left] {
                                td.number { (Money { minor: amount.minor(), digits: terms.minor_digits }) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where a reader can check all this.
fn sources(programme: &ProgrammeView, at: unum_identity::time::UnixTime) -> Markup {
    let api = format!("/v1/programmes/{}", programme.id);
    html! {
        footer {
            p { "As of " (Moment(at)) ". The same as data: " a href=(api) { "programme" }
                @if let Some(period) = programme.current { ", " a href={ (api) "/periods/" (period) } { "this period" } }
                ". Sealed periods have a signed statement each: " code { (api) "/periods/N/statement" } "." }
            p { "Ledger " code { (programme.ledger) } ", key " code { (programme.key) } "." }
        }
    }
}

/// A state as people call it.
fn state(state: PeriodState) -> &'static str {
    match state {
        PeriodState::Planned => "planned",
        PeriodState::Snapshot => "people counted",
        PeriodState::Funded => "money put aside",
        PeriodState::Open => "open",
        PeriodState::Closed => "over",
        PeriodState::Sealed => "sealed",
    }
}

fn money(terms: &ProgrammeTerms, minor: u128) -> Markup {
    html! { (Money { minor, digits: terms.minor_digits }) "\u{a0}" (terms.unit) }
}
