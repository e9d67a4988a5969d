WITH affected AS (
    SELECT gateway || coalesce(' · ' || nullif(gateway_instance, ''), '') AS gateway, route,
        coalesce(nullif(client_id, ''), '(not known)') AS client, user_hash
    FROM failures
    WHERE group_id = $group AND event_time >= $since AND event_time < $until AND $scope
), listed AS (
    SELECT 'gateway' AS kind, gateway AS value, user_hash FROM affected
    UNION ALL SELECT 'route', route, user_hash FROM affected
    UNION ALL SELECT 'client', client, user_hash FROM affected
)
SELECT kind, value, count(*) AS failures, count(DISTINCT nullif(user_hash, '')) AS users
FROM listed
GROUP BY kind, value
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY failures DESC, value) <= 8
ORDER BY kind, failures DESC
