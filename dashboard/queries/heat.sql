WITH counted AS (
    SELECT coalesce(nullif(issuer, ''), '(no issuer)') AS issuer, gateway, sum(requests)::BIGINT AS requests,
        coalesce(sum(requests) FILTER (outcome <> 'allowed'), 0)::BIGINT AS refused
    FROM counts
    WHERE minute >= $since AND minute < $until AND $scope
    GROUP BY ALL
), top AS (
    SELECT issuer FROM counted GROUP BY issuer ORDER BY sum(refused) DESC, issuer LIMIT 10
)
SELECT issuer, gateway, requests, refused, refused / requests AS share
FROM counted SEMI JOIN top USING (issuer)
ORDER BY issuer, gateway
