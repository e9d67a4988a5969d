-- One row per issuer that was seen in the window; counts are those since it was first seen.
WITH recent AS (
    SELECT issuer, sum(requests)::BIGINT AS requests, coalesce(sum(requests) FILTER (outcome <> 'allowed'), 0)::BIGINT AS refused,
        count(DISTINCT nullif(client_id, '')) AS clients
    FROM counts
    WHERE minute >= $since AND minute < $until AND $scope AND issuer <> ''
    GROUP BY issuer
), known AS (
    SELECT issuer, list(DISTINCT gateway ORDER BY gateway) AS gateways, min(first_seen) AS first_seen, max(last_passed) AS last_passed
    FROM issuers GROUP BY issuer
), signed AS (
    SELECT issuer, list(DISTINCT alg ORDER BY alg) FILTER (alg <> '') AS algs, count(DISTINCT kid) FILTER (kid <> '' AND last_seen >= $since) AS keys
    FROM keys GROUP BY issuer
)
SELECT issuer, requests, refused, refused / requests AS share, clients, gateways, algs, coalesce(keys, 0) AS keys, first_seen, last_passed
FROM recent LEFT JOIN known USING (issuer) LEFT JOIN signed USING (issuer)
ORDER BY refused DESC, requests DESC, issuer
LIMIT 100
