SELECT coalesce(nullif(responder, ''), 'unknown') AS responder, gateway, sum(requests)::BIGINT AS requests
FROM counts
WHERE minute >= $since AND minute < $until AND outcome <> 'allowed' AND $scope
GROUP BY ALL
ORDER BY requests DESC
LIMIT 100
