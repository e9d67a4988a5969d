-- Records that no parser recognized, and failures whose cause was not determined.
-- template: Redacted text of the message.
-- reason: Why the record was not parsed, or the gateway's machine-readable reason.
-- gateway: Kind of the gateway.
-- records: Number of records.
-- first_seen: Time of the first one.
-- last_seen: Time of the latest one.
SELECT value AS template, name AS reason, gateway, sum(records)::BIGINT AS records,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM store.deltas
WHERE kind = 'unclassified'
GROUP BY ALL
