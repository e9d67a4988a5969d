SELECT
    kind, minute, group_id, gateway, issuer, client_id, kid, alg, typ, token_kind, claim_names, name, value,
    sum(records)::BIGINT AS records, sum(passing)::BIGINT AS passing, sum(failing)::BIGINT AS failing,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    min(first_passed) AS first_passed, max(last_passed) AS last_passed
FROM store.deltas
GROUP BY ALL
-- Readers skip what other kinds, and other groups' members, fill.
ORDER BY kind, name, group_id
