SELECT event_time, gateway, gateway_instance, gateway_version, method, route, host, status, outcome, responder, code, cause,
    confidence, group_id, title, near_miss, library, client_address, user_agent, trace_id, request_id, reason, message,
    challenge, flags, upstream_status, token_kind, scheme, location, token_size, alg, typ, kid, issuer,
    array_to_string(audiences, ' ') AS audiences, client_id, array_to_string(scopes, ' ') AS scopes,
    array_to_string(map_keys(claims), ' ') AS claim_names, array_to_string(anomalies, ' ') AS anomalies, verification,
    user_hash, key_epoch, iat_offset_s, nbf_offset_s, exp_offset_s
FROM failures
WHERE group_id = $group AND event_time >= $since AND event_time < $until
ORDER BY event_time DESC
LIMIT 10000
