SELECT template, reason, gateway, records, first_seen, last_seen
FROM unclassified
WHERE last_seen >= $since AND ($gateway = '' OR gateway = $gateway)
ORDER BY records DESC
LIMIT 50
