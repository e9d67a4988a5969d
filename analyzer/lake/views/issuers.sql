-- One row per issuer and gateway kind.
-- issuer: Claim iss.
-- gateway: Kind of the gateway.
-- passing: Requests that were allowed.
-- failing: Requests that were refused.
-- first_seen: Time of the first request.
-- last_seen: Time of the latest request.
-- last_passed: Time of the latest allowed request; NULL: none so far.
SELECT issuer, gateway, sum(passing)::BIGINT AS passing, sum(failing)::BIGINT AS failing,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen, max(last_passed) AS last_passed
FROM store.deltas
WHERE kind = 'credential' AND issuer <> ''
GROUP BY ALL
