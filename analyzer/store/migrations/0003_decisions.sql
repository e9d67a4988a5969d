-- What people decide about groups has more kinds: until when it is muted, whether it is resolved with the next release, whose it is,
-- and which group it was merged with. NULL leaves what an earlier row said. Made anew, not altered (0002_epochs.sql says why).
CREATE TEMP TABLE moved AS FROM store.notes;
DROP TABLE store.notes;
CREATE TABLE store.notes (
    group_id VARCHAR, noted_at TIMESTAMPTZ, author VARCHAR, state VARCHAR, note VARCHAR,
    muted_until TIMESTAMPTZ, next_release BOOLEAN, assignee VARCHAR, merged_into VARCHAR
);
INSERT INTO store.notes BY NAME FROM moved;
DROP TABLE temp.moved;
