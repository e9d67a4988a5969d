SELECT gateway, place, records, last_seen, setting, source
FROM raw_credentials
WHERE last_seen >= $since AND ($gateway = '' OR gateway = $gateway)
ORDER BY records DESC, gateway, place
LIMIT 50
