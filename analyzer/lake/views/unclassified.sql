-- What no rule knows yet: records that no parser read, and failures without a diagnosis.
-- template: The redacted text.
-- reason: Why a record was not read, or the verifier's machine-readable word.
-- gateway: Kind of the gateway.
-- records: How many.
-- first_seen: First one.
-- last_seen: Latest one.
SELECT value AS template, name AS reason, gateway, sum(records)::BIGINT AS records,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM store.deltas
WHERE kind = 'unclassified'
GROUP BY ALL
