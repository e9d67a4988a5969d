-- The next offset to read per Kafka partition; in the transaction of the rows before it.
-- topic: Kafka topic.
-- partition: Kafka partition.
-- next: Next offset.
-- updated_at: When it moved last.
SELECT topic, "partition", next, updated_at
FROM store.offsets
