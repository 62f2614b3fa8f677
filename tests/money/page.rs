//! The page of a programme, as people see it: the numbers without a script, the pictures in a real browser.

use std::process::Command;

use distribution::Transition;
use image::Rgb;
use unum_identity::programme::ProgrammeTerms;

use super::bank::{Bank, PERIOD_SECONDS, SHARE, START, terms, to};

/// Three people: two of them claimed in period 0, which is sealed, one in period 1, which is open.
fn bank() -> Bank {
    let bank = Bank::with_people(3);
    bank.open(0);
    for person in [0, 1] {
        bank.send(&bank.prove(person, 0, to(person as u8))).receipt();
    }
    bank.set_time(START + 2 * PERIOD_SECONDS);
    for step in [Transition::Close, Transition::Seal] {
        bank.advance(0, step).unwrap();
    }
    bank.open(1);
    bank.send(&bank.prove(2, 1, to(2))).receipt();
    bank.set_time(START + 2 * PERIOD_SECONDS + 600);
    bank.deposit("more", 5 * SHARE);
    bank
}

/// The text between tags, a space for each tag.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    for part in page.split('<').skip(1) {
        text.push(' ');
        text.push_str(part.split_once('>').unwrap().1);
    }
    text.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_has_the_numbers_of_the_ledger() {
    let bank = bank();
    let page = bank.get(&format!("/programmes/{}", bank.programme().id));
    assert_eq!((page.status, page.content_type.as_str()), (200, "text/html; charset=utf-8"));
    let text = text_of(&page.text);
    for expected in [
        "10.00 UNM for each person, every hour, to be claimed within 2 hours.",
        "Period 1, open",
        "people eligible 3 have claimed 1 paid 10.00 UNM to be claimed 20.00 UNM",
        "1 2023-11-14 23:13 UTC 2023-11-15 01:13 UTC open 3 1 10.00 0.00 20.00",
        "0 2023-11-14 22:13 UTC 2023-11-15 00:13 UTC sealed 3 2 20.00 10.00 0.00",
        "What no period has put aside: 60.00 UNM .", // 10 came back, 50 are new
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(
        !page.text.contains("<script") && !page.text.contains("style=\""),
        "nothing that the policy forbids"
    );
    for svg in page.text.split("<svg").skip(1) {
        assert!(svg.contains("role=\"img\"") && svg.contains("<title"), "a picture says what it shows");
    }
}

#[test]
fn names_are_text_and_what_is_not_there_is_said() {
    let bank = Bank::with_people(1);
    let root = || bank.get("/");
    assert!(text_of(&root().text).contains("There is none yet."));
    let name = "<script>alert(\"1\")</script> & more";
    let made = bank.operator.create_programme(&ProgrammeTerms { name: name.into(), ..terms() }).unwrap();
    let page = bank.get(&format!("/programmes/{}", made.id));
    for page in [root(), page] {
        assert!(!page.text.contains("<script") && page.text.contains("&lt;script&gt;"), "{}", page.text);
    }
    bank.get(&format!("/programmes/{}", "0".repeat(32))).refused(404, "programme_unknown");
    bank.get("/programmes/nothing").refused(400, "path_invalid");
    assert_eq!(bank.get("/style.css").content_type, "text/css; charset=utf-8");
}

/// What Chromium makes of the page.
fn picture(url: &str, width: u32, folder: &std::path::Path) -> image::RgbImage {
    let file = folder.join(format!("{width}.png"));
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--window-size={width},1400"))
        .arg(format!("--screenshot={}", file.display()))
        .arg(url)
        .output()
        .expect("Chromium is installed: scripts/install-dependencies nightly");
    assert!(output.status.success(), "{output:?}");
    image::open(file).unwrap().into_rgb8()
}

#[test]
#[ignore = "needs Chromium"]
fn a_browser_shows_it() {
    let bank = bank();
    let folder = tempfile::tempdir().unwrap();
    let url = bank.url(&format!("/programmes/{}", bank.programme().id));
    for width in [500, 1200] {
        let picture = picture(&url, width, folder.path());
        let of = |color: [u8; 3]| picture.pixels().filter(|pixel| **pixel == Rgb(color)).count() as f64;
        // Of six shares three were claimed: as much of the bars is dark as light. Lines and keys are of these colours too.
        let (claimed, eligible) = (of([0x0a, 0x6e, 0x4f]), of([0xa9, 0xd8, 0xc6]));
        assert!(claimed > 3000.0 && eligible > 3000.0, "{width}: {claimed}, {eligible}");
        assert!((0.8..1.6).contains(&(claimed / eligible)), "{width}: {claimed}, {eligible}");
        let edge = (0..picture.height()).all(|y| *picture.get_pixel(width - 1, y) == Rgb([255; 3]));
        assert!(edge, "{width}: something reaches beyond the page");
        if let Some(kept) = std::env::var_os("UNUM_PICTURES") {
            picture.save(std::path::Path::new(&kept).join(format!("programme-{width}.png"))).unwrap();
        }
    }
}
