-- Gateways of the last day: when the newest request of each was, how many came in the hour before that, and how many usually do.
WITH newest AS (
    SELECT gateway, max(minute) AS newest FROM counts
    WHERE minute >= $until - INTERVAL 1 DAY AND gateway <> '' GROUP BY gateway
),
rate AS (
    SELECT gateway, sum(requests) AS before FROM counts JOIN newest USING (gateway)
    WHERE minute >= $until - INTERVAL 25 HOUR AND minute > newest - INTERVAL 1 HOUR GROUP BY gateway
),
hours AS (SELECT gateway, days_ago, sum(requests) AS requests FROM usual GROUP BY ALL),
compared AS (
    SELECT gateway, median(requests) AS usually, count(*) AS days FROM hours GROUP BY gateway
),
known AS (SELECT count(DISTINCT days_ago) AS days FROM hours)
SELECT gateway, newest, coalesce(before, 0)::DOUBLE AS before,
    -- At an hour in which it sent on fewer than half of the known days, a gateway need not send.
    CASE WHEN known.days = 0 THEN NULL WHEN 2 * coalesce(compared.days, 0) < known.days THEN 0 ELSE usually END::DOUBLE AS usually
FROM newest CROSS JOIN known LEFT JOIN rate USING (gateway) LEFT JOIN compared USING (gateway)
ORDER BY newest DESC, gateway LIMIT 200
