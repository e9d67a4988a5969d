SELECT time_bucket(to_seconds($bucket_s::BIGINT), minute) AS bucket, counter, sum(value)::BIGINT AS value
FROM pipeline
WHERE minute >= $since AND minute < $until
GROUP BY ALL
ORDER BY bucket, counter
