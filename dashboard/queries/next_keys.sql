-- Keys that tokens still pass with, although why401's own check no longer finds them in the issuer's key set.
SELECT issuer, kid, list(DISTINCT gateway ORDER BY gateway) AS gateways, count(*) AS tokens, max(event_time) AS last_passed
FROM passing_samples
WHERE event_time >= $since AND event_time < $until AND verification = 'no_key' AND kid <> ''
    AND ($gateway = '' OR gateway = $gateway) AND ($issuer = '' OR issuer = $issuer)
GROUP BY ALL
ORDER BY tokens DESC, issuer, kid
LIMIT 50
