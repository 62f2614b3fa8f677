//! `distribution`: the server, and what an operator asks of it.

#![allow(clippy::print_stdout)] // a program: what it prints is what was asked for

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use distribution::client::Operator;
use distribution::{Config, Server, Transition};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use service::program;
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::Amount;
use unum_identity::ledger::LedgerReport;
use unum_identity::programme::{
    DEFAULT_CLAIM_WINDOW, DepositRequest, PeriodView, Policy, ProgrammeTerms, ProgrammeView,
};
use unum_identity::time::UnixTime;

/// Pays each person's share once, and keeps the ledger.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Examples:
  distribution serve --config distribution.toml
  distribution programme create --name basic --unit EUR --amount 100000 --period-days 30
  distribution deposit 6f0c… --source city-budget --amount 5000000 --key 2026-01
  distribution period snapshot 6f0c… 0      then fund, open, close, seal
  distribution ledger check

Operators' commands read the server's address from DISTRIBUTION_URL and the token from DISTRIBUTION_OPERATOR_TOKEN."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until it is told to stop
    Serve {
        /// Configuration file; see the documentation of `distribution::config`
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Make and show programmes
    #[command(subcommand)]
    Programme(ProgrammeCommand),
    /// Show a period, or take the next step in its life
    Period {
        /// What to do
        step: StepName,
        /// The programme's id
        programme: ProgrammeId,
        /// The period's number, from 0
        period: u64,
        #[command(flatten)]
        at: At,
    },
    /// Put money into a programme's pool
    Deposit {
        /// The programme's id
        programme: ProgrammeId,
        /// Where the money comes from
        #[arg(long)]
        source: String,
        /// Minor units
        #[arg(long)]
        amount: Amount,
        /// Name of this deposit: the same again changes nothing
        #[arg(long)]
        key: String,
        #[command(flatten)]
        at: At,
    },
    /// The ledger
    #[command(subcommand)]
    Ledger(LedgerCommand),
}

#[derive(Subcommand)]
enum ProgrammeCommand {
    /// Make a programme; the same terms again change nothing
    Create(CreateArgs),
    /// Show all programmes
    List {
        #[command(flatten)]
        at: At,
    },
    /// Show one programme
    Show {
        /// The programme's id
        programme: ProgrammeId,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Args)]
struct CreateArgs {
    /// What people call it
    #[arg(long)]
    name: String,
    /// What is paid
    #[arg(long)]
    unit: String,
    /// Digits of the unit below the point
    #[arg(long, default_value_t = 2)]
    minor_digits: u8,
    /// Each person's share of a period, in minor units
    #[arg(long)]
    amount: Amount,
    /// Length of a period in days
    #[arg(long, conflicts_with = "period_seconds", required_unless_present = "period_seconds")]
    period_days: Option<u64>,
    /// Length of a period in seconds
    #[arg(long)]
    period_seconds: Option<u64>,
    /// When period 0 starts, in seconds since 1970; now, if not given
    #[arg(long)]
    starts_at: Option<u64>,
    /// Periods in which a share can be claimed, its own first
    #[arg(long, default_value_t = DEFAULT_CLAIM_WINDOW)]
    claim_window: u64,
    #[command(flatten)]
    at: At,
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Recompute everything; the exit code is 1 if anything does not hold
    Check {
        #[command(flatten)]
        at: At,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum StepName {
    Show,
    Snapshot,
    Fund,
    Open,
    Close,
    Seal,
}

#[derive(Args)]
struct At {
    /// The server's address
    #[arg(long, env = "DISTRIBUTION_URL", default_value = "http://127.0.0.1:8090")]
    url: String,
    /// The operators' token
    #[arg(long, env = "DISTRIBUTION_OPERATOR_TOKEN", hide_env_values = true, default_value = "")]
    token: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl At {
    fn operator(&self) -> Operator {
        Operator::new(&self.url, self.token.clone())
    }

    fn show<T: serde::Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { text(value) };
        println!("{text}");
        Ok(())
    }
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Serve { config } => serve(&config)?,
        Command::Programme(command) => programme(command)?,
        Command::Deposit { programme, source, amount, key, at } => {
            let request = DepositRequest { idempotency_key: key, source, amount };
            let deposit = at.operator().deposit(programme, &request)?;
            at.show(&deposit, |d| format!("entry {}: {} from {}", d.ledger_sequence, d.amount, d.source))?;
        }
        Command::Period { step, programme, period, at } => {
            let (operator, period) = (at.operator(), Period(period));
            let view = match step.transition() {
                None => operator.period(programme, period)?,
                Some(step) => operator.advance(programme, period, step)?,
            };
            at.show(&view, period_text)?;
        }
        Command::Ledger(LedgerCommand::Check { at }) => {
            let report = at.operator().check_ledger()?;
            at.show(&report, report_text)?;
            return Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl StepName {
    fn transition(self) -> Option<Transition> {
        match self {
            Self::Show => None,
            Self::Snapshot => Some(Transition::Snapshot),
            Self::Fund => Some(Transition::Fund),
            Self::Open => Some(Transition::Open),
            Self::Close => Some(Transition::Close),
            Self::Seal => Some(Transition::Seal),
        }
    }
}

fn programme(command: ProgrammeCommand) -> anyhow::Result<()> {
    match command {
        ProgrammeCommand::Create(args) => {
            let view = args.at.operator().create_programme(&args.terms()?)?;
            args.at.show(&view, programme_text)
        }
        ProgrammeCommand::List { at } => {
            let views = at.operator().programmes()?;
            at.show(&views, |views| views.iter().map(programme_text).collect::<Vec<_>>().join("\n\n"))
        }
        ProgrammeCommand::Show { programme, at } => {
            let view = at.operator().programme(programme)?;
            at.show(&view, programme_text)
        }
    }
}

impl CreateArgs {
    fn terms(&self) -> anyhow::Result<ProgrammeTerms> {
        let days = self.period_days.unwrap_or_default();
        let days = days.checked_mul(24 * 3600).context("period-days is too large")?;
        Ok(ProgrammeTerms {
            name: self.name.clone(),
            unit: self.unit.clone(),
            minor_digits: self.minor_digits,
            policy: Policy::Fixed { amount: self.amount },
            starts_at: self.starts_at.map_or_else(|| SystemTime::now().into(), UnixTime),
            period_seconds: self.period_seconds.unwrap_or(days),
            claim_window: self.claim_window,
        })
    }
}

fn programme_text(view: &ProgrammeView) -> String {
    let terms = &view.terms;
    let periods = |periods: &[Period]| match periods {
        [] => "none".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    format!(
        "{}  {}\n  share      {} {} (minor units, {} digits)\n  pool       {}\n  period     {}, {} s each\n  claimable  {}",
        view.id,
        terms.name,
        terms.policy.share(),
        terms.unit,
        terms.minor_digits,
        view.pool,
        view.current.map_or_else(|| "not started".to_owned(), |period| period.to_string()),
        terms.period_seconds,
        periods(&view.claimable),
    )
}

fn period_text(view: &PeriodView) -> String {
    let people = view.set.map_or_else(|| "-".to_owned(), |set| format!("{} under {}", set.people, set.root));
    format!(
        "period {}: {}\n  people   {people}\n  share    {}\n  reserve  {}\n  claims   from {} until before {} (seconds since 1970)",
        view.period, view.state, view.amount, view.reserve, view.opens_at.0, view.closes_at.0,
    )
}

fn report_text(report: &LedgerReport) -> String {
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

fn serve(path: &std::path::Path) -> anyhow::Result<()> {
    program::log_to_stderr("info");
    let config = Config::load(path, |name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock = || UnixTime::from(SystemTime::now());
        let server = Server::start(config, Arc::new(clock), &mut UnwrapErr(SysRng)).await?;
        // The one line on standard output: whoever started us with port 0 reads it.
        println!("http://{}", server.addr());
        let ended = program::told_to_stop().await;
        server.shutdown().await;
        ended.context("signals cannot be received")
    })
}
