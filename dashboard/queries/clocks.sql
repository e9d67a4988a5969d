-- The youngest token of each verifier: 98 % quantile, because one wrong claim is not a clock.
SELECT gateway, coalesce(nullif(gateway_instance, ''), gateway) AS instance,
    coalesce(nullif(issuer, ''), '(no issuer)') AS issuer,
    quantile_cont(iat_offset_s, 0.98) AS youngest_iat_s,
    min(-exp_offset_s) FILTER (exp_offset_s < 0) AS least_expired_s,
    count(iat_offset_s) AS tokens
FROM failures
WHERE event_time >= $since AND event_time < $until AND iat_offset_s IS NOT NULL
    AND $scope
GROUP BY ALL
HAVING tokens >= 5
ORDER BY abs(youngest_iat_s) ASC
LIMIT 40
