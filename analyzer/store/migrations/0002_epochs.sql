-- How many commits moved a partition: the row with the highest epoch is its position (analyzer/store/fence.py).
-- Made anew, not altered: after ALTER TABLE a flush drops the catalog's table of inlined rows from under connected writers
-- (1.5.5). The time has another name, so that writers of an earlier release, which know nothing of epochs, fail here,
-- connect anew, and say that they are too old. The columns run and position of watermarks are used no more.
CREATE TEMP TABLE moved AS FROM store.offsets;
DROP TABLE store.offsets;
CREATE TABLE store.offsets (topic VARCHAR, "partition" INTEGER, next BIGINT, epoch BIGINT, moved_at TIMESTAMPTZ);
INSERT INTO store.offsets SELECT topic, "partition", max(next), 0, max(updated_at) FROM moved GROUP BY ALL;
DROP TABLE temp.moved;
