SELECT gateway FROM traffic WHERE minute >= $since GROUP BY gateway ORDER BY gateway LIMIT 100
