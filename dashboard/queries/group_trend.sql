SELECT time_bucket(to_seconds($bucket_s::BIGINT), minute) AS bucket, cause, sum(requests)::BIGINT AS requests
FROM counts
WHERE group_id = $group AND minute >= $since AND minute < $until AND $scope
GROUP BY ALL
ORDER BY bucket
