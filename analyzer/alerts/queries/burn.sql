SELECT
    coalesce(sum(requests) FILTER (minute >= $until - INTERVAL 5 MINUTE), 0)::BIGINT AS requests_5,
    coalesce(sum(requests) FILTER (minute >= $until - INTERVAL 30 MINUTE), 0)::BIGINT AS requests_30,
    coalesce(sum(requests) FILTER (minute >= $until - INTERVAL 60 MINUTE), 0)::BIGINT AS requests_60,
    coalesce(sum(requests) FILTER (minute >= $until - INTERVAL 360 MINUTE), 0)::BIGINT AS requests_360,
    coalesce(sum(requests), 0)::BIGINT AS requests_4320,
    coalesce(sum(requests) FILTER (minute >= $until - INTERVAL 5 MINUTE AND outcome <> 'allowed'), 0)::BIGINT AS failures_5,
    coalesce(sum(requests) FILTER (minute >= $until - INTERVAL 30 MINUTE AND outcome <> 'allowed'), 0)::BIGINT AS failures_30,
    coalesce(sum(requests) FILTER (minute >= $until - INTERVAL 60 MINUTE AND outcome <> 'allowed'), 0)::BIGINT AS failures_60,
    coalesce(sum(requests) FILTER (minute >= $until - INTERVAL 360 MINUTE AND outcome <> 'allowed'), 0)::BIGINT AS failures_360,
    coalesce(sum(requests) FILTER (outcome <> 'allowed'), 0)::BIGINT AS failures_4320,
    coalesce(epoch(max(minute) - min(minute)) / 60, 0) AS known_minutes
FROM counts
WHERE minute >= $until - INTERVAL 3 DAY AND minute < $until
