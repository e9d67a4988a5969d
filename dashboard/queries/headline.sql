SELECT
    coalesce(sum(requests) FILTER (minute >= $since), 0)::BIGINT AS requests,
    coalesce(sum(requests) FILTER (minute >= $since AND outcome <> 'allowed'), 0)::BIGINT AS refused,
    coalesce(sum(requests) FILTER (minute < $since), 0)::BIGINT AS requests_before,
    coalesce(sum(requests) FILTER (minute < $since AND outcome <> 'allowed'), 0)::BIGINT AS refused_before
FROM counts
WHERE minute >= $before AND minute < $until AND $scope
