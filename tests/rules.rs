//! The rules of the house (docs/architecture.md), read from `cargo metadata` and the tree itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// As this machine builds it: what only other platforms need was never downloaded.
static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    let options = ["--locked", "--offline", "--filter-platform", "host-tuple"].map(String::from);
    MetadataCommand::new().other_options(options).exec().unwrap()
});

/// Who may use whom among our own packages, directly (DESIGN section 3).
const ALLOWED: [(&str, &[&str]); 11] = [
    ("unum-iris", &[]),
    ("unum-identity", &[]),
    ("service", &["unum-identity"]),
    ("private-postgres", &[]),
    ("bench-kit", &["unum-identity", "circuits"]),
    ("orb-firmware", &["unum-iris", "unum-identity"]),
    (
        "enroll-server",
        &["unum-iris", "unum-identity", "service", "private-postgres", "bench-kit", "circuits"],
    ),
    ("circuits", &["unum-identity"]),
    ("wallet-sdk", &["unum-identity", "circuits"]),
    ("distribution", &["unum-identity", "service", "private-postgres", "bench-kit", "circuits"]),
    (
        "unum",
        &[
            "unum-iris",
            "unum-identity",
            "service",
            "private-postgres",
            "orb-firmware",
            "enroll-server",
            "circuits",
            "wallet-sdk",
            "distribution",
        ],
    ),
];

fn root() -> &'static Path {
    METADATA.workspace_root.as_std_path()
}

/// Normal and build dependencies of every package, by name.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeMap<_, _> = METADATA.packages.iter().map(|p| (&p.id, p.name.to_string())).collect();
    let nodes = &METADATA.resolve.as_ref().unwrap().nodes;
    let linked = |node: &cargo_metadata::Node| {
        let deps = node.deps.iter();
        let deps = deps.filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
        deps.map(|d| names[&d.pkg].clone()).collect()
    };
    nodes.iter().map(|node| (names[&node.id].clone(), linked(node))).collect()
}

/// Everything that `package` links.
fn closure(package: &str) -> BTreeSet<String> {
    let edges = edges();
    let (mut found, mut open) = (BTreeSet::new(), vec![package.to_owned()]);
    while let Some(package) = open.pop() {
        for next in &edges[&package] {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

#[test]
fn the_workspace_is_the_table() {
    let members: BTreeSet<_> = METADATA.workspace_packages().iter().map(|p| p.name.to_string()).collect();
    let table: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(members, table);
}

#[test]
fn packages_use_only_whom_they_may() {
    let edges = edges();
    for (package, allowed) in ALLOWED {
        let ours = edges[package].iter().filter(|name| ALLOWED.iter().any(|(ours, _)| ours == name));
        for used in ours {
            assert!(allowed.contains(&used.as_str()), "{package} must not use {used}");
        }
    }
}

#[test]
fn the_money_side_cannot_represent_a_biometric() {
    for package in ["service", "distribution", "wallet-sdk", "circuits"] {
        assert!(!closure(package).contains("unum-iris"), "{package} links unum-iris");
    }
}

#[test]
fn only_the_device_looks_at_images() {
    for (package, dependencies) in edges() {
        assert!(!dependencies.contains("opencv") || package == "orb-firmware", "{package} uses OpenCV");
    }
    for package in ["enroll-server", "distribution", "wallet-sdk", "circuits"] {
        assert!(!closure(package).contains("opencv"), "{package} links OpenCV");
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let line = manifest.lines().find(|line| line.starts_with("opencv = ")).unwrap();
    assert!(line.contains(r#"default-features = false, features = ["imgproc""#), "more than imgproc: {line}");
}

#[test]
fn the_pure_crates_link_no_runtime() {
    for package in ["unum-iris", "unum-identity", "circuits"] {
        for io in ["tokio", "ureq", "postgres", "tokio-postgres", "axum"] {
            assert!(!closure(package).contains(io), "{package} links {io}");
        }
    }
}

/// Every Rust file of ours with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> =
        METADATA.workspace_packages().iter().map(|p| p.manifest_path.with_file_name("src").into()).collect();
    open.push(root().join("tests"));
    open.extend(["src", "tests"].map(|folder| root().join("enroll-server/cluster").join(folder)));
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && path.file_name().unwrap() != "rules.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 50, "the tree was not found");
    found
}

/// Text without comments and doc comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[test]
fn unsafe_stands_only_in_the_kernels_and_the_memory_lock() {
    for (path, text) in sources() {
        let allowed = path.starts_with("protocol/iris/src") || path.starts_with("orb-firmware/src/memory");
        if code(&text).contains("unsafe {") || code(&text).contains("unsafe fn") {
            assert!(allowed, "unsafe in {}", path.display());
            assert!(text.contains("// SAFETY:"), "unsafe without a reason in {}", path.display());
        }
    }
}

#[test]
fn the_pure_crates_read_no_clock_and_no_hidden_randomness() {
    for (path, text) in sources() {
        let pure = ["protocol/identity/src", "protocol/iris/src", "circuits/src"];
        let below = |folder: &str| path.iter().any(|part| part == folder);
        let program = path.ends_with("main.rs") || below("bin") || below("command");
        let library = pure.iter().any(|folder| path.starts_with(folder)) && !program;
        let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
        if library && !path.ends_with("tests.rs") && !below("tests") {
            for forbidden in
                ["SystemTime::now", "Instant::now", "SysRng", "OsRng", "thread_rng", "from_entropy"]
            {
                assert!(!code(&text[..tests]).contains(forbidden), "{forbidden} in {}", path.display());
            }
        }
    }
}

#[test]
fn nothing_seeds_an_rng_from_a_clock() {
    for (path, text) in sources() {
        for line in code(&text).lines() {
            let seeds = line.contains("seed_from_u64") || line.contains("from_seed");
            let clock = line.contains("now(") || line.contains("elapsed");
            assert!(!(seeds && clock), "{}: {line}", path.display());
        }
    }
}

#[test]
fn modules_are_files_and_files_are_small() {
    for (path, text) in sources() {
        assert!(!path.ends_with("mod.rs"), "{}: name it after the module", path.display());
        let lines = text.lines().count();
        assert!(lines <= 600, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in sources() {
        let header = text.starts_with("//!") || path.ends_with("tests.rs");
        assert!(header, "{} does not say what it knows", path.display());
    }
}

#[test]
fn every_migration_explains_every_column() {
    let mut checked = 0;
    for service in ["enroll-server", "distribution"] {
        for entry in std::fs::read_dir(root().join(service).join("migrations")).unwrap().map(Result::unwrap) {
            let sql = std::fs::read_to_string(entry.path()).unwrap();
            for table in sql.split("CREATE TABLE").skip(1) {
                let body = table.split("\n);").next().unwrap();
                for line in
                    body.lines().skip(1).filter(|line| line.starts_with("    ") && !line.starts_with("     "))
                {
                    let constraint = ["UNIQUE", "PRIMARY", "CHECK", "FOREIGN", "--"];
                    if !constraint.iter().any(|word| line.trim_start().starts_with(word)) {
                        assert!(
                            line.contains("--"),
                            "{}: `{}` is not explained",
                            entry.path().display(),
                            line.trim()
                        );
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 20, "no migration was read");
}
