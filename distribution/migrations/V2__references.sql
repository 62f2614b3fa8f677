-- References between rows are checked once a statement, not once a row: a batch of claims writes five hundred postings with
-- one statement, and the checks of foreign keys, row by row, took up to half of its time (docs/measurements/money.md).
--
-- What is referred to cannot go away: programmes, transfers, accounts and periods are never deleted, and their keys never change.
ALTER TABLE transfers DROP CONSTRAINT transfers_programme_fkey;
ALTER TABLE postings DROP CONSTRAINT postings_sequence_fkey, DROP CONSTRAINT postings_account_fkey;
ALTER TABLE claims DROP CONSTRAINT claims_sequence_fkey, DROP CONSTRAINT claims_programme_period_fkey;

CREATE TRIGGER never_renamed BEFORE UPDATE OF name ON accounts FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Each reference is followed by itself through the index of what it refers to: a plan made while the tables were small
-- would otherwise read all of them for every statement, once they are large.
CREATE FUNCTION refuse_dangling() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    dangling BOOLEAN;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'transfers' THEN
            dangling := EXISTS (SELECT FROM written w
                WHERE (SELECT p.programme FROM programmes p WHERE p.programme = w.programme) IS NULL);
        WHEN 'postings' THEN
            dangling := EXISTS (SELECT FROM written w
                WHERE (SELECT t.sequence FROM transfers t WHERE t.sequence = w.sequence) IS NULL
                   OR (SELECT a.name FROM accounts a WHERE a.name = w.account) IS NULL);
        WHEN 'claims' THEN
            dangling := EXISTS (SELECT FROM written w
                WHERE (SELECT t.sequence FROM transfers t WHERE t.sequence = w.sequence) IS NULL
                   OR (SELECT p.period FROM periods p WHERE p.programme = w.programme AND p.period = w.period) IS NULL);
    END CASE;
    IF dangling THEN
        RAISE EXCEPTION 'a row of % refers to one that does not exist', TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;
DO $$
DECLARE
    referring TEXT;
BEGIN
    FOREACH referring IN ARRAY ARRAY['transfers', 'postings', 'claims'] LOOP
        EXECUTE format('CREATE TRIGGER refers AFTER INSERT ON %I REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION refuse_dangling()', referring);
    END LOOP;
END
$$;
