-- Payments between wallets, deposits taken back, statements of accounts.

-- A payment belongs to no programme: money in a wallet is its owner's, whichever programme paid it.
-- transfers_check is what Postgres called the check on period and kind.
ALTER TABLE transfers
    ALTER COLUMN programme DROP NOT NULL,
    DROP CONSTRAINT transfers_kind_check,
    DROP CONSTRAINT transfers_check,
    ADD CONSTRAINT transfers_kind_check CHECK (kind IN ('deposit', 'reserve', 'claim', 'return', 'payment', 'reversal')),
    ADD CONSTRAINT transfers_programme_check CHECK ((programme IS NULL) = (kind = 'payment')),
    ADD CONSTRAINT transfers_period_check CHECK ((period IS NULL) = (kind IN ('deposit', 'payment', 'reversal')));

-- One entry a payer's key, one reversal a deposit. The reference of a payment is payer and key, that of a reversal begins with
-- the deposit's place; nulls in the constraint on (kind, programme, period, reference) are distinct.
CREATE UNIQUE INDEX transfers_payment ON transfers (reference) WHERE kind = 'payment';
CREATE UNIQUE INDEX transfers_reversal ON transfers (substr(reference, 1, 8)) WHERE kind = 'reversal';

-- Statements read a wallet's newest lines. Other accounts have none, and need no index: pools and reserves are followed by
-- their entries.
CREATE INDEX postings_wallet ON postings (account, sequence) WHERE account LIKE 'wallet:%';

-- Payments that were made, as their payers signed them: no balance of a wallet goes down without such a row. The ledger
-- that the signature names is the one of this database.
-- Deliberately absent: what a payment is for. Only the two who pay and are paid know that.
CREATE TABLE payments (
    payer           BYTEA NOT NULL CHECK (octet_length(payer) = 32),           -- account whose key signed
    idempotency_key BYTEA NOT NULL CHECK (octet_length(idempotency_key) = 16), -- the payer's name for it
    payee           BYTEA NOT NULL CHECK (octet_length(payee) = 32),           -- account that was paid
    amount          NUMERIC(38, 0) NOT NULL CHECK (amount > 0),                -- how much
    deadline        NUMERIC(20, 0) NOT NULL CHECK (deadline >= 0),             -- seconds since 1970, any u64: signed, so kept as it was
    order_signature BYTEA NOT NULL CHECK (octet_length(order_signature) = 64), -- the payer's, over all of the above
    sequence        BIGINT NOT NULL UNIQUE,                                    -- the entry that made it
    paid_at         TIMESTAMPTZ NOT NULL,                                      -- as the receipt says
    key             BYTEA NOT NULL CHECK (octet_length(key) = 32),             -- that signed the receipt; kept, so that the first receipt
    signature       BYTEA NOT NULL CHECK (octet_length(signature) = 64),       -- comes back unchanged after the server got a new key
    PRIMARY KEY (payer, idempotency_key),
    CHECK (payer <> payee)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON payments FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON payments EXECUTE FUNCTION refuse_change();
