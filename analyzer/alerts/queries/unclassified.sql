-- Refusals by the clock of the data, records by the writer's.
WITH refusals AS (
    SELECT coalesce(sum(requests), 0)::BIGINT AS refused,
        coalesce(sum(requests) FILTER (cause = 'unknown'), 0)::BIGINT AS unexplained
    FROM counts WHERE minute >= $until - INTERVAL 1 HOUR AND outcome <> 'allowed'
),
records AS (
    SELECT coalesce(sum(value) FILTER (counter = 'received'), 0)::BIGINT AS received,
        coalesce(sum(value) FILTER (counter = 'dropped' AND reason IN ('no_parser', 'broken_json', 'unreadable', 'too_large', 'failed')), 0)::BIGINT AS unread
    FROM pipeline WHERE minute >= $now - INTERVAL 1 HOUR
)
SELECT * FROM refusals, records
