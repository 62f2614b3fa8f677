use proptest::prelude::*;

use super::*;
use crate::Blocks;
use crate::distance::{Distance, closest_rotation, distance};
use crate::template::tests::words;

/// What `count` has to give, by the definition.
fn expected(what: What, probe: &Template, gallery: &Template, step: usize) -> u16 {
    let turned = probe.rotated(*ROTATIONS.end() - step as i32);
    let found = distance(&turned, gallery, 0);
    found.map_or(0, |found| match what {
        What::Differing => found.differing() as u16,
        What::Compared => found.compared() as u16,
    })
}

/// Any mask: empty, full, lids of any height over a grid of visible bits.
fn mask() -> impl Strategy<Value = [u64; COLUMNS]> {
    prop_oneof![
        1 => Just([0; COLUMNS]),
        2 => Just([u64::MAX; COLUMNS]),
        3 => words(),
        3 => (words(), words()).prop_map(|(a, b)| std::array::from_fn(|i| a[i] | b[i])),
        2 => (0..=COLUMNS, 0..COLUMNS).prop_map(|(open, from)| {
            let mut mask = [0; COLUMNS];
            mask[..open].fill(u64::MAX);
            mask.rotate_right(from);
            mask
        }),
    ]
}

fn template() -> impl Strategy<Value = Template> {
    (words(), mask()).prop_map(|(code, mask)| Template::from_columns(&code, &mask))
}

/// An eye that resembles `eye`: some columns are another's, and it is tilted.
fn like(eye: &Template) -> impl Strategy<Value = Template> + use<> {
    let eye = eye.clone();
    (words(), mask(), 0..=COLUMNS, -17..=17_i32).prop_map(move |(other, mask, columns, tilt)| {
        let mut code = *eye.code();
        code[..columns].copy_from_slice(&other[..columns]);
        Template::from_columns(&code, &mask).rotated(tilt)
    })
}

fn person() -> impl Strategy<Value = EyePair> {
    (prop::option::weighted(0.9, template()), prop::option::weighted(0.9, template()))
        .prop_filter_map("no eye", |(left, right)| EyePair::new(left, right).ok())
}

/// Somebody like `person`, or a stranger; in any orientation.
fn query(person: &EyePair) -> impl Strategy<Value = EyePair> + use<> {
    let blank = Template::from_columns(&[0; COLUMNS], &[0; COLUMNS]);
    let like = |eye: Option<&Template>| {
        prop::option::weighted(0.9, prop_oneof![3 => like(eye.unwrap_or(&blank)), 1 => template()])
    };
    (like(person.left()), like(person.right()), 0..ORIENTATIONS).prop_filter_map(
        "no eye",
        |(left, right, turn)| {
            let eyes = EyePair::new(left, right).ok()?;
            Some(eyes.orientations()[turn].clone())
        },
    )
}

/// Everyone of a block, one after the other, by the definition.
fn by_definition(people: &[EyePair], queries: &[&Query], thresholds: Thresholds) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (query, Query { orientations, .. }) in queries.iter().enumerate() {
        for (place, person) in people.iter().enumerate() {
            let outcome = verdict(orientations, person, thresholds);
            if outcome != Ok(Verdict::Unique) {
                hits.push(Hit { query, place, outcome });
            }
        }
    }
    hits
}

fn block(people: &[EyePair]) -> Blocks {
    let mut blocks = Blocks::empty(1);
    for (place, person) in people.iter().enumerate() {
        blocks[0].put(place, person);
    }
    blocks
}

fn hits(kernel: Kernel, block: &Block, queries: &[&Query], thresholds: Thresholds) -> Vec<Hit> {
    let mut hits = Vec::new();
    kernel.scan(block, queries, thresholds, |hit| hits.push(hit));
    hits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_kernel_counts_as_the_definition_at_all_rotations(
        eyes in prop::collection::vec(template(), BLOCK_PEOPLE), probe in template(),
    ) {
        let people: Vec<_> = eyes.iter().map(|eye| EyePair::new(Some(eye.clone()), None).unwrap()).collect();
        let block = block(&people);
        for what in [What::Differing, What::Compared] {
            for kernel in Kernel::available() {
                let mut tally = Tally::ZERO;
                (kernel.count)(block[0].eyes(0), &Probe::new(&probe).columns, what, &mut tally);
                for (step, row) in tally.0.iter().enumerate() {
                    for (place, &count) in row.iter().enumerate() {
                        let expected = expected(what, &probe, &eyes[place], step);
                        prop_assert_eq!(count, expected, "{:?} {:?} {} {}", kernel, what, step, place);
                    }
                }
            }
        }
    }

    #[test]
    fn every_kernel_finds_whom_the_definition_finds(
        (people, queries) in prop::collection::vec(person(), 1..=BLOCK_PEOPLE).prop_flat_map(|people| {
            let queries: Vec<_> = people.iter().take(5).map(query).collect();
            (Just(people), queries)
        }),
        fused in 0_u16..5000, single in 0_u16..5000,
    ) {
        let [fused, single] = [fused, single].map(|limit| Limit::new(limit).unwrap());
        let block = block(&people);
        let queries: Vec<_> = queries.iter().map(Query::new).collect();
        let queries: Vec<_> = queries.iter().collect();
        let any = |measure| [Thresholds { fused, single, ..Thresholds::of(measure) }, Thresholds::of(measure)];
        for thresholds in [Measure::Plain, Measure::Normalised].into_iter().flat_map(any) {
            let expected = by_definition(&people, &queries, thresholds);
            for kernel in Kernel::available() {
                prop_assert_eq!(hits(kernel, &block[0], &queries, thresholds), &expected[..], "{:?}", kernel);
            }
        }
    }

    #[test]
    fn people_come_back_out_of_a_block(people in prop::collection::vec(person(), 1..=BLOCK_PEOPLE)) {
        let mut block = block(&people);
        prop_assert_eq!(block[0].people(), people.len());
        for (place, person) in people.iter().enumerate() {
            prop_assert!(block[0].person(place).as_ref() == Some(person));
        }
        for place in 0..people.len() {
            block[0].clear(place);
        }
        prop_assert!(block.as_bytes().iter().all(|&byte| byte == 0));
    }
}

fn eye(seed: u64) -> Template {
    let code = std::array::from_fn(|i| {
        (seed * 1000 + i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).swap_bytes()
    });
    Template::from_columns(&code, &[u64::MAX; COLUMNS])
}

/// Both eyes, of which only `open` columns are visible.
fn half_open(seed: u64, open: std::ops::Range<usize>) -> EyePair {
    let mask = std::array::from_fn(|column| if open.contains(&column) { u64::MAX } else { 0 });
    let eye = |seed| Some(Template::from_columns(eye(seed).code(), &mask));
    EyePair::new(eye(2 * seed), eye(2 * seed + 1)).unwrap()
}

#[track_caller]
fn check(person: &EyePair, query: &EyePair, expected: Option<Result<Verdict, DistanceError>>) {
    let block = block(std::slice::from_ref(person));
    for kernel in Kernel::available() {
        let found = hits(kernel, &block[0], &[&Query::new(query)], Thresholds::default());
        assert_eq!(found.first().map(|hit| hit.outcome), expected, "{kernel:?}");
    }
}

#[test]
fn nothing_in_common_is_too_little_overlap_and_never_unique() {
    let refused = |compared| Some(Err(DistanceError::TooLittleOverlap { compared, needed: MIN_COMPARED }));
    check(&half_open(1, 0..100), &half_open(2, 120..240), refused(0)); // 15 rotations do not bring them together
    check(&half_open(1, 0..100), &half_open(2, 100..200), refused(15 * 64));
    check(&half_open(1, 0..0), &half_open(2, 0..256), refused(0));
    check(&half_open(1, 0..256), &half_open(2, 0..256), None);
    check(&half_open(1, 0..256), &half_open(1, 0..256), Some(Ok(Verdict::Duplicate)));
}

#[test]
fn limits_are_exact() {
    // Of 16,384 bits in each eye 3,400 / 10,000 are 5,570.56: one bit more and nobody is alike.
    let person = half_open(1, 0..256);
    let flipped = |bits: u32| {
        let flip = |eye: &Template| {
            let mut code = *eye.code();
            for bit in 0..bits as usize {
                code[bit % COLUMNS] ^= 1 << (bit / COLUMNS);
            }
            Some(Template::from_columns(&code, eye.mask()))
        };
        EyePair::new(flip(person.left().unwrap()), flip(person.right().unwrap())).unwrap()
    };
    check(&person, &flipped(5570), Some(Ok(Verdict::Duplicate)));
    check(&person, &flipped(5571), None);
    let found =
        closest_rotation(flipped(5571).left().unwrap(), person.left().unwrap(), MIN_COMPARED, Measure::Plain);
    assert_eq!(found, Ok(Distance::new(5571, BITS).unwrap()));
}

#[test]
fn debug_shows_nothing() {
    let eyes = half_open(1, 0..256);
    assert_eq!(
        format!("{:?} {:?}", &block(std::slice::from_ref(&eyes))[0], Query::new(&eyes)),
        "Block Query"
    );
}
