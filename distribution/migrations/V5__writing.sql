-- What a claim was made of is kept with it, so that an auditor can check its proof again. Null of claims that were paid before
-- this was kept.
ALTER TABLE claims
    ADD COLUMN fee      NUMERIC(38, 0) CHECK (fee >= 0),               -- what the relayer got of the share
    ADD COLUMN deadline NUMERIC(20, 0) CHECK (deadline >= 0),          -- seconds since 1970, any u64; part of what the proof binds
    ADD COLUMN proof    BYTEA CHECK (octet_length(proof) = 256),       -- the proof, in Ethereum's order
    ADD CHECK ((fee IS NULL) = (proof IS NULL) AND (deadline IS NULL) = (proof IS NULL));

-- Names are ids, compared byte by byte: by the rules of a language, which a database may have for its default, each look-up of an
-- account took five times as long.
DROP TRIGGER never_renamed ON accounts; -- what names a column that changes goes, and comes back
DROP INDEX postings_wallet;
ALTER TABLE accounts ALTER COLUMN name TYPE TEXT COLLATE "C";
CREATE TRIGGER never_renamed BEFORE UPDATE OF name ON accounts FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE postings ALTER COLUMN account TYPE TEXT COLLATE "C";
CREATE INDEX postings_wallet ON postings (account, sequence) WHERE account LIKE 'wallet:%';

-- Indexes that a claim paid for, and nobody used: hashes are unique because each covers its place, and a claim is paid once
-- because of the primary key of `claims`, which stands in the same transaction.
ALTER TABLE transfers DROP CONSTRAINT transfers_hash_key, DROP CONSTRAINT transfers_kind_programme_period_reference_key;
CREATE UNIQUE INDEX transfers_step ON transfers (programme, period, kind) WHERE kind IN ('reserve', 'return'); -- one of each a period
CREATE INDEX transfers_pool ON transfers (programme, sequence) WHERE kind IN ('deposit', 'reserve', 'return', 'reversal'); -- what the page of a programme shows

-- Whether entries balance is asked once a statement, too, and for that everything has its order: the end of the chain moves
-- first, then come the lines of the new entries, then the entries, which find their lines. Lines beyond the end, or of an entry
-- that is written, are refused at once; an end to which the entries do not lead, at the commit.
DROP TRIGGER balanced ON transfers;
DROP FUNCTION refuse_unbalanced;

-- References as in V2, with what came since: a payment has no programme to refer to, and is referred to by a row of its own; a
-- line's entry is yet to come. What many rows of a statement refer to is looked for once.
CREATE OR REPLACE FUNCTION refuse_dangling() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    dangling BOOLEAN;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'transfers' THEN
            dangling := EXISTS (SELECT FROM (SELECT DISTINCT programme FROM written WHERE programme IS NOT NULL) w
                WHERE (SELECT p.programme FROM programmes p WHERE p.programme = w.programme) IS NULL);
        WHEN 'postings' THEN
            dangling := EXISTS (SELECT FROM (SELECT DISTINCT account FROM written) w
                WHERE (SELECT a.name FROM accounts a WHERE a.name = w.account) IS NULL);
        WHEN 'claims' THEN
            dangling := EXISTS (SELECT FROM written w
                WHERE (SELECT t.sequence FROM transfers t WHERE t.sequence = w.sequence) IS NULL)
                OR EXISTS (SELECT FROM (SELECT DISTINCT programme, period FROM written) w
                WHERE (SELECT p.period FROM periods p WHERE p.programme = w.programme AND p.period = w.period) IS NULL);
        WHEN 'payments' THEN
            dangling := EXISTS (SELECT FROM written w
                WHERE (SELECT t.sequence FROM transfers t
                    WHERE t.sequence = w.sequence AND t.kind = 'payment'
                      AND t.reference = w.payer || w.idempotency_key) IS NULL);
    END CASE;
    IF dangling THEN
        RAISE EXCEPTION 'a row of % refers to one that does not exist', TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refers AFTER INSERT ON payments REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_dangling();

CREATE FUNCTION refuse_stray_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT min(sequence) FROM written) <= (SELECT max(sequence) FROM transfers)
        OR (SELECT max(sequence) FROM written) > (SELECT sequence FROM ledger) THEN
        RAISE EXCEPTION 'lines are of an entry that is being written, and of no other';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER in_time AFTER INSERT ON postings REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION refuse_stray_line();

CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unbalanced BIGINT;
BEGIN
    IF (SELECT max(sequence) FROM written) > (SELECT sequence FROM ledger) THEN
        RAISE EXCEPTION 'no entry lies beyond the end of the chain';
    END IF;
    SELECT w.sequence INTO unbalanced FROM written w
        WHERE (SELECT coalesce(sum(p.amount), 1) FROM postings p WHERE p.sequence = w.sequence) <> 0 LIMIT 1;
    IF unbalanced IS NOT NULL THEN
        RAISE EXCEPTION 'entry % does not balance', unbalanced;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER balanced AFTER INSERT ON transfers REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced();

CREATE FUNCTION refuse_other_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entries BIGINT;
BEGIN
    SELECT count(*) INTO entries FROM transfers WHERE sequence > OLD.sequence AND sequence <= NEW.sequence;
    IF NEW.id <> OLD.id OR NEW.sequence <= OLD.sequence OR entries <> NEW.sequence - OLD.sequence
        OR NOT EXISTS (SELECT FROM transfers WHERE sequence = NEW.sequence AND hash = NEW.head) THEN
        RAISE EXCEPTION 'the entries do not lead to place % of the chain', NEW.sequence;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER leads_there AFTER UPDATE ON ledger DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse_other_end();
