//! The statement's twin in circom, with circomlib's Poseidon, against our circuit: both accept the same values and
//! refuse the same ones.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use circuits::{CheckError, Private, Public, check};
use serde_json::{Value, json};
use unum_identity::field::{ExternalNullifier, FieldElement, Nullifier, Root, SignalHash};
use unum_identity::secret::Identity;
use unum_identity::set::{DEPTH, MerklePath, Step};

use crate::assignment::{RELATION, assign};
use crate::node::{program, run, succeed, tools};
use crate::statements::statement;

/// The twin, compiled.
struct Twin {
    folder: tempfile::TempDir,
    /// Number of each wire by its name.
    wires: HashMap<String, usize>,
}

/// A folder with the twin and what it includes: the compiler opens only what lies below its working folder.
fn twin_source() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("circomlib/circuits");
    fs::create_dir_all(&library).unwrap();
    for name in ["poseidon.circom", "poseidon_constants.circom"] {
        fs::copy(tools().join("node_modules/circomlib/circuits").join(name), library.join(name)).unwrap();
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("circom/membership.circom");
    fs::copy(source, folder.path().join("membership.circom")).unwrap();
    folder
}

static TWIN: LazyLock<Twin> = LazyLock::new(|| {
    let folder = twin_source();
    let at = folder.path();
    // Not simplified: every signal keeps its wire.
    succeed(program("circom2", at).args(["membership.circom", "--r1cs", "--wasm", "--sym", "--O0"]));
    let symbols = fs::read_to_string(at.join("membership.sym")).unwrap();
    let wire = |line: &str| {
        let [_, wire, _, name] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        Some((name.strip_prefix("main.")?.to_owned(), wire.parse().ok()?)) // −1: no wire
    };
    Twin { wires: symbols.lines().filter_map(wire).collect(), folder }
});

impl Twin {
    /// The witness that circom computes; none if a constraint refuses.
    fn witness(&self, inputs: &Value) -> Option<Witness> {
        let run_folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let at = run_folder.path();
        fs::write(at.join("input.json"), inputs.to_string()).unwrap();
        let mut node = Command::new("node");
        node.current_dir(at)
            .args(["../membership_js/generate_witness.js", "../membership_js/membership.wasm"]);
        let (accepted, said) = run(node.args(["input.json", "witness.wtns"]));
        if !accepted {
            assert!(said.contains("Assert Failed"), "refused by a constraint, not by accident: {said}");
            return None;
        }
        succeed(program("snarkjs", at).args(["wtns", "check", "../membership.r1cs", "witness.wtns"]));
        succeed(program("snarkjs", at).args(["wtns", "export", "json", "witness.wtns", "witness.json"]));
        let text = fs::read_to_string(at.join("witness.json")).unwrap();
        let values: Vec<String> = serde_json::from_str(&text).unwrap();
        Some(Witness { values: values.iter().map(|value| value.parse().unwrap()).collect() })
    }
}

struct Witness {
    values: Vec<Fr>,
}

impl Witness {
    fn at(&self, name: &str) -> FieldElement {
        self.values[TWIN.wires[name]].into()
    }

    /// The statement that its wires make, for our circuit.
    fn statement(&self) -> (Public, Private) {
        let public = Public {
            root: Root(self.at("root")),
            nullifier: Nullifier(self.at("nullifier")),
            signal_hash: SignalHash(self.at("signal_hash")),
            external_nullifier: ExternalNullifier(self.at("external_nullifier")),
        };
        let steps = (0..DEPTH).map(|level| {
            let sibling = self.at(&format!("sibling[{level}]"));
            let is_right = self.at(&format!("is_right[{level}]"));
            if is_right == 1.into() { Step::Right(sibling) } else { Step::Left(sibling) }
        });
        let identity = Identity::from_parts(self.at("nullifier_key"), self.at("trapdoor"));
        (public, Private { identity, path: MerklePath::try_from(steps.collect::<Vec<_>>()).unwrap() })
    }
}

fn decimal(element: FieldElement) -> Value {
    Fr::from(element).into_bigint().to_string().into()
}

/// What the twin is told of a statement.
fn inputs(public: &Public, private: &Private) -> Value {
    let mut inputs = json!({
        "nullifier_key": decimal(private.identity.nullifier_key()),
        "trapdoor": decimal(private.identity.trapdoor()),
        "is_right": private.path.steps().map(|step| u8::from(step.is_right())),
        "sibling": private.path.steps().map(|step| decimal(step.sibling())),
    });
    for (name, value) in Public::names().into_iter().zip(public.to_inputs()) {
        inputs[name] = decimal(value.into());
    }
    inputs
}

/// A path through siblings that nobody put into a set, in any directions.
fn wild_statement(seed: u64) -> (Public, Private) {
    let (mut public, mut private) = statement(0, 1);
    let steps = (0..DEPTH as u64).map(|level| {
        let sibling = unum_identity::poseidon::hash2(seed.into(), level.into());
        if (seed >> (level % 8)) & 1 == 1 { Step::Right(sibling) } else { Step::Left(sibling) }
    });
    private.path = MerklePath::try_from(steps.collect::<Vec<_>>()).unwrap();
    public.root = private.path.root(private.identity.commitment());
    (public, private)
}

#[test]
#[ignore = "needs Node and npm"]
fn the_twin_accepts_our_witnesses_and_we_accept_its() {
    for (public, private) in
        [statement(3, 9), statement(0, 1), wild_statement(0b1010_0110), wild_statement(255)]
    {
        let witness = TWIN.witness(&inputs(&public, &private)).expect("a true statement");
        // Its first wires are the constant 1 and the public inputs in our order.
        assert_eq!(witness.values[..5], [&[Fr::from(1)], &public.to_inputs()[..]].concat());
        // What it computed on the way is what we compute.
        assert_eq!(witness.at("node[0]"), private.identity.commitment().0);
        assert_eq!(witness.at("own_nullifier"), public.nullifier.0);
        assert_eq!(witness.at("node[30]"), public.root.0);

        let (read, read_private) = witness.statement();
        assert_eq!((read, check(&read, &read_private)), (public, Ok(())));
        assert!(RELATION.is_satisfied(&assign(&read, &read_private)));
    }
}

/// Each input changed alone: `check`, our circuit and the twin all refuse.
#[test]
#[ignore = "needs Node and npm"]
fn all_judges_refuse_the_same() {
    let (public, private) = statement(3, 9);
    let one: FieldElement = 1.into();
    let identity =
        |key, trapdoor| Private { identity: Identity::from_parts(key, trapdoor), ..private.clone() };
    let step_changed = |change: fn(Step) -> Step| {
        let mut steps = Vec::from(private.path.clone());
        steps[7] = change(steps[7]);
        Private { path: MerklePath::try_from(steps).unwrap(), ..private.clone() }
    };
    let turned = step_changed(|step| match step {
        Step::Left(sibling) => Step::Right(sibling),
        Step::Right(sibling) => Step::Left(sibling),
    });
    let (key, trapdoor) = (private.identity.nullifier_key(), private.identity.trapdoor());
    for (public, private, why) in [
        (Public { root: Root(one), ..public }, private.clone(), CheckError::NotUnderRoot),
        (Public { nullifier: Nullifier(one), ..public }, private.clone(), CheckError::OtherNullifier),
        (
            Public { external_nullifier: ExternalNullifier(one), ..public },
            private.clone(),
            CheckError::OtherNullifier,
        ),
        (public, identity(one, trapdoor), CheckError::NotUnderRoot),
        (public, identity(key, one), CheckError::NotUnderRoot),
        (public, turned, CheckError::NotUnderRoot),
        (public, step_changed(|_| Step::Left(1.into())), CheckError::NotUnderRoot),
    ] {
        assert_eq!(check(&public, &private), Err(why));
        assert!(!RELATION.is_satisfied(&assign(&public, &private)));
        assert!(TWIN.witness(&inputs(&public, &private)).is_none(), "{why}");
    }
}

/// A direction that is no bit cannot be said in our types; the twin refuses it by the constraint that ours has too.
#[test]
#[ignore = "needs Node and npm"]
fn the_twin_refuses_a_bit_that_is_none() {
    let (public, private) = statement(3, 9);
    let mut inputs = inputs(&public, &private);
    inputs["is_right"][4] = 2.into();
    assert!(TWIN.witness(&inputs).is_none());
}
