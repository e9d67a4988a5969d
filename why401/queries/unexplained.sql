-- Messages that nothing explains, most frequent first; the range ends with the newest of them, so old data shows too.
-- $1: seconds, $2: gateway or '', $3: how many.
SELECT template AS text, gateway, reason, sum(records)::BIGINT AS records, min(first_seen) AS first_seen,
    max(last_seen) AS last_seen, (sum(sum(records)) OVER ())::BIGINT AS all_records
FROM unclassified
WHERE last_seen >= (SELECT max(last_seen) FROM unclassified) - to_seconds($1) AND ($2 = '' OR gateway = $2)
GROUP BY ALL
ORDER BY records DESC, text, gateway, reason
LIMIT $3
