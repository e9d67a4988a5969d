-- One row per issuer, key id and algorithm.
-- issuer: Claim iss.
-- kid: JOSE header kid; '' when the token has none.
-- alg: JOSE header alg.
-- passing: Requests that were allowed.
-- failing: Requests that were refused.
-- first_seen: Time of the first request.
-- last_seen: Time of the latest request.
-- first_passed: Time of the first allowed request; NULL: none so far.
-- last_passed: Time of the latest allowed request; NULL: none so far.
SELECT issuer, kid, alg, sum(passing)::BIGINT AS passing, sum(failing)::BIGINT AS failing,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    min(first_passed) AS first_passed, max(last_passed) AS last_passed
FROM store.deltas
WHERE kind = 'credential' AND (kid <> '' OR alg <> '')
GROUP BY ALL
