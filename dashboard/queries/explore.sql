-- Requests by one dimension in the window, and in an earlier one of the same length ($other_since to $other_until).
WITH counted AS (
    -- Two scans: each reads only the files of its range.
    SELECT $column AS value, true AS is_now, outcome, requests FROM counts WHERE minute >= $since AND minute < $until AND $scope
    UNION ALL
    SELECT $column, false, outcome, requests FROM counts WHERE minute >= $other_since AND minute < $other_until AND $scope
)
SELECT coalesce(nullif(value, ''), '(none)') AS value,
    coalesce(sum(requests) FILTER (is_now AND outcome <> 'allowed'), 0)::BIGINT AS refused,
    coalesce(sum(requests) FILTER (is_now), 0)::BIGINT AS requests,
    coalesce(sum(requests) FILTER (NOT is_now AND outcome <> 'allowed'), 0)::BIGINT AS refused_before,
    coalesce(sum(requests) FILTER (NOT is_now), 0)::BIGINT AS requests_before
FROM counted
GROUP BY counted.value
ORDER BY refused DESC, refused_before DESC, requests DESC, value
LIMIT 200
