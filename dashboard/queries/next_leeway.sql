-- Tokens that passed although a time in them was not: only the leeway let them.
SELECT issuer, gateway, gateway_instance,
    count(*) AS tokens,
    count(*) FILTER (exp_offset_s < 0) AS expired, count(*) FILTER (iat_offset_s > 0 OR nbf_offset_s > 0) AS early,
    max(-exp_offset_s) FILTER (exp_offset_s < 0) AS longest_expired_s, max(greatest(coalesce(iat_offset_s, 0), coalesce(nbf_offset_s, 0))) AS most_early_s
FROM passing_samples
WHERE event_time >= $since AND event_time < $until AND ($gateway = '' OR gateway = $gateway) AND ($issuer = '' OR issuer = $issuer)
GROUP BY ALL
HAVING expired + early > 0
ORDER BY expired + early DESC, issuer
LIMIT 50
