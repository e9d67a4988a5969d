-- Gateways at which tokens of an issuer arrive, and none passed yet with its newest key, which is younger than a day and passes elsewhere.
WITH newest AS (
    SELECT issuer, arg_max(kid, first_seen) AS kid, max(first_seen) AS first_seen
    FROM keys
    WHERE kid <> '' AND first_passed IS NOT NULL AND ($issuer = '' OR issuer = $issuer)
    GROUP BY issuer
    HAVING count(*) > 1 AND max(first_seen) >= $until - INTERVAL 1 DAY AND max(first_seen) < $until
), met AS (
    SELECT issuer, kid, gateway, gateway_instance, event_time, true AS passes FROM passing_samples
    WHERE event_time >= $until - INTERVAL 1 DAY AND event_time >= (SELECT min(first_seen) FROM newest) AND event_time < $until
    UNION ALL
    SELECT issuer, kid, gateway, gateway_instance, event_time, false FROM failures
    WHERE event_time >= $until - INTERVAL 1 DAY AND event_time >= (SELECT min(first_seen) FROM newest) AND event_time < $until
)
SELECT newest.issuer, newest.kid, newest.first_seen, gateway, gateway_instance, count(*) AS tokens,
    count(*) FILTER (met.kid = newest.kid AND passes) AS passed, count(*) FILTER (met.kid = newest.kid AND NOT passes) AS failed
FROM newest JOIN met ON met.issuer = newest.issuer AND met.event_time >= newest.first_seen
WHERE ($gateway = '' OR gateway = $gateway)
GROUP BY ALL
HAVING passed = 0
ORDER BY failed DESC, tokens DESC, gateway, gateway_instance
LIMIT 50
