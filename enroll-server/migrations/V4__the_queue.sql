-- What became of an envelope is remembered with its nonce: the same envelope again gets the first answer.
ALTER TABLE sessions ADD COLUMN envelope BYTEA CHECK (octet_length(envelope) = 32); -- SHA-256 of the envelope that has used the nonce up; null before
ALTER TABLE sessions ADD COLUMN outcome TEXT;                        -- the answer to it, JSON; null as long as there is none
UPDATE sessions SET envelope = sha256(nonce) WHERE used;             -- of no envelope: the answers of before are not known
ALTER TABLE sessions DROP COLUMN used;
ALTER TABLE sessions ADD CHECK (envelope IS NOT NULL OR outcome IS NULL);

-- Envelopes that were accepted and have no answer yet. A row goes in the transaction that answers it.
CREATE TABLE queue (
    nonce          BYTEA PRIMARY KEY REFERENCES sessions (nonce),    -- its session, which stays as long as the row does
    place          BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,       -- order of arrival
    purpose        TEXT NOT NULL CHECK (purpose IN ('enroll', 'recover')), -- what it was signed for
    envelope       BYTEA NOT NULL,                                   -- as it came: eyes in it are sealed to the server's key
    attempts       INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- at judging it, of which none came to its end by its own fault
    taken_by       BYTEA CHECK (octet_length(taken_by) = 16),        -- the server that judges it, or was the last to; null before the first
    free_at        TIMESTAMPTZ NOT NULL DEFAULT '-infinity',         -- nobody else takes it before; by Postgres's clock, the one that servers share
    failure        TEXT,                                             -- why the last attempt failed; null if its server just ended
    quarantined_at TIMESTAMPTZ                                       -- from then on nobody takes it until an operator says so; null as a rule
);
CREATE INDEX queue_by_place ON queue (place) WHERE quarantined_at IS NULL; -- the next ones
