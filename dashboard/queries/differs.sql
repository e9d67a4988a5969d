-- How often each value of every field occurs in failing requests and in the sample of passing ones, of the same issuers where any pass.
WITH failing AS (
    SELECT 'failing' AS side, gateway, gateway_instance, gateway_version, method, route, host, client_address, user_agent, user_agent_version, client_version, token_kind, scheme,
        location, alg, typ, kid, issuer, audiences, client_id, scopes, map_keys(claims) AS claims, iat_offset_s, exp_offset_s, event_time
    FROM failures
    WHERE event_time >= $since AND event_time < $until AND $scope AND ($group = '' OR group_id = $group)
    ORDER BY event_time DESC
    LIMIT 5000
), sampled AS (
    SELECT 'passing' AS side, gateway, gateway_instance, gateway_version, method, route, host, client_address, user_agent, user_agent_version, client_version, token_kind, scheme,
        location, alg, typ, kid, issuer, audiences, client_id, scopes, map_keys(claims) AS claims, iat_offset_s, exp_offset_s, event_time
    FROM passing_samples
    WHERE event_time >= $since AND event_time < $until
), same_issuer AS (
    SELECT count(*) > 0 AS known FROM sampled WHERE issuer IN (SELECT issuer FROM failing)
), compared AS (
    FROM failing
    UNION ALL
    (SELECT sampled.* FROM sampled, same_issuer WHERE NOT known OR issuer IN (SELECT issuer FROM failing) ORDER BY event_time DESC LIMIT 5000)
), valued AS (
    SELECT side, unnest([
        {'field': 'Gateway', 'value': gateway}, {'field': 'Instance', 'value': gateway_instance}, {'field': 'Gateway version', 'value': gateway_version},
        {'field': 'Method', 'value': method}, {'field': 'Route', 'value': route}, {'field': 'Host', 'value': host}, {'field': 'Network', 'value': client_address},
        {'field': 'User agent', 'value': user_agent}, {'field': 'User agent version', 'value': concat_ws(' ', user_agent, nullif(user_agent_version, ''))},
        {'field': 'Client', 'value': client_id}, {'field': 'Client version', 'value': if(client_version = '', '', concat_ws(' ', client_id, client_version))}, {'field': 'Credential', 'value': token_kind},
        {'field': 'Scheme', 'value': scheme}, {'field': 'Location', 'value': location}, {'field': 'alg', 'value': alg}, {'field': 'typ', 'value': typ},
        {'field': 'kid', 'value': kid}, {'field': 'Issuer', 'value': issuer}, {'field': 'Hour (UTC)', 'value': strftime(event_time, '%d %b %H:00')},
        {'field': 'Age of token', 'value': CASE WHEN iat_offset_s IS NULL THEN '' WHEN iat_offset_s > 0 THEN 'issued in the future'
            WHEN iat_offset_s > -60 THEN 'less than 1 min' WHEN iat_offset_s > -600 THEN '1 to 10 min' WHEN iat_offset_s > -3600 THEN '10 to 60 min' ELSE '1 h or more' END},
        {'field': 'Time until exp', 'value': CASE WHEN exp_offset_s IS NULL THEN '' WHEN exp_offset_s < 0 THEN 'expired' WHEN exp_offset_s < 60 THEN 'less than 1 min'
            WHEN exp_offset_s < 600 THEN '1 to 10 min' WHEN exp_offset_s < 3600 THEN '10 to 60 min' ELSE '1 h or more' END}
    ]) AS entry
    FROM compared
    UNION ALL
    SELECT side, {'field': 'Audience', 'value': unnest(list_distinct(audiences))} FROM compared
    UNION ALL
    SELECT side, {'field': 'Scope', 'value': unnest(list_distinct(scopes))} FROM compared
    UNION ALL
    SELECT side, {'field': 'Claim', 'value': unnest(claims)} FROM compared
), totals AS (
    SELECT count(*) FILTER (side = 'failing') AS all_failing, count(*) FILTER (side = 'passing') AS all_passing FROM compared
)
SELECT entry.field AS field, entry.value AS value, count(*) FILTER (side = 'failing') AS failing, count(*) FILTER (side = 'passing') AS passing,
    any_value(all_failing) AS all_failing, any_value(all_passing) AS all_passing, any_value(known) AS same_issuer
FROM valued, totals, same_issuer
WHERE entry.value <> ''
GROUP BY entry.field, entry.value
QUALIFY row_number() OVER (PARTITION BY entry.field ORDER BY count(*) DESC, entry.value) <= 50
