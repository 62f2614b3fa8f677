-- Policies beside the fixed amount, months of the calendar, and the most that a period pays a person.

-- What was promised. Of each policy those columns are filled that it consists of, and no other.
ALTER TABLE programmes
    DROP CONSTRAINT programmes_policy_check,
    ALTER COLUMN amount DROP NOT NULL,         -- fixed: each person's share in each period
    ADD COLUMN rate_ppm INTEGER                -- pool_share: millionths of the pool that all people together get
        CHECK (rate_ppm BETWEEN 1 AND 1000000),
    ADD COLUMN floor NUMERIC(38, 0)            -- pool_share: the least that a person gets, or the period does not open
        CHECK (floor > 0),
    ADD COLUMN cap NUMERIC(38, 0)              -- pool_share: the most that a person gets
        CHECK (cap >= floor),
    ADD COLUMN per_hour NUMERIC(38, 0)         -- accrual: for each whole hour since the period opened
        CHECK (per_hour > 0),
    ADD COLUMN cap_days BIGINT                 -- accrual: days after which it grows no more
        CHECK (cap_days > 0),
    ALTER COLUMN period_seconds DROP NOT NULL, -- length of a period; null: a month of the calendar, in UTC
    ADD CONSTRAINT programmes_policy CHECK (CASE policy
        WHEN 'fixed'      THEN amount IS NOT NULL AND num_nonnulls(rate_ppm, floor, cap, per_hour, cap_days) = 0
        WHEN 'pool_share' THEN num_nonnulls(rate_ppm, floor, cap) = 3 AND num_nonnulls(amount, per_hour, cap_days) = 0
        WHEN 'accrual'    THEN num_nonnulls(per_hour, cap_days) = 2 AND num_nonnulls(amount, rate_ppm, floor, cap) = 0
        ELSE FALSE END);

-- What a period puts aside for each person: fixed when it is funded, the same ever after.
DROP TRIGGER one_step ON periods; -- which would refuse to fill the column in
ALTER TABLE periods ADD COLUMN most NUMERIC(38, 0) CHECK (most > 0); -- the most that a claim is paid; null before it is funded
UPDATE periods SET most = p.amount FROM programmes p
    WHERE p.programme = periods.programme AND periods.state <> 'snapshot';
ALTER TABLE periods ADD CONSTRAINT periods_most CHECK ((most IS NOT NULL) = (state <> 'snapshot'));

-- A period moves to the next state only. Who may claim in it, and how much, never changes.
CREATE OR REPLACE FUNCTION refuse_other_step() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF OLD.state <> 'snapshot' AND NEW.most IS DISTINCT FROM OLD.most THEN
        RAISE EXCEPTION 'what a period pays a person never changes';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER one_step BEFORE UPDATE ON periods FOR EACH ROW EXECUTE FUNCTION refuse_other_step();
