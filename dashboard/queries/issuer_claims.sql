-- Share of an issuer's tokens that carry each claim, over time: of the sample of passing requests and of refused ones.
WITH tokens AS (
    SELECT event_time, map_keys(claims) AS names FROM passing_samples
    WHERE event_time >= $since AND event_time < $until AND issuer = $issuer AND cardinality(claims) > 0
    UNION ALL
    (SELECT event_time, map_keys(claims) FROM failures
    WHERE event_time >= $since AND event_time < $until AND issuer = $issuer AND cardinality(claims) > 0 ORDER BY event_time DESC LIMIT 50000)
), bucketed AS (
    SELECT time_bucket(to_seconds($bucket_s::BIGINT), event_time) AS bucket, names FROM tokens
), totals AS (
    SELECT bucket, count(*) AS tokens FROM bucketed GROUP BY bucket
), listed AS (
    SELECT bucket, unnest(names) AS claim FROM bucketed
), counted AS (
    SELECT bucket, claim, count(*) AS n FROM listed GROUP BY ALL
), top AS (
    SELECT claim FROM counted GROUP BY claim ORDER BY sum(n) DESC, claim LIMIT 25
)
SELECT bucket, claim, tokens, coalesce(n, 0) AS carried, coalesce(n, 0) / tokens AS share
FROM totals CROSS JOIN top LEFT JOIN counted USING (bucket, claim)
ORDER BY claim, bucket
