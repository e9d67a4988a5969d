-- The next offset to read per Kafka partition, committed in the transaction of the rows before it.
-- topic: Kafka topic.
-- partition: Kafka partition.
-- next: Next offset.
-- updated_at: Time of the last commit.
SELECT topic, "partition", arg_max(next, epoch) AS next, arg_max(moved_at, epoch) AS updated_at
FROM store.offsets
GROUP BY topic, "partition"
