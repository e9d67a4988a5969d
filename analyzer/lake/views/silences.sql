-- What alerts a person wants to hear nothing of, one row per silence that was set; the latest of a subject counts.
-- subject: A rule, the id of an alert, or all.
-- until: When the silence ends.
-- set_at: When it was set.
-- author: Person who set it.
-- note: Why.
SELECT subject, arg_max(until, noted_at) AS until, max(noted_at) AS set_at,
    arg_max(author, noted_at) AS author, arg_max(says, noted_at) AS note
FROM store.alerts
WHERE step = 'silenced'
GROUP BY subject
