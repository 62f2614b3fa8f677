use std::sync::LazyLock;

use rand_core::UnwrapErr;

use super::*;

/// One key for all tests: making it takes a second.
pub(crate) static KEY: LazyLock<ProvingKey> =
    LazyLock::new(|| ProvingKey::generate(&mut UnwrapErr(getrandom::SysRng)));

#[test]
fn a_proving_key_survives_its_bytes() {
    let bytes = KEY.to_bytes();
    let read = ProvingKey::from_bytes(&bytes, &KEY.hash()).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    assert_eq!(read.0, KEY.0);
}

#[test]
fn a_verifying_key_survives_its_bytes() {
    let key = KEY.verifying_key();
    let read = VerifyingKey::from_bytes(&key.to_bytes()).unwrap();
    assert_eq!((&read, read.to_bytes().len()), (&key, 808));
    assert_eq!(read.hash(), key.hash());
}

#[test]
fn two_keys_differ() {
    assert_ne!(ProvingKey::generate(&mut UnwrapErr(getrandom::SysRng)).hash(), KEY.hash());
}

#[test]
fn a_damaged_proving_key_is_refused() {
    let (mut bytes, expected) = (KEY.to_bytes(), KEY.hash());
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let refusal = ProvingKey::from_bytes(&bytes, &expected).unwrap_err();
    assert!(matches!(refusal, KeyError::OtherKey { expected: e, .. } if e == expected));
    bytes.truncate(last);
    assert!(matches!(ProvingKey::from_bytes(&bytes, &expected), Err(KeyError::OtherKey { .. })));
    // Cut off, but with the hash to fit: still no key.
    assert!(matches!(ProvingKey::from_bytes(&bytes, &hash(&bytes)), Err(KeyError::NotAKey)));
    let longer = [KEY.to_bytes(), vec![0]].concat();
    assert!(matches!(ProvingKey::from_bytes(&longer, &hash(&longer)), Err(KeyError::NotAKey)));
}

#[test]
fn a_proving_key_of_another_size_is_refused() {
    let shorter: [fn(&mut ProvingKey); 5] = [
        |key| key.0.a_query.truncate(7),
        |key| key.0.b_g1_query.truncate(7),
        |key| key.0.b_g2_query.truncate(7),
        |key| key.0.l_query.truncate(7),
        |key| key.0.h_query.truncate(7),
    ];
    for shorten in shorter {
        let mut key = KEY.clone();
        shorten(&mut key);
        let bytes = key.to_bytes();
        assert!(matches!(ProvingKey::from_bytes(&bytes, &hash(&bytes)), Err(KeyError::OtherCircuit)));
    }
}

#[test]
fn keys_of_another_kind_version_or_circuit_are_refused() {
    let (proving, verifying) = (KEY.to_bytes(), KEY.verifying_key().to_bytes());
    assert_eq!(VerifyingKey::from_bytes(&proving), Err(KeyError::NotAKey));
    assert!(matches!(ProvingKey::from_bytes(&verifying, &KEY.hash()), Err(KeyError::NotAKey)));
    assert_eq!(VerifyingKey::from_bytes(&[]), Err(KeyError::NotAKey));
    let with_byte = |at: usize, to: u8| {
        let mut bytes = verifying.clone();
        bytes[at] = to;
        VerifyingKey::from_bytes(&bytes)
    };
    assert_eq!(with_byte(7, 2), Err(KeyError::NotAKey), "version 2");
    assert_eq!(with_byte(8, verifying[8] ^ 1), Err(KeyError::OtherCircuit));
    assert_eq!(with_byte(100, verifying[100] ^ 1), Err(KeyError::NotAKey), "a point off the curve");
}

/// arkworks reads as many inputs as the key has points for: a shorter key must not leave inputs unread.
#[test]
fn a_verifying_key_has_one_point_for_each_input() {
    let bytes = KEY.verifying_key().to_bytes();
    assert_eq!(VerifyingKey::from_bytes(&bytes[..bytes.len() - 64]), Err(KeyError::NotAKey));
    let longer = [&bytes[..], &bytes[bytes.len() - 64..]].concat();
    assert_eq!(VerifyingKey::from_bytes(&longer), Err(KeyError::NotAKey));
}
