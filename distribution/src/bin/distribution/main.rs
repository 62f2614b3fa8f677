//! `distribution`: the server, and what an operator asks of it.

#![allow(clippy::print_stdout)] // a program: what it prints is what was asked for

mod create;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use create::CreateArgs;
use distribution::client::Operator;
use distribution::{Config, Server, Transition};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use service::program;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::ledger::ReversalRequest;
use unum_identity::programme::DepositRequest;
use unum_identity::time::UnixTime;

/// How long to wait for Postgres.
const PREPARE_WAIT: Duration = Duration::from_secs(15);

/// Pays each person's share once, and keeps the ledger.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Examples:
  distribution prepare --role unum_distribution   with DISTRIBUTION_OWNER_URL=postgres://owner@127.0.0.1/unum
  distribution serve --config distribution.toml
  distribution programme create --name basic --unit EUR --amount 100000 --calendar-months
  distribution deposit 6f0c… --source city-budget --amount 5000000 --key 2026-01
  distribution period list 6f0c…            where each stands, and what it waits for
  distribution ledger check
  distribution ledger reverse 41 --reason wrong-amount
  distribution account statement 9d6e… --limit 20

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
    /// Make the tables, or bring them up to date, and let the server's role work with them. Again changes nothing
    Prepare {
        /// Address of the database for the role that owns the tables; the server never needs it
        #[arg(long, env = "DISTRIBUTION_OWNER_URL", hide_env_values = true)]
        owner_url: String,
        /// The role in the server's `database_url`; it has to exist, and to own nothing
        #[arg(long, default_value = "unum_distribution")]
        role: String,
    },
    /// Make and show programmes
    #[command(subcommand)]
    Programme(ProgrammeCommand),
    /// Show periods, or take the next step in the life of one: the server's worker does so by itself, unless it is told not to
    #[command(subcommand)]
    Period(PeriodCommand),
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
    /// Accounts of wallets
    #[command(subcommand)]
    Account(AccountCommand),
}

#[derive(Subcommand)]
enum ProgrammeCommand {
    /// Make a programme; the same terms again change nothing
    #[command(after_help = create::EXAMPLES)]
    Create {
        #[command(flatten)]
        terms: Box<CreateArgs>,
        #[command(flatten)]
        at: At,
    },
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

#[derive(Subcommand)]
enum LedgerCommand {
    /// Recompute everything; the exit code is 1 if anything does not hold
    Check {
        #[command(flatten)]
        at: At,
    },
    /// Take a deposit back that was a mistake, while the pool still holds the money
    Reverse {
        /// Place of the deposit in the ledger
        sequence: u64,
        /// Why, in 1 to 64 of a-z 0-9 . _ -; stands in the ledger for good
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Subcommand)]
enum AccountCommand {
    /// What it holds
    Show {
        /// The account
        account: AccountId,
        #[command(flatten)]
        at: At,
    },
    /// What moved it, newest first
    Statement {
        /// The account
        account: AccountId,
        /// Only lines before this place in the ledger
        #[arg(long)]
        before: Option<u64>,
        /// Lines
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Subcommand)]
enum PeriodCommand {
    /// Show the periods of a programme, newest first, and what they wait for
    List {
        /// The programme's id
        programme: ProgrammeId,
        #[command(flatten)]
        at: At,
    },
    /// Show one period
    Show(PeriodArgs),
    /// Freeze who may claim
    Snapshot(PeriodArgs),
    /// Put everyone's share aside
    Fund(PeriodArgs),
    /// Take claims
    Open(PeriodArgs),
    /// Take no more claims; return what nobody claimed
    Close(PeriodArgs),
    /// Sign a statement of how it went
    Seal(PeriodArgs),
}

#[derive(Args)]
struct PeriodArgs {
    /// The programme's id
    programme: ProgrammeId,
    /// The period's number, from 0
    period: u64,
    #[command(flatten)]
    at: At,
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
        Command::Prepare { owner_url, role } => prepare(&owner_url, &role)?,
        Command::Programme(command) => programme(command)?,
        Command::Deposit { programme, source, amount, key, at } => {
            let request = DepositRequest { idempotency_key: key, source, amount };
            let deposit = at.operator().deposit(programme, &request)?;
            at.show(&deposit, |d| format!("entry {}: {} from {}", d.ledger_sequence, d.amount, d.source))?;
        }
        Command::Period(command) => period(command)?,
        Command::Ledger(LedgerCommand::Check { at }) => {
            let report = at.operator().check_ledger()?;
            at.show(&report, text::report)?;
            return Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Ledger(LedgerCommand::Reverse { sequence, reason, at }) => {
            let reversal = at.operator().reverse(sequence, &ReversalRequest { reason })?;
            at.show(&reversal, |r| {
                format!("entry {} takes {} of entry {} back", r.ledger_sequence, r.amount, r.reversed)
            })?;
        }
        Command::Account(command) => account(command)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn programme(command: ProgrammeCommand) -> anyhow::Result<()> {
    match command {
        ProgrammeCommand::Create { terms, at } => {
            let view = at.operator().create_programme(&terms.terms(SystemTime::now())?)?;
            at.show(&view, text::programme)
        }
        ProgrammeCommand::List { at } => {
            at.show(&at.operator().programmes()?, |views| text::programmes(views))
        }
        ProgrammeCommand::Show { programme, at } => {
            at.show(&at.operator().programme(programme)?, text::programme)
        }
    }
}

fn period(command: PeriodCommand) -> anyhow::Result<()> {
    let (step, PeriodArgs { programme, period, at }) = match command {
        PeriodCommand::List { programme, at } => {
            return at.show(&at.operator().periods(programme)?, |views| text::periods(views));
        }
        PeriodCommand::Show(args) => (None, args),
        PeriodCommand::Snapshot(args) => (Some(Transition::Snapshot), args),
        PeriodCommand::Fund(args) => (Some(Transition::Fund), args),
        PeriodCommand::Open(args) => (Some(Transition::Open), args),
        PeriodCommand::Close(args) => (Some(Transition::Close), args),
        PeriodCommand::Seal(args) => (Some(Transition::Seal), args),
    };
    let (operator, period) = (at.operator(), Period(period));
    let view = match step {
        None => operator.period(programme, period)?,
        Some(step) => operator.advance(programme, period, step)?,
    };
    at.show(&view, text::period)
}

fn prepare(owner_url: &str, role: &str) -> anyhow::Result<()> {
    program::log_to_stderr("info");
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(distribution::prepare_database(owner_url, role, PREPARE_WAIT))?;
    println!("the tables are up to date, and {role} may add to them");
    Ok(())
}

fn account(command: AccountCommand) -> anyhow::Result<()> {
    match command {
        AccountCommand::Show { account, at } => {
            let (view, ledger) = (at.operator().account(account)?, at.operator().ledger()?);
            at.show(&view, |view| ledger.text(view.balance))
        }
        AccountCommand::Statement { account, before, limit, at } => {
            let statement = at.operator().account_statement(account, before, limit)?;
            let ledger = at.operator().ledger()?;
            at.show(&statement, |statement| statement.text(&ledger))
        }
    }
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
