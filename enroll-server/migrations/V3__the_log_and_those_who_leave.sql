-- Leaves change: whoever lost their wallet recovers, and whoever wants to leaves. So the log is one of events now, and
-- the set is what follows from it. Append-only: the triggers below refuse anything else.
CREATE TABLE log (
    number      BIGINT PRIMARY KEY CHECK (number >= 0),          -- order of events, no gaps; a size of the set is how many there are
    event       TEXT NOT NULL CHECK (event IN ('enrolled', 'replaced', 'removed')), -- a leaf came; has another commitment; is empty
    leaf_index  BIGINT NOT NULL CHECK (leaf_index >= 0),         -- position in the tree
    commitment  BYTEA UNIQUE CHECK (octet_length(commitment) = 32), -- what stands there from now on, canonical; null if nothing does
    device      BYTEA REFERENCES devices (device),               -- who vouched for it; null if nothing stands there
    signature   BYTEA CHECK (octet_length(signature) = 64),      -- its ECDSA signature over device and commitment
    opening     BYTEA CHECK (octet_length(opening) = 32),        -- of a removed leaf: what its commitment is the hash of, which only its wallet knew
    accepted_at TIMESTAMPTZ NOT NULL,                            -- rounded down to the hour: finer would link it to a visit
    CHECK ((event = 'removed') = (commitment IS NULL)),
    CHECK ((commitment IS NULL) = (device IS NULL) AND (commitment IS NULL) = (signature IS NULL)),
    CHECK ((commitment IS NULL) = (opening IS NOT NULL))
);
-- Deliberately absent: person, template, session. Nothing here may lead back to an eye.
CREATE INDEX log_by_leaf ON log (leaf_index, number);            -- the last event of a leaf says what stands there
INSERT INTO log (number, event, leaf_index, commitment, device, signature, accepted_at)
    SELECT leaf_index, 'enrolled', leaf_index, commitment, device, signature, accepted_at FROM leaves ORDER BY leaf_index;
DROP TABLE leaves;
DROP FUNCTION refuse_gap();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON log FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON log EXECUTE FUNCTION refuse_change();

-- An event must come right after the last one, and be possible. Whoever writes holds an advisory lock, so this is a second guard.
CREATE FUNCTION refuse_impossible() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <> (SELECT coalesce(max(number) + 1, 0) FROM log) THEN
        RAISE EXCEPTION 'event % does not follow the last one', NEW.number;
    END IF;
    IF NEW.event = 'enrolled' AND NEW.leaf_index <> (SELECT coalesce(max(leaf_index) + 1, 0) FROM log) THEN
        RAISE EXCEPTION 'leaf % does not follow the last one', NEW.leaf_index;
    END IF;
    IF NEW.event <> 'enrolled' AND (SELECT event FROM log WHERE leaf_index = NEW.leaf_index ORDER BY number DESC LIMIT 1)
            IS NOT DISTINCT FROM 'removed' THEN
        RAISE EXCEPTION 'leaf % is empty', NEW.leaf_index;
    END IF;
    IF NEW.event <> 'enrolled' AND NEW.leaf_index > (SELECT max(leaf_index) FROM log) THEN
        RAISE EXCEPTION 'there is no leaf %', NEW.leaf_index;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER possible BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION refuse_impossible();

-- Whoever was erased keeps a number and nothing else: a scan still has to count them.
ALTER TABLE templates ALTER COLUMN ciphertext DROP NOT NULL;      -- null: erased. The nonce is then another one, of nothing

-- Requests to be erased. Kept for the receipt; they say no more than the log does.
CREATE TABLE erasures (
    commitment BYTEA PRIMARY KEY CHECK (octet_length(commitment) = 32), -- whose eyes; asking again adds nothing
    opening    BYTEA NOT NULL CHECK (octet_length(opening) = 32), -- shown by whoever asked
    asked_at   TIMESTAMPTZ NOT NULL,                              -- the order in which they are done
    number     BIGINT UNIQUE CHECK (number >= 1)                  -- order of erasures, no gaps; null until the rows are gone
);

-- Servers that hold everyone's eyes in memory. A receipt waits for all of them.
CREATE TABLE matchers (
    matcher   BYTEA PRIMARY KEY CHECK (octet_length(matcher) = 16), -- random, another one at each start
    erased_to BIGINT NOT NULL CHECK (erased_to >= 0),              -- the last erasure after which it held nothing of anybody erased
    seen_at   TIMESTAMPTZ NOT NULL                                 -- by Postgres's clock, the one that all of them share
);
