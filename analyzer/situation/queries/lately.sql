SELECT changed_at, kind, subject, gateway, detail
FROM changes
WHERE NOT is_baseline AND changed_at >= $since
ORDER BY changed_at DESC, kind, subject
LIMIT 500
