SELECT event_time, gateway, gateway_instance, method, route, status, code, title, reason, message, issuer, client_id, kid, alg, audiences, scopes,
    user_hash, iat_offset_s, exp_offset_s, client_address, user_agent, request_id, trace_id, group_id
FROM failures
WHERE event_time >= $since AND event_time < $until AND $scope AND ($group = '' OR group_id = $group)
ORDER BY event_time DESC
LIMIT 200
