-- What is refused now against what is usual, by gateway and group: groups with failures in the last 24 hours, judged by the clock of the data.
-- gateway: Kind of the gateway; '' is all of them together.
-- group_id: Id of the group; '' is all refused requests together.
-- state: new (first seen in the last hour), escalating (more than usual since less than an hour), regressed (failed again after it was resolved, or after a day without failures), ongoing, resolved (by a person, or no failures for long enough), waiting (resolved from the next release on, and failing until then), muted, archived; '' for all of them together.
-- since: When it began: the first minute above what is usual, if it is above it, or was until it was resolved; else the first failure.
-- last_failed: Minute of the latest failure.
-- above_usual: More requests are refused than chance makes of what is usual, or were until it was resolved.
-- until: End of the newest minute, which the windows below end with.
-- requests_1: Requests in the newest minute, refused or not.
-- requests_2: Requests in the newest minute and the one before.
-- requests_5: Requests in the last 5 minutes.
-- requests_15: Requests in the last 15 minutes.
-- requests_60: Requests in the last 60 minutes.
-- failures_1: Failures in the newest minute.
-- failures_2: Failures in the newest minute and the one before.
-- failures_5: Failures in the last 5 minutes.
-- failures_15: Failures in the last 15 minutes.
-- failures_60: Failures in the last 60 minutes.
-- failures_day: Failures in the last 24 hours.
-- usual: Usual share of all requests that fail so, 0 to 1; NULL: no earlier traffic to compare with.
-- usual_from: Where that is from: week (this hour of earlier weeks), day (this hour of earlier days), best (the best half hours of the last day); '' without.
-- users: Users with failures in the last 60 minutes, as distinct pseudonyms.
-- clients: Clients with failures in the last 60 minutes.
WITH clock AS (SELECT max(minute) AS newest FROM store.rollups),
-- Sums are BIGINT at once: adding up HUGEINT, as sum() yields it, costs thrice as much.
today AS MATERIALIZED (
    SELECT minute, gateway, outcome <> 'allowed' AS fails, group_id, sum(requests)::BIGINT AS n
    FROM store.rollups
    WHERE minute > (SELECT newest - INTERVAL 1 DAY FROM clock)
    GROUP BY ALL
),
-- Every failure counts four times: for its gateway and for all of them, for its group and for all of them.
each AS (SELECT * FROM (VALUES (true), (false)) AS a (all_gateways), (VALUES (true), (false)) AS b (all_groups)),
traffic_now AS MATERIALIZED (
    SELECT coalesce(gateway, '') AS gateway, minute, sum(n)::BIGINT AS requests
    FROM today GROUP BY GROUPING SETS ((gateway, minute), (minute))
),
-- Numbers in place of pairs of names, since the day of a large store has half a million rows: s is a gateway's group, g the group's at all of them.
series AS MATERIALIZED (
    SELECT gateway, group_id, (row_number() OVER ())::INTEGER AS s
    FROM (
        SELECT DISTINCT if(all_gateways, '', gateway) AS gateway, if(all_groups, '', group_id) AS group_id
        FROM (SELECT DISTINCT gateway, group_id FROM today WHERE fails), each
        WHERE all_groups OR group_id <> ''
    )
),
numbered AS MATERIALIZED (
    SELECT one.s, every.s AS g, one.gateway, minute, n
    FROM today JOIN series AS one USING (gateway, group_id) JOIN series AS every ON every.gateway = '' AND every.group_id = today.group_id
    WHERE fails AND group_id <> ''
),
failing AS MATERIALIZED (
    SELECT s, gateway, minute, n FROM numbered
    UNION ALL
    SELECT g, '', minute, sum(n)::BIGINT FROM numbered GROUP BY g, minute
    UNION ALL
    SELECT s, gateway, minute, n
    FROM (
        SELECT coalesce(gateway, '') AS gateway, minute, sum(n)::BIGINT AS n
        FROM today WHERE fails GROUP BY GROUPING SETS ((gateway, minute), (minute))
    )
    JOIN series USING (gateway) WHERE group_id = ''
),
fives AS MATERIALIZED (
    SELECT s, epoch_us(minute) // 300000000 AS five, min(minute) AS first_failed, max(minute) AS last_failed,
        sum(n)::BIGINT AS n, sum(requests)::BIGINT AS requests
    FROM failing JOIN traffic_now USING (gateway, minute)
    GROUP BY s, five
),
windows AS (
    SELECT gateway,
        coalesce(sum(requests) FILTER (minute = newest), 0)::BIGINT AS requests_1,
        coalesce(sum(requests) FILTER (minute > newest - INTERVAL 2 MINUTE), 0)::BIGINT AS requests_2,
        coalesce(sum(requests) FILTER (minute > newest - INTERVAL 5 MINUTE), 0)::BIGINT AS requests_5,
        coalesce(sum(requests) FILTER (minute > newest - INTERVAL 15 MINUTE), 0)::BIGINT AS requests_15,
        coalesce(sum(requests) FILTER (minute > newest - INTERVAL 60 MINUTE), 0)::BIGINT AS requests_60
    FROM traffic_now, clock GROUP BY gateway
),
lately AS (
    SELECT s,
        coalesce(sum(n) FILTER (minute = newest), 0)::BIGINT AS failures_1,
        coalesce(sum(n) FILTER (minute > newest - INTERVAL 2 MINUTE), 0)::BIGINT AS failures_2,
        coalesce(sum(n) FILTER (minute > newest - INTERVAL 5 MINUTE), 0)::BIGINT AS failures_5,
        coalesce(sum(n) FILTER (minute > newest - INTERVAL 15 MINUTE), 0)::BIGINT AS failures_15,
        sum(n)::BIGINT AS failures_60
    FROM failing, clock WHERE minute > newest - INTERVAL 60 MINUTE GROUP BY s
),
counted AS MATERIALIZED (
    SELECT s, any_value(gateway) AS gateway, any_value(group_id) AS group_id,
        min(first_failed) AS first_failed, max(last_failed) AS last_failed, sum(n)::BIGINT AS failures_day
    FROM fives JOIN series USING (s) GROUP BY s
),
-- What is usual: the median of this hour in earlier weeks, else on earlier days (of two, the better one: one bad day
-- is not usual), else the best half hours of the last day, all that differ by no more than chance: a failure that goes on
-- for hours must not become usual.
earlier AS MATERIALIZED (FROM usual),
compared AS (
    SELECT 'week' AS basis, days_ago AS block, gateway, outcome, group_id, requests AS n FROM earlier WHERE days_ago % 7 = 0
    UNION ALL
    SELECT 'day', days_ago, gateway, outcome, group_id, requests FROM earlier WHERE days_ago <= 7
),
blocks AS MATERIALIZED (
    SELECT coalesce(gateway, '') AS gateway, basis, block, sum(n) AS requests
    FROM compared GROUP BY GROUPING SETS ((gateway, basis, block), (basis, block))
    HAVING sum(n) >= 20
    UNION ALL
    SELECT gateway, 'best', (epoch(newest - minute) // 1800)::BIGINT AS half_hour, sum(requests)
    FROM traffic_now, clock WHERE minute <= newest - INTERVAL 30 MINUTE
    GROUP BY gateway, half_hour HAVING sum(requests) >= 20
),
-- By name the best basis comes last: best, day, week.
bases AS MATERIALIZED (
    SELECT gateway, max(basis) AS basis
    FROM (SELECT gateway, basis FROM blocks GROUP BY ALL HAVING basis = 'best' OR count(*) >= 2)
    GROUP BY gateway
),
failed_then AS (
    SELECT if(all_gateways, '', gateway) AS gateway, if(all_groups, '', group_id) AS group_id, basis, block, sum(n) AS n
    FROM compared, each
    WHERE outcome <> 'allowed' AND (all_groups OR group_id <> '')
    GROUP BY ALL
    UNION ALL
    -- Only where nothing better is known: these are many.
    SELECT gateway, group_id, basis, (epoch(newest - minute) // 1800)::BIGINT AS half_hour, sum(n)
    FROM failing JOIN series USING (s, gateway) JOIN bases USING (gateway), clock
    WHERE basis = 'best' AND minute <= newest - INTERVAL 30 MINUTE
    GROUP BY ALL
),
blocks_of AS (
    SELECT counted.gateway, counted.group_id, basis, requests, coalesce(failed_then.n, 0) AS failures,
        failures / requests AS share,
        min((failures + 3 * sqrt(failures + 1) + 3) / requests) OVER (PARTITION BY counted.gateway, counted.group_id) AS as_good_as_best
    FROM counted JOIN bases USING (gateway) JOIN blocks USING (gateway, basis)
    LEFT JOIN failed_then USING (gateway, group_id, basis, block)
),
expected AS MATERIALIZED (
    SELECT gateway, group_id, any_value(basis) AS usual_from,
        CASE any_value(basis)
            WHEN 'best' THEN sum(failures) FILTER (share <= as_good_as_best) / sum(requests) FILTER (share <= as_good_as_best)
            ELSE quantile_disc(share, 0.4)
        END AS usual
    FROM blocks_of GROUP BY ALL
),
-- Five minutes stand out when they hold more failures than chance makes of what is usual; thirty without end an episode.
outstanding AS (
    SELECT s, five, n, coalesce(usual, 0) * requests AS expect,
        five - lag(five) OVER (PARTITION BY s ORDER BY five) <= 6 AS continues
    FROM fives JOIN series USING (s) LEFT JOIN expected USING (gateway, group_id)
    WHERE n > 2 AND n > expect + 3 * sqrt(expect) + 2
),
episodes AS (
    SELECT s, max(five) FILTER (continues IS NOT TRUE) AS began, max(five) AS latest,
        arg_max(n, five) FILTER (continues IS NOT TRUE) / 5 AS a_minute
    FROM outstanding GROUP BY s
),
onsets AS (
    SELECT s, min(minute) AS began, any_value(latest) AS latest
    FROM (
        SELECT s, minute, n, latest, a_minute, coalesce(usual, 0) * requests AS expect
        -- Equal fives, not a range of them: the join looks at few rows.
        FROM (SELECT * EXCLUDE (began), unnest([began - 1, began]) AS five FROM episodes)
        JOIN (SELECT *, epoch_us(minute) // 300000000 AS five FROM failing) USING (s, five)
        JOIN series USING (s, gateway)
        JOIN traffic_now USING (gateway, minute)
        LEFT JOIN expected USING (gateway, group_id)
    )
    WHERE n > expect + 3 * sqrt(expect) AND n >= a_minute / 3
    GROUP BY s
),
-- Silent for five minutes or more, in which its own rate lets at least ten failures expect; or for an hour.
silent AS (
    SELECT gateway, group_id, onsets.began IS NOT NULL AS was_above_usual, coalesce(onsets.began, first_failed) AS began,
        coalesce(latest * 300000000 >= epoch_us(newest - INTERVAL 20 MINUTE), false) AS is_above_usual,
        epoch(newest - last_failed) / 60 AS silent_minutes,
        failures_day / (epoch(last_failed - coalesce(onsets.began, first_failed)) / 60 + 1) AS per_minute,
        silent_minutes >= 60 OR (silent_minutes >= 5 AND silent_minutes * per_minute >= 10) AS is_over
    FROM counted CROSS JOIN clock LEFT JOIN onsets USING (s)
),
people AS (
    SELECT if(all_gateways, '', gateway) AS gateway, if(all_groups, '', group_id) AS group_id,
        count(DISTINCT nullif(user_hash, '')) AS users, count(DISTINCT nullif(client_id, '')) AS clients
    FROM store.events, each
    WHERE outcome IN ('denied', 'error') AND event_time >= (SELECT newest - INTERVAL 59 MINUTE FROM clock)
    GROUP BY ALL
),
seen AS (
    SELECT group_id, min(first_seen) AS first_seen FROM store.deltas WHERE kind = 'group' GROUP BY group_id
)
SELECT gateway, group_id,
    CASE
        WHEN group_id = '' THEN ''
        WHEN decisions.state IN ('muted', 'archived') THEN decisions.state
        WHEN is_over THEN 'resolved'
        WHEN failed_again THEN 'regressed'
        WHEN is_waiting THEN 'waiting'
        WHEN decisions.state = 'resolved' THEN 'resolved'
        WHEN first_seen > newest - INTERVAL 1 HOUR THEN 'new'
        WHEN first_seen < newest - INTERVAL 1 DAY AND first_failed > newest - INTERVAL 1 HOUR THEN 'regressed'
        WHEN is_above_usual AND began > newest - INTERVAL 1 HOUR THEN 'escalating'
        ELSE 'ongoing'
    END AS state,
    CASE WHEN is_above_usual OR (was_above_usual AND is_over) THEN began ELSE least(first_failed, first_seen) END AS since,
    last_failed,
    is_above_usual OR (was_above_usual AND is_over) AS above_usual,
    newest + INTERVAL 1 MINUTE AS until,
    requests_1, requests_2, requests_5, requests_15, requests_60,
    coalesce(failures_1, 0) AS failures_1, coalesce(failures_2, 0) AS failures_2, coalesce(failures_5, 0) AS failures_5,
    coalesce(failures_15, 0) AS failures_15, coalesce(failures_60, 0) AS failures_60, failures_day,
    usual, coalesce(usual_from, '') AS usual_from,
    coalesce(users, 0) AS users, coalesce(clients, 0) AS clients
FROM counted
CROSS JOIN clock
JOIN windows USING (gateway)
LEFT JOIN lately USING (s)
LEFT JOIN expected USING (gateway, group_id)
JOIN silent USING (gateway, group_id)
LEFT JOIN people USING (gateway, group_id)
LEFT JOIN seen USING (group_id)
LEFT JOIN decisions ON decisions.group_id = counted.group_id
