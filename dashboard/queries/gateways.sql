SELECT gateway FROM counts WHERE minute >= $since GROUP BY gateway ORDER BY gateway LIMIT 100
