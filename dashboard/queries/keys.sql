SELECT issuer, kid, alg, passing, failing, first_seen, first_passed, last_passed, last_seen,
    CASE
        WHEN last_passed IS NULL THEN 'never passed'
        WHEN first_seen >= $until - INTERVAL 1 DAY AND first_seen > min(first_seen) OVER (PARTITION BY issuer)
            THEN 'new'
        WHEN last_seen - last_passed > INTERVAL 10 MINUTE THEN 'stopped passing'
        ELSE 'passing'
    END AS state
FROM keys
WHERE last_seen >= $since AND ($issuer = '' OR issuer = $issuer)
ORDER BY failing DESC, issuer, kid
LIMIT 50
