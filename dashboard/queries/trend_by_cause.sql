SELECT time_bucket(to_seconds($bucket_s::BIGINT), minute) AS bucket, cause, sum(requests)::BIGINT AS requests
FROM counts
WHERE minute >= $since AND minute < $until AND outcome <> 'allowed' AND $scope
GROUP BY ALL
ORDER BY bucket, cause
