//! The programs, as operators and people run them: a device is registered, a person walks up to it, proves, claims.
//! Nothing here uses the libraries behind the programs, except to read what they print.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use cargo_metadata::Message;
use serde_json::Value;

use crate::humanness::bridge::Page;

/// Every program of the workspace. `cargo test` builds those of this package only; asking for the tests as well makes
/// the others from the same libraries.
static PROGRAMS: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--workspace",
        "--bins",
        "--tests",
        "--locked",
        "--offline",
        "--message-format=json",
    ]);
    // Build scripts run again when these change, and here they describe the tests: half of everything would be rebuilt.
    let of_the_tests = std::env::vars().map(|(name, _)| name);
    for name in
        of_the_tests.filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        cargo.env_remove(name);
    }
    let built = cargo.stderr(Stdio::inherit()).output().unwrap();
    assert!(built.status.success(), "the programs do not build");
    let executable = |message| match message {
        Message::CompilerArtifact(built) if built.target.is_bin() && !built.profile.test => {
            Some((built.target.name, built.executable?.into()))
        }
        _ => None,
    };
    Message::parse_stream(&built.stdout[..]).filter_map(|message| executable(message.unwrap())).collect()
});

/// A machine with one folder, where `unum up` runs.
struct Machine {
    folder: tempfile::TempDir,
    up: Child,
    addresses: Value,
    token: String,
}

impl Machine {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut up = Command::new(&PROGRAMS["unum"]);
        up.args(["up", "--json", "--data"]).arg(folder.path().join("data"));
        let mut up = up.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(up.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses: Value = serde_json::from_str(&line).expect("`unum up` prints where everything is");
        let token = std::fs::read_to_string(addresses["operator_token"].as_str().unwrap()).unwrap();
        Self { folder, up, addresses, token: token.trim().to_owned() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs a program with one wallet's environment and the operator's; its exit code and what it printed.
    fn run(&self, program: &str, arguments: &[&str]) -> (i32, Value) {
        let text = |name: &str| self.addresses[name].as_str().unwrap();
        let output = Command::new(&PROGRAMS[program])
            .args(arguments)
            .stdin(Stdio::null())
            .env("UNUM_WALLET", self.path("wallet"))
            .env("UNUM_PASSPHRASE", "correct horse battery staple")
            .env("UNUM_ENROLL", text("enroll"))
            .env("UNUM_DISTRIBUTION", text("distribution"))
            .env("UNUM_KEYS", text("keys"))
            .env("DISTRIBUTION_URL", text("distribution"))
            .env("DISTRIBUTION_OPERATOR_TOKEN", &self.token)
            .output()
            .unwrap();
        let printed = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().unwrap(), printed)
    }

    /// Runs a program that must succeed and print JSON.
    #[track_caller]
    fn ask(&self, program: &str, arguments: &[&str]) -> Value {
        let (code, printed) = self.run(program, arguments);
        assert!(code == 0 && !printed.is_null(), "{program} {arguments:?}: exit {code}, {printed}");
        printed
    }

    fn register(&self, device: &Value) {
        let answer = ureq::post(format!("{}/v1/devices", self.addresses["enroll"].as_str().unwrap()))
            .header("Authorization", format!("Bearer {}", self.token))
            .send_json(device);
        assert_eq!(answer.unwrap().status(), 201);
    }

    /// Registers an app with one action, which each human may do once.
    fn register_app(&self, app_id: &str, action: &str) {
        let apps = format!("{}/v1/apps", self.addresses["enroll"].as_str().unwrap());
        let bearer = format!("Bearer {}", self.token);
        let app = serde_json::json!({ "app_id": app_id, "name": "An app" });
        ureq::post(&apps).header("Authorization", &bearer).send_json(app).unwrap();
        let action = format!("{apps}/{app_id}/actions/{action}");
        let empty = serde_json::json!({});
        ureq::put(&action).header("Authorization", &bearer).send_json(empty).unwrap();
    }

    /// Stops it as an operator would.
    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.up);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.up.wait().unwrap().success());
        let postgres = self.folder.path().join("data/postgres");
        assert!(!has_file(&postgres, "postmaster.pid"), "Postgres is still running");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.up.kill().ok(); // gone already, unless the test has failed
        self.up.wait().ok();
    }
}

fn has_file(folder: &Path, name: &str) -> bool {
    std::fs::read_dir(folder).unwrap().map(Result::unwrap).any(|entry| {
        let path = entry.path();
        entry.file_name() == name || (path.is_dir() && has_file(&path, name))
    })
}

#[test]
fn one_person_walks_from_a_device_to_a_balance() {
    let machine = Machine::start();
    let device = machine.path("device");
    machine.register(&machine.ask("orb", &["provision", "--out", &device, "--label", "bench 1"]));

    let wallet = machine.ask("wallet", &["new", "--json"]);
    let commitment = wallet["commitment"].as_str().unwrap();
    assert_eq!(machine.ask("wallet", &["show", "--json"])["commitment"], commitment);
    assert_ne!(machine.run("wallet", &["new"]).0, 0, "a wallet is never replaced");
    let enroll = machine.addresses["enroll"].as_str().unwrap();
    let come = |commitment: &str, visit: &str, more: &[&str]| {
        let whom = ["--commitment", commitment, "--rendered", "77", "--visit", visit];
        let at = ["capture", "--json", "--server", enroll, "--device", &device];
        machine.run("orb", &[&at[..], &whom, more].concat())
    };
    let capture = |commitment: &str, visit: &str| come(commitment, visit, &[]);
    let (code, outcome) = capture(commitment, "0");
    assert_eq!((code, &outcome["outcome"]), (0, &"enrolled".into()), "{outcome}");
    let somebody_elses = &crate::harness::somebodys_commitment().to_string();
    let (code, outcome) = capture(somebody_elses, "1");
    assert_eq!((code, &outcome["problem"]["code"]), (3, &"duplicate".into()), "{outcome}");

    prove(&machine);
    claim(&machine);
    pay(&machine);
    leave(&machine);
    let (code, outcome) = capture(somebody_elses, "2");
    assert_eq!((code, &outcome["outcome"]), (0, &"enrolled".into()), "{outcome}");
    let (lost, found) = ("3", &crate::harness::somebodys_commitment().to_string());
    assert_eq!(capture(found, lost).1["problem"]["code"], "duplicate");
    let (code, outcome) = come(found, lost, &["--recover"]);
    assert_eq!((code, &outcome["replaced"]), (0, &somebody_elses.as_str().into()), "{outcome}");
    machine.stop();
}

/// An app sees a human once.
fn prove(machine: &Machine) {
    assert_eq!(machine.ask("wallet", &["status", "--json"])["enrolled"], true);
    let show = ["prove", "--json", "--app", "app_x", "--action", "vote", "--signal", "yes", "--send"];
    assert_ne!(machine.run("wallet", &show).0, 0, "nobody has registered the app");
    machine.register_app("app_x", "vote");
    machine.ask("wallet", &show);
    assert_ne!(machine.run("wallet", &show).0, 0, "a vote counts once");
    answer(machine);
    let post = ["prove", "--json", "--app", "app_demo", "--action", "posts-per-day", "--send"];
    assert_ne!(machine.run("wallet", &post).0, 0, "it is counted by the day");
    let today = unum_identity::action::Day::of(std::time::SystemTime::now().into()).to_string();
    let post = [&post[..], &["--day", &today]].concat();
    assert_eq!(machine.ask("wallet", &post)["verified"]["max_uses"], 3);
}

/// A page asks over the bridge, and whoever opens its link answers.
fn answer(machine: &Machine) {
    let bridge = machine.addresses["enroll"].as_str().unwrap();
    let signal = unum_identity::hash::hash_signal("yes");
    let question = serde_json::json!({ "app_id": "app_x", "action": "another", "signal": signal });
    let page = Page::ask_anything(bridge, &question);
    let link = page.link();
    assert_ne!(machine.run("wallet", &["answer", &link]).0, 0, "nobody is there to be asked");
    let answered = machine.ask("wallet", &["answer", "--json", "--yes", &link]);
    assert_eq!(
        (&answered["action"], &answered["signal_hash"]),
        (&"another".into(), &serde_json::json!(signal))
    );
    assert_eq!(page.answer()["nullifier_hash"], answered["nullifier"]);
    assert_ne!(machine.run("wallet", &["answer", "--yes", &link]).0, 0, "a link opens once");
    assert_ne!(machine.run("wallet", &["answer", "--yes", "unum://verify"]).0, 0, "no link");
}

/// Whoever leaves is gone, and what they have stays theirs.
fn leave(machine: &Machine) {
    assert_ne!(machine.run("wallet", &["erase"]).0, 0, "nobody is there to be asked");
    let first = machine.ask("wallet", &["erase", "--json", "--yes"]);
    assert_eq!(machine.ask("wallet", &["erase", "--json", "--yes"]), first, "the first receipt comes back");
    assert_eq!(machine.ask("wallet", &["status", "--json"])["enrolled"], false);
    assert_eq!(machine.ask("wallet", &["balance", "--json"])["balance"], "750");
}

/// Somebody asks to be paid, and is, once.
fn pay(machine: &Machine) {
    let (other, picture) = (&machine.path("other-wallet"), &machine.path("code.svg"));
    machine.ask("wallet", &["new", "--json", "--file", other]);
    let ask =
        ["request", "--json", "--file", other, "--amount", "250", "--memo", "bread & salt", "--svg", picture];
    let asked = machine.ask("wallet", &ask);
    assert!(std::fs::read_to_string(picture).unwrap().ends_with("</svg>"));
    let link = asked["link"].as_str().unwrap();
    assert_ne!(machine.run("wallet", &["pay", link]).0, 0, "nobody is there to be asked");
    let first = machine.ask("wallet", &["pay", link, "--json", "--yes"]);
    let again = machine.ask("wallet", &["pay", link, "--json", "--yes"]);
    assert_eq!(first["receipt"], again["receipt"], "a request is paid once");
    let line = &machine.ask("wallet", &["statement", "--json"])["lines"][0];
    assert_eq!((&line["amount"], &line["balance"]), (&"-250".into(), &"750".into()));
    assert_eq!(line["movement"]["idempotency_key"], asked["idempotency_key"]);
    let account = first["receipt"]["to"].as_str().unwrap();
    let seen = machine.ask("distribution", &["account", "statement", account, "--json"]);
    assert_eq!(seen["lines"][0]["balance"], "250");
}

/// A period opens by itself once there is money for it, and a share is claimed; the ledger holds.
fn claim(machine: &Machine) {
    let create = "programme create --json --name basic --unit EUR --amount 1000 --period-days 30";
    let programme = machine.ask("distribution", &create.split(' ').collect::<Vec<_>>());
    let id = programme["id"].as_str().unwrap();
    let deposit =
        ["deposit", id, "--json", "--source", "city-budget", "--amount", "5000", "--key", "2026-01"];
    machine.ask("distribution", &deposit);
    let show = ["period", "show", id, "0", "--json"];
    let deadline = Instant::now() + Duration::from_mins(2);
    while machine.ask("distribution", &show)["state"] != "open" {
        assert!(Instant::now() < deadline, "{}", machine.ask("distribution", &show));
        std::thread::sleep(Duration::from_millis(200));
    }
    let list = machine.ask("distribution", &["period", "list", id, "--json"]);
    assert_eq!(list[0]["state"], "open", "{list}");
    assert_ne!(machine.run("distribution", &["period", "close", id, "0"]).0, 0, "its window is not over");

    let first = machine.ask("wallet", &["claim", "--json", "--programme", id, "--period", "0"]);
    let again = machine.ask("wallet", &["claim", "--json", "--programme", id, "--period", "0"]);
    assert_eq!(first["receipt"], again["receipt"], "the first receipt comes back");
    assert_eq!(machine.ask("wallet", &["balance", "--json"])["balance"], "1000");
    let report = machine.ask("distribution", &["ledger", "check", "--json"]);
    assert_eq!((&report["difference"], &report["problems"]), (&"0".into(), &Value::Array(Vec::new())));
}

#[test]
fn every_program_explains_itself() {
    for program in ["unum", "orb", "wallet", "distribution", "enroll-server", "circuits"] {
        let help = Command::new(&PROGRAMS[program]).arg("--help").output().unwrap();
        let text = String::from_utf8(help.stdout).unwrap();
        assert!(help.status.success() && text.contains("Usage:"), "{program} --help");
        assert!(text.contains("Examples:"), "{program} --help gives no example:\n{text}");
    }
}
