-- One row per issuer and gateway kind.
-- issuer: Claim iss.
-- gateway: Kind of the gateway.
-- passing: Requests let through.
-- failing: Requests refused.
-- first_seen: First request.
-- last_seen: Latest request.
-- last_passed: Latest request let through; NULL: none ever.
SELECT issuer, gateway, sum(passing)::BIGINT AS passing, sum(failing)::BIGINT AS failing,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen, max(last_passed) AS last_passed
FROM store.deltas
WHERE kind = 'credential' AND issuer <> ''
GROUP BY ALL
