-- The next offset to read per Kafka partition, committed in the transaction of the rows before it.
-- topic: Kafka topic.
-- partition: Kafka partition.
-- next: Next offset.
-- updated_at: Time of the last commit.
SELECT topic, "partition", next, updated_at
FROM store.offsets
