-- Requests over time by one dimension: the eight values with the most refused requests, and the others together.
WITH counted AS (
    SELECT time_bucket(to_seconds($bucket_s::BIGINT), minute) AS bucket, coalesce(nullif($column, ''), '(none)') AS value,
        coalesce(sum(requests) FILTER (outcome <> 'allowed'), 0)::BIGINT AS refused, sum(requests)::BIGINT AS requests
    FROM counts
    WHERE minute >= $since AND minute < $until AND $scope
    GROUP BY ALL
), top AS (
    SELECT value FROM counted GROUP BY value ORDER BY sum(refused) DESC, sum(requests) DESC, value LIMIT 8
)
SELECT bucket, if(value IN (FROM top), value, '(others)') AS value, sum(refused)::BIGINT AS refused, sum(requests)::BIGINT AS requests
FROM counted
GROUP BY ALL
ORDER BY bucket, value
