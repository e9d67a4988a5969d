SELECT template_id, template, gateways, reasons, records, messages, first_seen, last_seen
FROM templates
WHERE last_seen >= $since AND ($gateway = '' OR list_contains(gateways, $gateway))
ORDER BY records DESC, template_id
LIMIT 50
