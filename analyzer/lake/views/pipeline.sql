-- What became of records, by the minute of their commit: received = stored + dropped.
-- minute: Start of the minute, by the writer's clock.
-- counter: received, stored, dropped.
-- reason: Why they were dropped; '' otherwise.
-- value: How many.
SELECT minute, name AS counter, value AS reason, sum(records)::BIGINT AS value
FROM store.deltas
WHERE kind = 'pipeline'
GROUP BY ALL
