//! The client against a socket that behaves badly on purpose. How it gets on with the real server is tested where both
//! are at hand, in the system tests.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use unum_identity::envelope::Purpose;

use super::*;

/// What the socket does with one connection.
enum Act {
    /// Reads the request and hangs up.
    HangUp,
    /// Reads the request and answers: status, JSON.
    Answer(u16, String),
}

/// Serves one connection an act, then returns the requests as it read them.
fn serve(acts: Vec<Act>) -> (Client, JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let client = Client { pauses: &[Duration::ZERO; 2], ..client };
    let play = move |act| {
        let (mut stream, _) = listener.accept().unwrap();
        let request = request(&mut stream);
        if let Act::Answer(status, body) = act {
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
        request
    };
    (client, std::thread::spawn(move || acts.into_iter().map(play).collect()))
}

fn request(stream: &mut TcpStream) -> Vec<u8> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the client hung up in the middle of its request");
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |digits| digits.trim().parse().unwrap());
        let start = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        if bytes.len() >= start + length {
            return bytes;
        }
    }
}

fn problem(status: u16, code: &str) -> Act {
    Act::Answer(status, format!(r#"{{"status":{status},"code":"{code}"}}"#))
}

fn enroll(acts: Vec<Act>) -> (Result<Outcome, ClientError>, Vec<String>) {
    let (client, server) = serve(acts);
    let outcome = client.submit(Purpose::Enroll, b"envelope");
    let first_line =
        |request: Vec<u8>| String::from_utf8(request).unwrap().lines().next().unwrap().to_owned();
    (outcome, server.join().unwrap().into_iter().map(first_line).collect())
}

const POST: &str = "POST /v1/enrollments HTTP/1.1";

#[test]
fn the_envelope_travels_with_its_media_type_and_untouched() {
    let (client, server) = serve(vec![Act::Answer(202, r#"{"outcome":"review"}"#.into())]);
    assert_eq!(client.submit(Purpose::Enroll, b"envelope\r\n").unwrap(), Outcome::Review);
    let request = String::from_utf8(server.join().unwrap().remove(0)).unwrap();
    assert!(request.contains("content-type: application/cose; cose-type=\"cose-sign1\"\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nenvelope\r\n"), "{request}");
}

#[test]
fn a_refusal_is_an_outcome_with_its_code() {
    let (outcome, _) = enroll(vec![problem(409, "duplicate")]);
    assert_eq!(outcome.unwrap(), Outcome::Refused(Problem::new(409, "duplicate")));
}

fn review() -> Act {
    Act::Answer(202, r#"{"outcome":"review"}"#.into())
}

#[test]
fn the_same_envelope_is_sent_again_until_there_is_an_answer() {
    for acts in [vec![Act::HangUp], vec![problem(503, "unavailable"), Act::HangUp]] {
        let sent = acts.len() + 1;
        let (outcome, requests) = enroll(acts.into_iter().chain([review()]).collect());
        assert_eq!(outcome.unwrap(), Outcome::Review);
        assert_eq!(requests, vec![POST; sent]);
    }
}

#[test]
fn a_refusal_after_a_broken_connection_is_a_refusal() {
    let (outcome, requests) = enroll(vec![Act::HangUp, problem(409, "nonce_used")]);
    assert_eq!(outcome.unwrap(), Outcome::Refused(Problem::new(409, "nonce_used")));
    assert_eq!(requests, [POST, POST]);
}

#[test]
fn a_server_in_trouble_is_unavailable_and_other_answers_are_not_believed() {
    let (outcome, requests) =
        enroll(vec![Act::HangUp, problem(503, "unavailable"), problem(500, "internal")]);
    assert!(matches!(outcome, Err(ClientError::Unavailable(_))), "{outcome:?}");
    assert_eq!(requests, [POST; 3], "and then it gives up");
    for (status, body) in [(200, "<html>"), (201, r#"{"outcome":"enrolled"}"#), (404, "not here"), (302, "")]
    {
        let (outcome, _) = enroll(vec![Act::Answer(status, body.into())]);
        assert!(matches!(outcome, Err(ClientError::Unexpected { .. })), "{outcome:?}");
    }
}

#[test]
fn a_session_is_read_and_an_unknown_device_told_so() {
    let (nonce, key) = ("11".repeat(32), "22".repeat(32));
    let body = format!(r#"{{"nonce":"{nonce}","expires_at":120,"sealing_key":"{key}","consent_version":1}}"#);
    let (client, server) = serve(vec![Act::Answer(201, body), problem(401, "device_unknown")]);
    let device = DeviceId([7; 16]);
    assert_eq!(client.session(device).unwrap().consent_version, 1);
    let refused = client.session(device).unwrap_err();
    assert!(matches!(refused, ClientError::Refused(problem) if problem.code == "device_unknown"));
    let request = String::from_utf8(server.join().unwrap().remove(0)).unwrap();
    let body: SessionRequest = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body, SessionRequest { device });
}

#[test]
fn nobody_listening_is_unavailable() {
    let client = Client::new("http://127.0.0.1:1").unwrap(); // port 1 is reserved and unused
    assert!(matches!(client.session(DeviceId([7; 16])), Err(ClientError::Unavailable(_))));
}

#[test]
fn clear_text_stays_on_this_machine() {
    for good in [
        "https://enroll.example.org",
        "https://e.org/base/",
        "http://127.0.0.1:80",
        "http://[::1]:9",
        "http://localhost",
    ] {
        assert!(Client::new(good).is_ok(), "{good}");
    }
    for bad in [
        "http://enroll.example.org",
        "http://10.0.0.1",
        "enroll.example.org",
        "ftp://localhost",
        "",
        "https://e.org/?q",
    ] {
        assert!(matches!(Client::new(bad), Err(ClientError::Address { .. })), "{bad}");
    }
}
