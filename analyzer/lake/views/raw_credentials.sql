-- Gateways that write whole credentials into their logs, and the setting that stops it. Counts retained events only.
-- gateway: Kind of the gateway.
-- place: Where the credential was: authorization, header, query, cookie, message.
-- records: Events with a whole credential: refusals, and a sample of allowed requests.
-- first_seen: Time of the first one.
-- last_seen: Time of the latest one.
-- setting: What to change in the gateway's configuration.
-- source: Documentation or source code for it.
WITH seen AS (
    SELECT gateway, split_part(location, ':', 1) AS place, count(*) AS records,
        min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM store.events
    WHERE token_kind IN ('jws', 'jwe', 'opaque') AND (signature_bytes IS NULL OR signature_bytes > 0)
    GROUP BY ALL
)
SELECT seen.gateway, seen.place, seen.records, seen.first_seen, seen.last_seen,
    coalesce(exact.setting, whole.setting, other.setting) AS setting,
    coalesce(exact.source, whole.source, other.source) AS source
FROM seen
LEFT JOIN credential_settings AS exact ON exact.gateway = seen.gateway AND exact.place = seen.place
LEFT JOIN credential_settings AS whole ON whole.gateway = seen.gateway AND whole.place = ''
LEFT JOIN credential_settings AS other ON other.gateway = '' AND other.place = ''
