-- The view `raw_credentials` counts all events that are kept; this reads only those of the window.
WITH logged AS (
    SELECT gateway, location, token_kind, signature_bytes, event_time FROM failures WHERE event_time >= $since AND event_time < $until
    UNION ALL
    SELECT gateway, location, token_kind, signature_bytes, event_time FROM passing_samples WHERE event_time >= $since AND event_time < $until
), seen AS (
    SELECT gateway, split_part(location, ':', 1) AS place, count(*) AS records, max(event_time) AS last_seen
    FROM logged
    WHERE token_kind IN ('jws', 'jwe', 'opaque') AND (signature_bytes IS NULL OR signature_bytes > 0) AND ($gateway = '' OR gateway = $gateway)
    GROUP BY gateway, place
)
SELECT seen.gateway, seen.place, records, last_seen,
    coalesce(exact.setting, whole.setting, other.setting) AS setting, coalesce(exact.source, whole.source, other.source) AS source
FROM seen
LEFT JOIN credential_settings AS exact ON exact.gateway = seen.gateway AND exact.place = seen.place
LEFT JOIN credential_settings AS whole ON whole.gateway = seen.gateway AND whole.place = ''
LEFT JOIN credential_settings AS other ON other.gateway = '' AND other.place = ''
ORDER BY records DESC, seen.gateway, seen.place
LIMIT 50
