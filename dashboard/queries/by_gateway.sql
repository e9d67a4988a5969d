SELECT gateway, sum(requests)::BIGINT AS requests,
    coalesce(sum(requests) FILTER (outcome <> 'allowed'), 0)::BIGINT AS refused,
    coalesce(sum(requests) FILTER (outcome = 'allowed'), 0) / sum(requests) AS success,
    max(minute) AS last_seen
FROM counts
WHERE minute >= $since AND minute < $until AND $scope
GROUP BY gateway
ORDER BY success, requests DESC
LIMIT 50
