SELECT c.changed_at AS moment, c.kind, c.subject, c.gateway, c.detail
FROM changes c
WHERE NOT c.is_baseline AND c.changed_at >= $since AND c.changed_at < $until AND ($gateway = '' OR c.gateway IN ('', $gateway))
ORDER BY moment DESC
LIMIT 60
