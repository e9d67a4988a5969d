-- Changes visible in the logs. Something seen for the first time is one row, however many writers saw it.
-- changed_at: Time of the change, by the event's clock.
-- kind: Kind of change: issuer_first_seen, kid_first_seen, gateway_first_seen, jwks_refreshed, config_loaded, marked (by `why401 mark`).
-- subject: The issuer, key id, gateway kind and version, key set, configuration, or what was marked.
-- gateway: Kind of the gateway that reported it.
-- detail: Further details; for a key id, its issuer.
-- is_baseline: Part of the initial state rather than a change: an issuer's first key, or anything in the store's first five minutes.
WITH happened AS (
    SELECT min(c.changed_at) AS changed_at, kind, subject, arg_min(gateway, c.changed_at) AS gateway, detail
    FROM store.changes AS c
    -- What happened again is a row of its own; what was seen for the first time is not.
    GROUP BY kind, subject, detail, CASE WHEN kind NOT LIKE '%\_first\_seen' ESCAPE '\' THEN (c.changed_at, gateway) END
)
SELECT changed_at, kind, subject, gateway, detail,
    CASE kind
        WHEN 'kid_first_seen' THEN changed_at = min(changed_at) OVER (PARTITION BY kind, detail)
        WHEN 'issuer_first_seen' THEN changed_at < min(changed_at) OVER () + INTERVAL 5 MINUTE
        WHEN 'gateway_first_seen' THEN changed_at < min(changed_at) OVER () + INTERVAL 5 MINUTE
        ELSE false
    END AS is_baseline
FROM happened
