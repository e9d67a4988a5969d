SELECT counter, reason, sum(value)::BIGINT AS value, max(minute) AS last_seen
FROM pipeline
WHERE minute >= $since AND minute < $until
GROUP BY ALL
ORDER BY value DESC
LIMIT 200
