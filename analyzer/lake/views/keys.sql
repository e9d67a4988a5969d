-- One row per issuer, key id and algorithm.
-- issuer: Claim iss.
-- kid: JOSE kid; '' when the token names none.
-- alg: JOSE alg.
-- passing: Requests let through.
-- failing: Requests refused.
-- first_seen: First request.
-- last_seen: Latest request.
-- first_passed: First request let through; NULL: none ever.
-- last_passed: Latest request let through.
SELECT issuer, kid, alg, sum(passing)::BIGINT AS passing, sum(failing)::BIGINT AS failing,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    min(first_passed) AS first_passed, max(last_passed) AS last_passed
FROM store.deltas
WHERE kind = 'credential' AND (kid <> '' OR alg <> '')
GROUP BY ALL
