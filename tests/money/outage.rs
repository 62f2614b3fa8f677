//! Postgres gone, and the server killed: what was acknowledged is there, nothing is there twice.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use distribution::{Config, Server};
use rand_core::Rng as _;
use unum::cluster::Cluster;
use unum_identity::time::UnixTime;

use super::bank::{Bank, SHARE, START, Till, to, write_config};
use super::set::PublishedSet;
use crate::harness::rng;

#[test]
fn without_postgres_503_and_then_it_goes_on() {
    let mut cluster = Cluster::temporary(&mut rng()).unwrap();
    let bank = Bank::at(2, cluster.database("outage").unwrap());
    bank.open(0);
    let claims = [bank.prove(0, 0, to(1)), bank.prove(1, 0, to(2))];
    assert_eq!(bank.send(&claims[0]).status, 201);
    cluster.pause();
    for claim in &claims {
        let answer = bank.send(claim);
        answer.refused(503, "unavailable");
        assert!(answer.retry_after.is_some());
    }
    bank.get("/readyz").refused(503, "unavailable");
    assert_eq!(bank.get("/healthz").status, 200);
    cluster.resume().unwrap();
    assert_eq!(bank.send(&claims[0]).status, 200);
    assert_eq!(bank.send(&claims[1]).status, 201);
    assert_eq!(bank.get("/readyz").status, 200);
    assert_eq!(bank.books().transfers, 4);
}

/// Names the configuration of the process that is going to be killed.
const CONFIG: &str = "UNUM_TEST_DISTRIBUTION_CONFIG";

/// Not a test: the server in a process of its own, which [`killed_in_the_middle_of_claims`] starts, and kills.
#[test]
#[ignore = "started by killed_in_the_middle_of_claims"]
fn server_process() {
    let Some(config) = std::env::var_os(CONFIG) else { return };
    let config = Config::load(Path::new(&config), |_| None).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let clock = Arc::new(|| UnixTime(START));
    let server = runtime.block_on(Server::start(config, clock, &mut rng())).unwrap();
    println!("\nlistening http://{}", server.addr());
    // Ends with whoever started us: then nothing more can be read.
    std::io::stdin().lines().for_each(drop);
}

fn start(config: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["money::outage::server_process", "--exact", "--ignored", "--nocapture"])
        .env(CONFIG, config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.find_map(|line| Some(line.unwrap().strip_prefix("listening ")?.to_owned()));
    (child, url.unwrap())
}

#[test]
fn killed_in_the_middle_of_claims() {
    const PEOPLE: usize = 16;
    const ACKNOWLEDGED: usize = 5;
    let cluster = Cluster::temporary(&mut rng()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let set = PublishedSet::of(PEOPLE);
    let config = write_config(folder.path(), &cluster.database("killed").unwrap(), &set);
    let (child, url) = start(&config);
    let mut till = Till::new(url, set);
    till.open(0);
    let claims: Vec<_> = (0..PEOPLE).map(|person| till.prove(person, 0, to(person as u8))).collect();

    let (next, acknowledged) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let child = Mutex::new(child);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((person, claim)) =
                    claims.iter().enumerate().nth(next.fetch_add(1, Ordering::SeqCst))
                {
                    let body = serde_json::to_string(claim).unwrap();
                    let Some(answer) = till.try_post("/v1/claims", &body) else { return };
                    let mut acknowledged = acknowledged.lock().unwrap();
                    assert_eq!(answer.status, 201, "{answer:?}");
                    acknowledged.insert(person, answer.text);
                    if acknowledged.len() == ACKNOWLEDGED {
                        child.lock().unwrap().kill().unwrap(); // SIGKILL, with others under way
                    }
                }
            });
        }
    });
    child.into_inner().unwrap().wait().unwrap();
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!((ACKNOWLEDGED..PEOPLE).contains(&acknowledged.len()), "{}", acknowledged.len());

    let (mut child, url) = start(&config);
    till.move_to(url);
    till.books();
    for (person, claim) in claims.iter().enumerate() {
        let answer = till.send(claim);
        match acknowledged.get(&person) {
            Some(first) => assert_eq!((answer.status, &answer.text), (200, first)),
            None => drop(answer.receipt()), // paid without an answer, or only now
        }
    }
    assert!((0..PEOPLE).all(|person| till.balance(to(person as u8).recipient) == SHARE));
    assert_eq!(till.books().transfers as usize, 2 + PEOPLE);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Some claims at once, more than there are cores, while the server or Postgres is killed; then all come again, and each is
/// paid once.
fn with_kills(rounds: usize) {
    const AT_ONCE: usize = 6;
    let mut cluster = Cluster::temporary(&mut rng()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let set = PublishedSet::of(AT_ONCE * rounds);
    let config = write_config(folder.path(), &cluster.database("killed").unwrap(), &set);
    let (mut child, url) = start(&config);
    let mut till = Till::new(url, set);
    till.open(0);
    for round in 0..rounds {
        let people = (round * AT_ONCE..).take(AT_ONCE);
        let claims: Vec<_> = people.map(|person| till.prove(person, 0, to(person as u8))).collect();
        let is_servers_turn = round % 2 == 0;
        let moment = Duration::from_millis(u64::from(rng().next_u32() % 40));
        let answers = std::thread::scope(|scope| {
            let send = |claim| till.try_post("/v1/claims", &serde_json::to_string(claim).unwrap());
            let sent: Vec<_> = claims.iter().map(|claim| scope.spawn(move || send(claim))).collect();
            std::thread::sleep(moment);
            if is_servers_turn {
                child.kill().unwrap(); // SIGKILL
            } else {
                cluster.crash();
            }
            sent.into_iter().map(|answer| answer.join().unwrap()).collect::<Vec<_>>()
        });
        if is_servers_turn {
            child.wait().unwrap();
            let (next, url) = start(&config);
            child = next;
            till.move_to(url);
        } else {
            cluster.resume().unwrap();
        }
        till.books();
        for (claim, answer) in claims.iter().zip(answers) {
            let again = till.send(claim);
            match answer {
                Some(first) if first.status == 201 => {
                    assert_eq!((again.status, again.text), (200, first.text), "round {round}");
                }
                Some(refused) if refused.status != 503 => panic!("round {round}: {refused:?}"),
                _ => drop(again.receipt()), // paid without an answer, or only now
            }
        }
        assert_eq!(till.books().transfers as usize, 2 + (round + 1) * AT_ONCE);
    }
    // People have 256 accounts between them.
    for account in 0..=u8::MAX {
        let owners = (0..rounds * AT_ONCE).filter(|person| *person as u8 == account).count();
        assert_eq!(till.balance(to(account).recipient), owners as u128 * SHARE, "account {account}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn whoever_is_killed_everybody_is_paid_once() {
    with_kills(6);
}

#[test]
#[ignore = "some minutes"]
fn whoever_is_killed_a_hundred_times_everybody_is_paid_once() {
    with_kills(100);
}
