//! `wallet`: a person's secret in a file, and what is done with it.
//!
//! The answer goes to standard output, as text or with `--json`; everything else goes to standard error. No secret
//! is taken from the command line, where other users of the machine could read it; a link to a request, which holds the
//! key of that one, can come on standard input instead.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks on its standard streams")]

mod advice;
mod answer;
mod arguments;
mod claim;
mod code;
mod erase;
mod pay;
mod prove;
mod request;
mod session;
mod show;
mod statement;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use session::Session;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let session = Session::new(arguments.common);
    let done = match arguments.command {
        Command::New => show::create(&session),
        Command::Show => show::show(&session),
        Command::Status(status) => show::status(&session, &status),
        Command::Balance => show::balance(&session),
        Command::Prove(proof) => prove::prove(&session, &proof),
        Command::Answer(answer) => answer::answer(&session, &answer),
        Command::Claim(claim) => claim::claim(&session, &claim),
        Command::Relay(relay) => claim::relay(&session, &relay),
        Command::Statement(statement) => statement::statement(&session, &statement),
        Command::Pay(pay) => pay::pay(&session, &pay),
        Command::Request(request) => request::request(&session, &request),
        Command::Erase(erase) => erase::erase(&session, &erase),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if let Some(advice) = advice::advice(&error) {
                eprintln!("  → {advice}");
            }
            ExitCode::FAILURE
        }
    }
}
