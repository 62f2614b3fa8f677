-- Everything the distribution must not lose: promises, periods, and the ledger. No caches of it exist.
--
-- Times come from the server's clock, never from now(): the code that decides by a time is the code that reads it.
-- Money is a whole number of minor units, NUMERIC(38, 0).
-- Deliberately absent everywhere: person, commitment, leaf, address of the client. The nullifier of a claim is new in
-- every period, so that no two claims of one person can be put together here.

-- What was promised. The id is a hash of the ledger and of every other column but created_at: changed terms are
-- another programme.
CREATE TABLE programmes (
    programme      BYTEA PRIMARY KEY CHECK (octet_length(programme) = 16), -- first half of a SHA-256, see ProgrammeTerms::id
    name           TEXT NOT NULL UNIQUE,                                   -- what people call it
    unit           TEXT NOT NULL,                                          -- what is paid
    minor_digits   SMALLINT NOT NULL CHECK (minor_digits >= 0),            -- decimal digits of the unit below the point
    policy         TEXT NOT NULL CHECK (policy = 'fixed'),                 -- how a share is computed
    amount         NUMERIC(38, 0) NOT NULL CHECK (amount > 0),             -- each person's share in each period
    starts_at      TIMESTAMPTZ NOT NULL,                                   -- start of period 0
    period_seconds BIGINT NOT NULL CHECK (period_seconds > 0),             -- length of a period
    claim_window   BIGINT NOT NULL CHECK (claim_window > 0),               -- periods in which a share can be claimed, its own first
    created_at     TIMESTAMPTZ NOT NULL                                    -- for people; decides nothing
);

-- Periods with which something has happened; one without a row is planned.
CREATE TABLE periods (
    programme   BYTEA NOT NULL REFERENCES programmes (programme),    -- whose period
    period      BIGINT NOT NULL CHECK (period >= 0),                 -- counted from 0
    state       TEXT NOT NULL CHECK (state IN ('snapshot', 'funded', 'open', 'closed', 'sealed')), -- moves forward only
    root        BYTEA NOT NULL CHECK (octet_length(root) = 32),      -- every claim proves membership under it
    set_size    BIGINT NOT NULL CHECK (set_size > 0),                -- leaves under the root
    people      BIGINT NOT NULL CHECK (people BETWEEN 1 AND set_size), -- leaves that are not removed: shares to reserve
    checkpoint  TEXT NOT NULL,                                       -- the signed checkpoint as it was read, for auditors
    snapshot_at TIMESTAMPTZ NOT NULL,                                -- when the set was frozen
    funded_at   TIMESTAMPTZ,                                         -- when every share was reserved; null before
    opened_at   TIMESTAMPTZ,                                         -- when claims began; null before
    closed_at   TIMESTAMPTZ,                                         -- when claims ended; null before
    sealed_at   TIMESTAMPTZ,                                         -- when the statement was signed; null before
    statement   TEXT CHECK ((statement IS NOT NULL) = (state = 'sealed')), -- the signed statement, JSON as it is served
    PRIMARY KEY (programme, period)
);

-- Balances, moved only together with the postings that explain them.
CREATE TABLE accounts (
    name    TEXT PRIMARY KEY,                                        -- funding:<source>, pool:<programme>, reserve:<programme>:<period>, wallet:<account>, fees
    balance NUMERIC(38, 0) NOT NULL,                                 -- sum of the account's postings
    CHECK (balance >= 0 OR name LIKE 'funding:%')                    -- money enters through funding sources only
);

-- Entries of the ledger. Append-only; a correction is another entry.
CREATE TABLE transfers (
    sequence   BIGINT PRIMARY KEY CHECK (sequence > 0),              -- place in the chain, no gaps
    kind       TEXT NOT NULL CHECK (kind IN ('deposit', 'reserve', 'claim', 'return')), -- why money moves
    programme  BYTEA NOT NULL REFERENCES programmes (programme),     -- whose money
    period     BIGINT CHECK ((period IS NULL) = (kind = 'deposit')), -- null for deposits
    reference  BYTEA NOT NULL,                                       -- nullifier of a claim, idempotency key of a deposit, else empty
    created_at TIMESTAMPTZ NOT NULL,                                 -- whole seconds; part of the hash
    previous   BYTEA NOT NULL CHECK (octet_length(previous) = 32),   -- hash of the entry before, zeros for the first
    hash       BYTEA NOT NULL UNIQUE CHECK (octet_length(hash) = 32), -- SHA-256 of the entry's canonical bytes, which hold previous
    UNIQUE (kind, programme, period, reference)                      -- one reserve and one return a period, one entry a nullifier
);
CREATE UNIQUE INDEX transfers_deposit ON transfers (programme, reference) WHERE kind = 'deposit'; -- nulls above are distinct

-- What an entry moves. The lines of one entry sum to zero.
CREATE TABLE postings (
    sequence BIGINT NOT NULL REFERENCES transfers (sequence),        -- the entry
    line     BIGINT NOT NULL CHECK (line > 0),                       -- order inside the entry; part of the hash
    account  TEXT NOT NULL REFERENCES accounts (name),               -- whose balance
    amount   NUMERIC(38, 0) NOT NULL CHECK (amount <> 0),            -- added to the account's balance
    PRIMARY KEY (sequence, line)
);

-- Claims that were paid. The primary key is what pays a person once.
CREATE TABLE claims (
    programme   BYTEA NOT NULL,                                        -- which programme
    period      BIGINT NOT NULL,                                       -- which period
    nullifier   BYTEA NOT NULL CHECK (octet_length(nullifier) = 32),   -- the person, for this period only; canonical, big-endian
    signal_hash BYTEA NOT NULL CHECK (octet_length(signal_hash) = 32), -- of the terms: tells a repetition from another claim
    recipient   BYTEA NOT NULL CHECK (octet_length(recipient) = 32),   -- account that was paid
    amount      NUMERIC(38, 0) NOT NULL CHECK (amount >= 0),           -- what it got: the share without the fee
    sequence    BIGINT NOT NULL UNIQUE REFERENCES transfers (sequence), -- the entry that paid it
    paid_at     TIMESTAMPTZ NOT NULL,                                  -- as the receipt says
    key         BYTEA NOT NULL CHECK (octet_length(key) = 32),         -- that signed the receipt; kept, so that the first receipt
    signature   BYTEA NOT NULL CHECK (octet_length(signature) = 64),   -- comes back unchanged after the server got a new key
    PRIMARY KEY (programme, period, nullifier),
    FOREIGN KEY (programme, period) REFERENCES periods (programme, period)
);

-- The end of the chain: one row. Every entry locks it first, so entries are written one after the other, and a chain cut
-- short does not go unnoticed.
CREATE TABLE ledger (
    id       BYTEA PRIMARY KEY CHECK (octet_length(id) = 16),        -- the ledger's id; a server with another id refuses to start
    sequence BIGINT NOT NULL CHECK (sequence >= 0),                  -- of the newest entry; 0 before the first
    head     BYTEA NOT NULL CHECK (octet_length(head) = 32),         -- its hash; zeros before the first
    one_row  BOOLEAN NOT NULL DEFAULT TRUE UNIQUE CHECK (one_row)    -- there is one ledger in a database
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
END
$$;
DO $$
DECLARE
    kept TEXT;
BEGIN
    FOREACH kept IN ARRAY ARRAY['programmes', 'transfers', 'postings', 'claims'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', kept);
    END LOOP;
    FOREACH kept IN ARRAY ARRAY['programmes', 'transfers', 'postings', 'claims', 'periods', 'accounts', 'ledger'] LOOP
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I EXECUTE FUNCTION refuse_change()', kept);
    END LOOP;
    FOREACH kept IN ARRAY ARRAY['periods', 'accounts', 'ledger'] LOOP
        EXECUTE format('CREATE TRIGGER never_deleted BEFORE DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', kept);
    END LOOP;
END
$$;

-- A period moves to the next state only, and who may claim in it never changes.
CREATE FUNCTION refuse_other_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    life CONSTANT TEXT[] := ARRAY['snapshot', 'funded', 'open', 'closed', 'sealed'];
BEGIN
    IF array_position(life, NEW.state) <> array_position(life, OLD.state) + 1 THEN
        RAISE EXCEPTION 'a period never goes from % to %', OLD.state, NEW.state;
    END IF;
    IF (NEW.programme, NEW.period, NEW.root, NEW.set_size, NEW.people, NEW.checkpoint)
        IS DISTINCT FROM (OLD.programme, OLD.period, OLD.root, OLD.set_size, OLD.people, OLD.checkpoint) THEN
        RAISE EXCEPTION 'the snapshot of a period never changes';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER one_step BEFORE UPDATE ON periods FOR EACH ROW EXECUTE FUNCTION refuse_other_step();

-- At commit every entry must balance, whoever wrote it. The server asks for the same before: this is a second guard.
CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT coalesce(sum(amount), 1) FROM postings WHERE sequence = NEW.sequence) <> 0 THEN
        RAISE EXCEPTION 'entry % does not balance', NEW.sequence;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON transfers DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced();
