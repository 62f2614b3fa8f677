-- What apps' pages ask wallets, and what wallets answer: mailboxes for a quarter of an hour. Both texts are sealed under a key that only
-- the link has, which goes from the page to the wallet and never comes here.
CREATE TABLE mailboxes (
    request_id     TEXT PRIMARY KEY CHECK (request_id ~ '^[A-Za-z0-9._-]+$' AND octet_length(request_id) BETWEEN 16 AND 256), -- random; stands in the link
    expires_at     TIMESTAMPTZ NOT NULL,                      -- from then on it is gone, whether or not it was swept out already
    iv             TEXT,                                      -- of the request, in base64; null once it was handed out
    payload        TEXT CHECK (octet_length(payload) <= 16384), -- the request, sealed, in base64; null once it was handed out
    answer_iv      TEXT,                                      -- of the answer, in base64; null before there is one
    answer_payload TEXT CHECK (octet_length(answer_payload) <= 16384), -- the answer, sealed, in base64; the row goes when it is handed out
    CHECK ((iv IS NULL) = (payload IS NULL) AND (answer_iv IS NULL) = (answer_payload IS NULL))
);
-- Deliberately absent: app, address, origin of the page, when it was asked.

-- Nothing of it in the write-ahead log, and so in no archive and on no replica. A Postgres that crashes forgets it: the page asks again.
ALTER TABLE mailboxes SET UNLOGGED;

CREATE INDEX mailboxes_by_end ON mailboxes (expires_at); -- those that are over are swept out
