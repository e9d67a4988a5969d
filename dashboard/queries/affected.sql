SELECT count(DISTINCT nullif(user_hash, '')) AS users, count(DISTINCT nullif(client_id, '')) AS clients,
    count(DISTINCT group_id) AS groups
FROM failures
WHERE event_time >= $since AND event_time < $until AND $scope
