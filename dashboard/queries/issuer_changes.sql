SELECT changed_at, kind, subject, gateway, detail
FROM changes
WHERE NOT is_baseline AND changed_at >= $since AND changed_at < $until AND ($issuer = '' OR subject = $issuer OR detail = $issuer OR contains(detail, $issuer))
    AND ($gateway = '' OR gateway IN ('', $gateway))
ORDER BY changed_at DESC
LIMIT 100
