-- Unexplained messages, one row per wording: those of `unclassified` with <*> for every value.
-- template_id: Id of the wording; `why401 propose ID` writes a knowledge entry for it.
-- template: The message with <*> in place of values.
-- example: One of the messages.
-- gateways: Kinds of the gateways that logged it.
-- reasons: Why records were not parsed, or the machine-readable reasons of the gateway; at most 10.
-- records: Number of records.
-- messages: Number of different messages.
-- first_seen: Time of the first one.
-- last_seen: Time of the latest one.
WITH shaped AS (
    -- The expressions are those of analyzer/templates/value_forms.py, which explains them; a test compares.
    SELECT *, regexp_replace(regexp_replace(template,
        '((?:[{,] ?["''])?\b(?:error|error_description|reason|message|msg|code|detail|description|status|type)["'']? ?[=:] ?["'']|[{,] ?["''][A-Za-z_][A-Za-z0-9_.-]*["''] ?:|["''`](?:exp|nbf|iat|iss|aud|sub|jti|kid|alg|typ|cty|crit|enc|zip|azp|scope|scp|nonce|at_hash|auth_time)["''`]|["''`][A-Z][A-Z0-9]*_[A-Z0-9_]+["''`]|\b[A-Z]+[-_][0-9]+\b)|(")[^"\s,;:)}\]][^"\s]*(")|('')[^''\s,;:)}\]][^''\s]*('')|(`)[^`\s,;:)}\]][^`\s]*(`)|\[(?:token|secret|user|email|key|cookie|phone|card|mac|-)\]|\{(?:id|q|hex|n)\}|\b[A-Za-z][A-Za-z0-9+.-]*://[^\s"''`<>,;()\[\]{}|]+|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b|\b[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?)?(?:Z| ?[+-][0-9]{2}:?[0-9]{2})?(?: UTC\b)?|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [0-9A-Z][0-9A-Za-z]+ [0-9A-Za-z]+(?: [0-9]{4})? [0-9]{2}:[0-9]{2}:[0-9]{2}(?: (?:GMT|UTC|[0-9]{4}))?|\b(?:[0-9][0-9A-Fa-f]*|f[cde][0-9a-f]+):[0-9A-Fa-f]*:[0-9A-Fa-f:]*(?:/[0-9]+)?|\b(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|h|m|s))+\b|\b[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*[-_][0-9]+\b|(?:\B-)?\b[0-9]+(?:[.,:/][0-9]+)*\b|\b(?:[HRPE]S(?:256|384|512)K?|EdDSA)\b|\b0x[0-9A-Fa-f]+\b|\b[0-9a-f]*(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]{6,}\b|\b[A-Za-z]*[0-9]+[A-Za-z]+[0-9]+[0-9A-Za-z]*\b|\B/[A-Za-z0-9_.~%*-]+(?:/[A-Za-z0-9_.~%*-]*)*|\b[A-Za-z0-9+]{60,}', '\1\2\4\6<*>\3\5\7', 'g'),
        '((?:[{,] ?["''])?\b(?:error|error_description|reason|message|msg|code|detail|description|status|type)["'']? ?[=:] ?["'']|[{,] ?["''][A-Za-z_][A-Za-z0-9_.-]*["''] ?:|["''`](?:exp|nbf|iat|iss|aud|sub|jti|kid|alg|typ|cty|crit|enc|zip|azp|scope|scp|nonce|at_hash|auth_time)["''`]|["''`][A-Z][A-Z0-9]*_[A-Z0-9_]+["''`]|\b[A-Z]+[-_][0-9]+\b)<\*>', '\1', 'g') AS shape
    FROM unclassified
)
SELECT 't-' || left(sha256(shape), 8) AS template_id, shape AS template, min(template) AS example,
    list(DISTINCT gateway ORDER BY gateway) AS gateways, list(DISTINCT reason ORDER BY reason)[1:10] AS reasons,
    sum(records)::BIGINT AS records, count(DISTINCT template) AS messages,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM shaped
GROUP BY shape
