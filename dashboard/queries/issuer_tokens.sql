-- What tokens of an issuer were like in the window, of the sample of passing requests and of the newest refused ones: times, audiences, scopes.
WITH tokens AS (
    SELECT true AS passes, issuer, audiences, scopes, iat_offset_s, exp_offset_s FROM passing_samples
    WHERE event_time >= $since AND event_time < $until
    UNION ALL
    (SELECT false, issuer, audiences, scopes, iat_offset_s, exp_offset_s FROM failures
    WHERE event_time >= $since AND event_time < $until AND $scope ORDER BY event_time DESC LIMIT 20000)
), listed AS (
    SELECT issuer, passes, unnest(audiences) AS audience FROM tokens
), audiences AS (
    SELECT issuer, list(audience ORDER BY n DESC, audience) FILTER (passes) AS accepted, list(audience ORDER BY n DESC, audience) FILTER (NOT passes) AS refused
    FROM (SELECT issuer, passes, audience, count(*) AS n FROM listed GROUP BY issuer, passes, audience QUALIFY row_number() OVER (PARTITION BY issuer, passes ORDER BY count(*) DESC) <= 5)
    GROUP BY issuer
)
SELECT issuer, count(*) AS tokens, count(*) FILTER (passes) AS passing, median(exp_offset_s - iat_offset_s) AS lifetime_s,
    quantile_cont(iat_offset_s, 0.98) AS youngest_iat_s, any_value(accepted) AS accepted, any_value(audiences.refused) AS refused
FROM tokens LEFT JOIN audiences USING (issuer)
WHERE issuer <> '' AND ($issuer = '' OR issuer = $issuer)
GROUP BY issuer
ORDER BY tokens DESC, issuer
LIMIT 100
