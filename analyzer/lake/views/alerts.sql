-- Alerts (docs/alerts.md), one row each: what was found, and which channels got it.
-- alert_id: Id of the alert.
-- rule: Rule that found it: new, escalating, regressed, spike, objective, unclassified, silence, late; limit: more alerts than are sent in an hour.
-- subject: What it is about: the first group of a problem, a gateway, refusals or records; all.
-- severity: critical or warning.
-- state: firing, resolved; held: not sent, because there were too many.
-- since: When what it is about began.
-- opened_at: When it was found.
-- resolved_at: When it was found to be over; NULL: not yet.
-- title: Title of the message.
-- says: Text of the message.
-- groups: Groups of the problems that it is about.
-- sent_to: Channels that took a message.
-- failures: Messages that a channel did not take.
SELECT alert_id,
    any_value(rule) FILTER (step IN ('opened', 'held')) AS rule,
    any_value(subject) FILTER (step IN ('opened', 'held')) AS subject,
    arg_max(severity, noted_at) FILTER (severity <> '') AS severity,
    CASE
        WHEN count(*) FILTER (step = 'resolved') > 0 THEN 'resolved'
        WHEN count(*) FILTER (step IN ('opened', 'released')) = 0 THEN 'held'
        ELSE 'firing'
    END AS state,
    min(since) AS since,
    min(noted_at) AS opened_at,
    max(noted_at) FILTER (step = 'resolved') AS resolved_at,
    arg_max(title, noted_at) FILTER (step IN ('opened', 'held', 'worse')) AS title,
    arg_max(says, noted_at) FILTER (step IN ('opened', 'held', 'worse')) AS says,
    list_sort(list_distinct(flatten(list(groups)))) AS groups,
    coalesce(list_sort(list(DISTINCT channel) FILTER (step = 'sent')), []) AS sent_to,
    count(*) FILTER (step = 'failed')::BIGINT AS failures
FROM store.alerts
WHERE alert_id <> ''
GROUP BY alert_id
HAVING count(*) FILTER (step IN ('opened', 'held')) > 0
