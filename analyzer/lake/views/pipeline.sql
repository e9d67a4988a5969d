-- Records received, stored and dropped, by the minute of their commit: received = stored + dropped.
-- minute: Start of the minute, by the writer's clock.
-- counter: Name of the counter: received, stored, dropped.
-- reason: Why the records were dropped; '' otherwise.
-- value: Number of records.
SELECT minute, name AS counter, value AS reason, sum(records)::BIGINT AS value
FROM store.deltas
WHERE kind = 'pipeline'
GROUP BY ALL
