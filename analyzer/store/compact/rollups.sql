SELECT
    minute, gateway, gateway_instance, route, issuer, client_id, outcome, responder, cause, code, group_id,
    sum(requests)::BIGINT AS requests
FROM store.rollups
WHERE minute >= $since AND minute < $until
GROUP BY ALL
ORDER BY minute
