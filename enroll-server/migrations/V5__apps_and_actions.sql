-- Apps for which this server keeps nullifiers. Verifying needs no app; counting does.
CREATE TABLE apps (
    app_id     TEXT PRIMARY KEY CHECK (app_id ~ '^[A-Za-z0-9_-]{1,64}$'), -- a part of what its humans prove
    name       TEXT NOT NULL CHECK (char_length(name) BETWEEN 1 AND 64), -- for people
    signer     BYTEA CHECK (octet_length(signer) = 20),       -- Ethereum address whose key signs the app's requests to wallets; null if none does
    sets       TEXT[] NOT NULL CHECK (cardinality(sets) BETWEEN 1 AND 16), -- names of the sets whose people it takes; whoever is in two is two people to it
    created_at TIMESTAMPTZ NOT NULL                           -- by an operator; the order in which apps are listed
);

-- What humans do in apps, and how often each may.
CREATE TABLE actions (
    app_id      TEXT NOT NULL REFERENCES apps (app_id),       -- in which app
    action      TEXT NOT NULL CHECK (char_length(action) <= 128), -- a part of what is proved; the empty one is an action too
    max_uses    BIGINT NOT NULL CHECK (max_uses BETWEEN 1 AND 4294967295), -- how often each human may; only ever raised
    per         TEXT NOT NULL CHECK (per IN ('ever', 'day')), -- counted for ever, or by the day in UTC; never changed
    open        BOOLEAN NOT NULL,                             -- whether it is taken now
    description TEXT NOT NULL CHECK (char_length(description) <= 256), -- for people
    created_at  TIMESTAMPTZ NOT NULL,                         -- by an operator
    PRIMARY KEY (app_id, action)
);

-- A lower limit would leave humans behind who have done more than they may, and another way of counting would let all of them in again.
CREATE FUNCTION refuse_other_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.app_id, NEW.action, NEW.per) IS DISTINCT FROM (OLD.app_id, OLD.action, OLD.per) OR NEW.max_uses < OLD.max_uses THEN
        RAISE EXCEPTION 'the limit of an action can only be raised';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER only_raised BEFORE UPDATE ON actions FOR EACH ROW EXECUTE FUNCTION refuse_other_limit();
CREATE TRIGGER never_deleted BEFORE DELETE ON actions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON actions EXECUTE FUNCTION refuse_change();

-- A nullifier can be used more than once where its action says so. used_at stays the first time.
ALTER TABLE nullifiers ADD COLUMN uses BIGINT NOT NULL DEFAULT 1 CHECK (uses >= 1); -- how often; each use adds one
ALTER TABLE nullifiers ADD COLUMN last_used_at TIMESTAMPTZ;                         -- the last time; null after the first

-- Still nothing is taken back: a row changes by one use more, and in no other way.
CREATE FUNCTION refuse_all_but_a_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.scope, NEW.nullifier, NEW.used_at, NEW.uses) IS DISTINCT FROM (OLD.scope, OLD.nullifier, OLD.used_at, OLD.uses + 1)
            OR NEW.last_used_at IS NULL THEN
        RAISE EXCEPTION 'a nullifier changes by one use more, and in no other way';
    END IF;
    RETURN NEW;
END
$$;
DROP TRIGGER append_only ON nullifiers;
CREATE TRIGGER append_only BEFORE DELETE ON nullifiers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER one_use_more BEFORE UPDATE ON nullifiers FOR EACH ROW EXECUTE FUNCTION refuse_all_but_a_use();

CREATE INDEX roots_by_end ON roots (replaced_at); -- those that count are published, newest first
