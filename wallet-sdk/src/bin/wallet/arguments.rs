//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use unum_identity::action::{Day, Period};
use unum_identity::bytes::{AccountId, LedgerId, ProgrammeId, ServiceKey};
use unum_identity::claim::Amount;
use unum_identity::payment::{Memo, PaymentRequest};
use unum_identity::time::UnixTime;

const EXAMPLES: &str = "Examples:
  wallet new
  wallet show                                   then hold the code before an enrollment device
  wallet status
  wallet prove --app app_x --action vote --signal yes --send
  wallet answer 'unum://verify?t=wld&i=…'
  wallet claim --programme 5b…e1 --period 3
  wallet balance
  wallet request --amount 1250 --memo 'rent, May'
  wallet pay 'unum:pay?ledger=…'
  wallet statement

Addresses and places are best set once, as the environment variables named below.";

/// Your secret, your proofs, your share.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command may need.
#[derive(Args)]
pub(crate) struct Common {
    /// The wallet's file; by default `unum/wallet` in your data folder.
    #[arg(long, global = true, env = "UNUM_WALLET", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Read the passphrase from this file's first line. Without it, `UNUM_PASSPHRASE` is used, or you are asked.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Address of the enrollment server.
    #[arg(
        long,
        global = true,
        env = "UNUM_ENROLL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub enroll: String,
    /// Address of the distribution.
    #[arg(
        long,
        global = true,
        env = "UNUM_DISTRIBUTION",
        value_name = "URL",
        default_value = "http://127.0.0.1:8081"
    )]
    pub distribution: String,
    /// The key that signs the set's checkpoints, from a source you trust.
    #[arg(long, global = true, env = "UNUM_SET_KEY", value_name = "HEX")]
    pub set_key: Option<ServiceKey>,
    /// The key that signs receipts, from a source you trust.
    #[arg(long, global = true, env = "UNUM_LEDGER_KEY", value_name = "HEX")]
    pub ledger_key: Option<ServiceKey>,
    /// Folder with the proving key, as `circuits keys create` makes it.
    #[arg(long, global = true, env = "UNUM_KEYS", value_name = "DIR", default_value = "keys")]
    pub keys: PathBuf,
    /// Answer as JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a new wallet. Never replaces one.
    New,
    /// Show the commitment, also as a code for the enrollment device.
    Show,
    /// Whether this wallet is in the set.
    Status(Status),
    /// Prove to an app that you are a human who has not done this before.
    #[command(after_help = "Examples:
  wallet prove --app app_x --action vote --signal yes --out proof.json
  wallet prove --app app_x --action vote --signal yes --send")]
    Prove(AppProof),
    /// Answer the request that an app's page shows as a link or a code, with a proof that you are a human. A link opens once, and
    /// within a quarter of an hour.
    #[command(after_help = "Examples:
  wallet answer 'unum://verify?t=wld&i=4f1f…9d&k=AwoR…dw%3D&b=https%3A%2F%2Funum.example'
  wallet answer --yes --json - <link.txt        without being asked, and with the link out of others' sight

You are shown app, action and signal before anything is proved. Whoever made the link wrote them: look whether they are
those of the page that you came from.")]
    Answer(Answer),
    /// Claim your share of a period. The same claim again prints the same receipt.
    #[command(after_help = "Examples:
  wallet claim --programme 5b…e1 --period 3
  wallet status --size 120 --save path.json && wallet claim --programme 5b…e1 --period 3 \\
      --inclusion path.json --ledger 77…0a --deadline 1800000000 --out claim.json     without the distribution
  wallet claim --send claim.json")]
    Claim(Claim),
    /// Send somebody's claim, and get its fee. You can neither change the claim nor keep more.
    #[command(after_help = "Examples:
  wallet relay claim.json")]
    Relay(Relay),
    /// What your account holds.
    Balance,
    /// What moved your account, newest first.
    Statement(Statement),
    /// Pay somebody. If an answer got lost, the same payment is sent again, and never another one instead.
    #[command(after_help = "Examples:
  wallet pay 'unum:pay?ledger=77…0a&to=9d…31&amount=1250'
  wallet pay --to 9d…31 --amount 1250
  wallet pay                                    after a lost answer")]
    Pay(Pay),
    /// Ask for a payment, as a link and a code.
    #[command(after_help = "Examples:
  wallet request --amount 1250 --memo 'rent, May'
  wallet request --amount 300 --standing --svg coffee.svg")]
    Request(Request),
    /// Have your eyes erased and your place in the set emptied. The same request again prints the same receipt.
    #[command(after_help = "Examples:
  wallet erase
  wallet erase --yes --receipt erased.json")]
    Erase(Erase),
}

#[derive(Args)]
pub(crate) struct Erase {
    /// Do not ask whether you are sure.
    #[arg(long)]
    pub yes: bool,
    /// Save the signed receipt here.
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Status {
    /// Save the path to the root here, for `--inclusion`.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Size of the set to ask about: a period's, for an early claim. The newest by default.
    #[arg(long)]
    pub size: Option<u64>,
}

#[derive(Args)]
pub(crate) struct AppProof {
    /// The app's id.
    #[arg(long)]
    pub app: String,
    /// What you do in it; empty if it has one action only.
    #[arg(long, default_value = "")]
    pub action: String,
    /// The day, of an action that is counted by the day: today in UTC, as 2026-11-23.
    #[arg(long, value_name = "DAY")]
    pub day: Option<Day>,
    /// What you say with it: text, or `0x` and hex digits for bytes.
    #[arg(long, default_value = "")]
    pub signal: String,
    /// Prove with a saved path (`wallet status --save`), without asking the server.
    #[arg(long, value_name = "FILE")]
    pub inclusion: Option<PathBuf>,
    /// Write the proof here, as the app sends it to the enrollment server.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Send the proof to the enrollment server yourself, which uses it up.
    #[arg(long)]
    pub send: bool,
}

#[derive(Args)]
pub(crate) struct Answer {
    /// The link, in quotation marks; `-` reads it from standard input.
    #[arg(value_name = "LINK")]
    pub link: String,
    /// Do not ask whether you are sure.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Args)]
pub(crate) struct Claim {
    /// The programme's id.
    #[arg(long, required_unless_present = "send")]
    pub programme: Option<ProgrammeId>,
    /// The period's number.
    #[arg(long, required_unless_present = "send", value_parser = |text: &str| text.parse().map(Period))]
    pub period: Option<Period>,
    /// What whoever relays the claim may keep.
    #[arg(long, default_value = "0")]
    pub fee: Amount,
    /// After this moment the claim is void: seconds since 1970. By default the period's close.
    #[arg(long, value_name = "SECONDS", value_parser = |text: &str| text.parse().map(UnixTime))]
    pub deadline: Option<UnixTime>,
    /// The ledger that may pay. By default the period's own.
    #[arg(long)]
    pub ledger: Option<LedgerId>,
    /// Claim with a saved path (`wallet status --size N --save`), without asking the enrollment server.
    #[arg(long, value_name = "FILE")]
    pub inclusion: Option<PathBuf>,
    /// Write the claim here instead of sending it: anyone may send it, nobody can change it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Send a claim that was written before.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["programme", "period", "deadline", "ledger", "inclusion", "out"])]
    pub send: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Relay {
    /// The claim, as `wallet claim --out` wrote it.
    #[arg(value_name = "FILE")]
    pub claim: PathBuf,
}

#[derive(Args)]
pub(crate) struct Statement {
    /// Only lines before this place in the ledger.
    #[arg(long, value_name = "PLACE")]
    pub before: Option<u64>,
    /// Lines, 500 at most.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
}

#[derive(Args)]
pub(crate) struct Pay {
    /// What somebody asked for (`wallet request`).
    #[arg(value_name = "LINK", conflicts_with_all = ["to", "amount"])]
    pub request: Option<PaymentRequest>,
    /// Who is paid.
    #[arg(long, value_name = "ACCOUNT", requires = "amount")]
    pub to: Option<AccountId>,
    /// How much, in minor units.
    #[arg(long, requires = "to")]
    pub amount: Option<Amount>,
    /// After this moment the payment is void: seconds since 1970. By default in ten minutes.
    #[arg(long, value_name = "SECONDS", value_parser = |text: &str| text.parse().map(UnixTime))]
    pub deadline: Option<UnixTime>,
    /// Do not ask whether you are sure.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Args)]
pub(crate) struct Request {
    /// How much, in minor units.
    #[arg(long)]
    pub amount: Amount,
    /// What for. Only whoever sees the link learns it: the ledger is public, and does not have it.
    #[arg(long, value_name = "TEXT")]
    pub memo: Option<Memo>,
    /// A request that the same person can pay again and again, such as a code on a wall.
    #[arg(long)]
    pub standing: bool,
    /// The ledger that both use. By default the distribution's.
    #[arg(long)]
    pub ledger: Option<LedgerId>,
    /// Write the code here, for paper and screens.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn nouns_are_parsed_by_their_own_codec() {
        let claim = ["wallet", "claim", "--programme", "5B000000000000000000000000000001", "--period", "3"];
        assert!(Arguments::try_parse_from(claim).is_err(), "upper case");
        let fee = ["wallet", "claim", "--programme", "5b000000000000000000000000000001", "--period", "3"];
        assert!(Arguments::try_parse_from(fee).is_ok());
        assert!(Arguments::try_parse_from(fee.iter().chain(&["--fee", "01"])).is_err(), "leading zero");
        assert!(Arguments::try_parse_from(["wallet", "claim", "--period", "3"]).is_err(), "no programme");
        assert!(Arguments::try_parse_from(["wallet", "claim", "--send", "claim.json"]).is_ok());
        assert!(Arguments::try_parse_from(["wallet", "pay", "unum:pay?amount=5"]).is_err(), "no request");
        assert!(Arguments::try_parse_from(["wallet", "pay", "--amount", "5"]).is_err(), "to nobody");
        assert!(Arguments::try_parse_from(["wallet", "pay"]).is_ok(), "the one that waits");
        let memo = ["wallet", "request", "--amount", "5", "--memo", "a\nb"];
        assert!(Arguments::try_parse_from(memo).is_err(), "two lines");
    }
}
