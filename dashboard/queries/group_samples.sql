SELECT event_time, gateway, gateway_instance, method, route, status, reason, message, responder, client_id, user_hash,
    issuer, audiences, kid, alg, token_kind, iat_offset_s, exp_offset_s, client_address, user_agent, request_id, trace_id
FROM failures
WHERE group_id = $group AND event_time >= $since AND event_time < $until
ORDER BY event_time DESC, origin_offset DESC
LIMIT 20
