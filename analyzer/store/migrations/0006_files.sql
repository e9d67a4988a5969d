-- How far files were read, moved in the transaction of their rows; of each inode and head the row with the highest number counts. Digests are keyed.
CREATE TABLE store.files (
    path VARCHAR, device BIGINT, inode BIGINT, position BIGINT, checked BIGINT, head VARCHAR, last VARCHAR,
    number BIGINT, moved_at TIMESTAMPTZ
);
