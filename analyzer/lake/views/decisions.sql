-- What counts of what people decided about groups, one row per group with a decision; judged by the clock of the data.
-- group_id: Id of the group.
-- state: State set by a person, as it counts now: open (also a mute that is over), resolved, muted, archived.
-- decided_at: When the state was set; NULL: never.
-- author: Person who set it.
-- muted_until: End of the mute; NULL: for good, or not muted.
-- next_release: It is resolved from the next release on.
-- released_at: The first release after that: a mark, or a gateway version that was new then and failed so; NULL: none yet.
-- failed_again: It is resolved and failed after that; with next_release: after a mark, or with a gateway version that was new then.
-- is_waiting: It is resolved from the next release on, failed since, and there is no release yet.
-- assignee: Person whose task it is; '' is nobody.
-- merged_into: Group that it is shown as one with; its own id: it is never shown as one with others; '': neither.
WITH noted AS (
    SELECT group_id,
        arg_max(n, noted_at) FILTER (state IS NOT NULL) AS stated,
        arg_max(assignee, noted_at) FILTER (assignee IS NOT NULL) AS assignee,
        arg_max(merged_into, noted_at) FILTER (merged_into IS NOT NULL) AS merged_into
    FROM store.notes AS n GROUP BY group_id
),
resolved AS (
    SELECT group_id, stated.noted_at AS decided_at, coalesce(stated.next_release, false) AS next_release
    FROM noted WHERE stated.state = 'resolved'
),
seen AS MATERIALIZED (
    SELECT group_id, kind, gateway, value, max(last_seen) AS last_seen
    FROM (
        -- Two conditions that each can be looked up: one OR of both reads every member.
        SELECT group_id, kind, gateway, value, last_seen FROM store.deltas WHERE kind IN ('group', 'release')
        UNION ALL
        SELECT group_id, kind, gateway, value, last_seen FROM store.deltas WHERE kind = 'member' AND name = 'gateway'
    )
    WHERE group_id IN (SELECT group_id FROM resolved)
    GROUP BY ALL
),
failed AS (SELECT group_id, max(last_seen) AS last_seen FROM seen WHERE kind = 'group' GROUP BY group_id),
versions AS (SELECT group_id, concat_ws(' ', gateway, value) AS version, last_seen FROM seen WHERE kind = 'release'),
gateways AS (SELECT DISTINCT group_id, value AS gateway FROM seen WHERE kind = 'member'),
happened AS MATERIALIZED (
    SELECT kind, subject, gateway, changed_at FROM store.changes WHERE kind IN ('marked', 'gateway_first_seen')
),
marks AS (
    SELECT group_id, changed_at FROM gateways JOIN happened AS h ON kind = 'marked' AND h.gateway IN ('', gateways.gateway)
),
first_sights AS (
    SELECT subject, min(changed_at) AS seen_at FROM happened WHERE kind = 'gateway_first_seen' GROUP BY subject
),
released AS (
    SELECT group_id, min(released_at) AS released_at, max(last_seen) AS last_seen
    FROM (
        SELECT group_id, seen_at AS released_at, last_seen
        FROM resolved JOIN versions USING (group_id) JOIN first_sights ON subject = version
        WHERE next_release AND seen_at > decided_at
        UNION ALL
        SELECT group_id, changed_at, last_seen
        FROM resolved JOIN failed USING (group_id) JOIN marks USING (group_id)
        WHERE next_release AND changed_at > decided_at
    )
    GROUP BY group_id
),
-- The data's clock, not the wall's, as everywhere.
clock AS (SELECT max(last_seen) AS now FROM store.deltas WHERE kind = 'credential')
SELECT group_id,
    CASE
        WHEN stated.state = 'muted' AND stated.muted_until <= now THEN 'open'
        ELSE coalesce(stated.state, 'open')
    END AS state,
    stated.noted_at AS decided_at, coalesce(stated.author, '') AS author,
    stated.muted_until AS muted_until, coalesce(next_release, false) AS next_release, released_at,
    coalesce(if(next_release, released.last_seen >= released_at, failed.last_seen > decided_at), false) AS failed_again,
    coalesce(next_release AND released_at IS NULL AND failed.last_seen > decided_at, false) AS is_waiting,
    coalesce(assignee, '') AS assignee, coalesce(merged_into, '') AS merged_into
FROM noted
CROSS JOIN clock
LEFT JOIN resolved USING (group_id)
LEFT JOIN failed USING (group_id)
LEFT JOIN released USING (group_id)
