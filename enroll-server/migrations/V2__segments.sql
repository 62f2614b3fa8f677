-- The manifest: the segments that everyone's eyes are compared in. A segment is a run of people of templates, side by
-- side in the layout of a scan, in one encrypted file on the disk of each server. Files are copies: one that is missing
-- or altered is made again from templates. A verdict counts only if each row of this table was covered exactly once,
-- with all its people, and so was everyone after the last.
CREATE TABLE segments (
    first   BIGINT PRIMARY KEY CHECK (first >= 1),           -- seq of its first person, which is what it is called by
    people  BIGINT NOT NULL CHECK (people BETWEEN 1 AND 65536), -- how many stand in it, without gaps; more than that is a slip
    version INTEGER NOT NULL CHECK (version >= 1),           -- rises when it has to be made of other rows than before
    nonce   BYTEA NOT NULL CHECK (octet_length(nonce) = 24), -- of XChaCha20-Poly1305; random, another one for each version
    tag     BYTEA NOT NULL CHECK (octet_length(tag) = 16),   -- of the same: the checksum of its file, which only the key can make
    EXCLUDE USING gist (int8range(first, first + people) WITH &&) -- nobody stands in two segments
);
-- Deliberately absent: paths and servers. Which disk has which file is nobody's business but that disk's server's.
