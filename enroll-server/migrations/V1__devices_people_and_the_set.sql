-- Everything the enrollment server must not lose. Caches of it live in memory and are rebuilt from here.
--
-- Times come from the server's clock, never from now(): the code that decides by a time is the code that reads it.

-- Devices that may enroll people. Rows are never deleted: old leaves are checked against old keys.
CREATE TABLE devices (
    device        BYTEA PRIMARY KEY CHECK (octet_length(device) = 16), -- chosen by whoever provisions the device
    public_key    BYTEA NOT NULL CHECK (octet_length(public_key) = 33), -- P-256, compressed SEC1 point
    label         TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 64), -- what operators call it; published with the set
    registered_at TIMESTAMPTZ NOT NULL,                                -- by an operator; the order in which devices are listed
    revoked_at    TIMESTAMPTZ,                                         -- from then on nothing it signs is accepted
    last_counter  BIGINT CHECK (last_counter >= 0)                     -- highest counter of any envelope; null before the first
);

-- Nonces given out. A row is kept for an hour beyond its end, so that a late device hears "expired" and not
-- "unknown", and is then deleted: it says when somebody stood before a device.
CREATE TABLE sessions (
    nonce      BYTEA PRIMARY KEY CHECK (octet_length(nonce) = 32), -- random
    device     BYTEA NOT NULL REFERENCES devices (device),         -- the only device that may use it
    expires_at TIMESTAMPTZ NOT NULL,                               -- not accepted from this moment on
    used       BOOLEAN NOT NULL DEFAULT FALSE                      -- set by the first envelope, whatever became of it
);
CREATE INDEX sessions_by_end ON sessions (expires_at);             -- for the clean-up

-- The eyes of everyone enrolled, readable only with the template key, which is not in this database.
CREATE TABLE templates (
    seq        BIGINT PRIMARY KEY CHECK (seq >= 1), -- order of arrival without gaps: a scan proves by it that nobody was left out
    nonce      BYTEA NOT NULL CHECK (octet_length(nonce) = 24), -- of XChaCha20-Poly1305; random, so it also tells two databases apart
    ciphertext BYTEA NOT NULL                       -- commitment, consent version, both eyes; bound to seq as associated data
);
-- Deliberately absent: commitment, leaf, device, time. Which leaf these eyes have stands inside the ciphertext, for
-- recovery; the row as such leads nowhere. See docs/decisions/0002-person-and-leaf.md.

-- Commitments accepted into the set, in leaf order. Append-only: the triggers below refuse anything else.
CREATE TABLE leaves (
    leaf_index  BIGINT PRIMARY KEY CHECK (leaf_index >= 0),     -- position in the tree, no gaps
    commitment  BYTEA NOT NULL UNIQUE CHECK (octet_length(commitment) = 32), -- field element, canonical, big-endian
    device      BYTEA NOT NULL REFERENCES devices (device),     -- who vouched for it
    signature   BYTEA NOT NULL CHECK (octet_length(signature) = 64), -- its ECDSA signature over device and commitment
    accepted_at TIMESTAMPTZ NOT NULL                            -- rounded down to the hour: finer would link it to a visit
);
-- Deliberately absent: person, template, session. Nothing here may lead back to an eye.

-- Roots of the set, one for each size it has had. Written together with the leaf that made them.
CREATE TABLE roots (
    root        BYTEA PRIMARY KEY CHECK (octet_length(root) = 32), -- field element, canonical, big-endian
    size        BIGINT NOT NULL UNIQUE CHECK (size >= 0),          -- leaves under it
    replaced_at TIMESTAMPTZ                                        -- when the next leaf came, rounded up to the hour (see accepted_at); null while current
);

-- People whose eyes disagree: one known, one not. An operator decides. None of them is in the set.
CREATE TABLE reviews (
    commitment      BYTEA PRIMARY KEY CHECK (octet_length(commitment) = 32), -- the leaf asked for; asking again adds no second case
    device          BYTEA NOT NULL REFERENCES devices (device),              -- who asked for it
    leaf_signature  BYTEA NOT NULL CHECK (octet_length(leaf_signature) = 64), -- its signature, needed if the operator admits the person
    firmware        BYTEA NOT NULL CHECK (octet_length(firmware) = 32),      -- measurement of the device's firmware
    consent_version INTEGER NOT NULL,                                        -- the text the person agreed to (unsigned, stored as its 32 bits)
    report          BYTEA NOT NULL,                                          -- the device's capture report, CBOR
    received_at     TIMESTAMPTZ NOT NULL,                                    -- rounded down to the hour
    nonce           BYTEA NOT NULL CHECK (octet_length(nonce) = 24),         -- of XChaCha20-Poly1305
    ciphertext      BYTEA NOT NULL                                           -- as in templates, bound to the commitment instead of a seq
);
-- A case ends, and its row goes, when the same commitment is enrolled after all.

-- Nullifiers that apps have consumed through POST /v1/verify.
CREATE TABLE nullifiers (
    scope     BYTEA NOT NULL CHECK (octet_length(scope) = 32),     -- external nullifier: hash of app and action
    nullifier BYTEA NOT NULL CHECK (octet_length(nullifier) = 32), -- field element, canonical, big-endian
    used_at   TIMESTAMPTZ NOT NULL,                                -- first and only use
    PRIMARY KEY (scope, nullifier)                                 -- consuming is inserting: a second time is impossible
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON leaves FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON leaves EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON nullifiers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON nullifiers EXECUTE FUNCTION refuse_change();

-- A leaf must come right after the last one. Enrollments hold an advisory lock, so this is a second guard.
CREATE FUNCTION refuse_gap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.leaf_index <> (SELECT coalesce(max(leaf_index) + 1, 0) FROM leaves) THEN
        RAISE EXCEPTION 'leaf % does not follow the last one', NEW.leaf_index;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER no_gap BEFORE INSERT ON leaves FOR EACH ROW EXECUTE FUNCTION refuse_gap();
