-- Changes visible in the logs. Something seen for the first time is one row, however many writers saw it.
-- changed_at: Time of the change, by the event's clock.
-- kind: Kind of change: issuer_first_seen, kid_first_seen, gateway_first_seen; client_version_changed, audience_changed, claims_changed (a client sends what it did not send before); jwks_refreshed, config_loaded, marked (by `why401 mark`).
-- subject: The issuer, key id, gateway kind and version, key set, configuration, or what was marked; `shop 7.1.0`, `orders from shop`, `without email`.
-- gateway: Kind of the gateway that reported it.
-- detail: Further details; for a key id and for what a client sends, the issuer.
-- is_baseline: Part of the initial state rather than a change: an issuer's first key, or anything in the store's first five minutes.
WITH happened AS (
    SELECT min(c.changed_at) AS changed_at, kind, subject, arg_min(gateway, c.changed_at) AS gateway, detail
    FROM store.changes AS c
    -- What happened again is a row of its own; what was seen for the first time is not, nor what several writers saw.
    GROUP BY kind, subject, detail, CASE
        WHEN kind LIKE '%\_first\_seen' ESCAPE '\' THEN NULL
        WHEN kind LIKE '%\_changed' ESCAPE '\' THEN (time_bucket(INTERVAL 1 HOUR, c.changed_at), '')
        ELSE (c.changed_at, gateway)
    END
)
SELECT changed_at, kind, subject, gateway, detail,
    CASE kind
        WHEN 'kid_first_seen' THEN changed_at = min(changed_at) OVER (PARTITION BY kind, detail)
        WHEN 'issuer_first_seen' THEN changed_at < min(changed_at) OVER () + INTERVAL 5 MINUTE
        WHEN 'gateway_first_seen' THEN changed_at < min(changed_at) OVER () + INTERVAL 5 MINUTE
        ELSE false
    END AS is_baseline
FROM happened
