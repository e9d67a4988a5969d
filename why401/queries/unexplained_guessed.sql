-- Messages whose explanation is unsure, most frequent first. $1: seconds, $2: gateway or '', $3: how many.
SELECT coalesce(nullif(message, ''), reason) AS text, gateway, reason, count(*) AS records, min(event_time) AS first_seen,
    max(event_time) AS last_seen, (sum(count(*)) OVER ())::BIGINT AS all_records
FROM failures
WHERE code <> 'unclassified' AND confidence < 0.9 AND (message <> '' OR reason <> '')
    AND event_time >= (SELECT max(event_time) FROM failures) - to_seconds($1) AND ($2 = '' OR gateway = $2)
GROUP BY ALL
ORDER BY records DESC, text, gateway, reason
LIMIT $3
