-- Share of failing tokens of this group, and of passing ones, that have each property. Passing tokens of the same
-- issuers where there are any, else of every issuer.
WITH failing_tokens AS (
    SELECT 1::BIGINT AS n, map_keys(claims) AS claim_names, alg, typ, token_kind, issuer
    FROM failures WHERE group_id = $group ORDER BY event_time DESC LIMIT 5000
), concerned AS (
    SELECT DISTINCT issuer FROM failing_tokens
), same_issuer AS (
    SELECT coalesce(sum(passing), 0) > 0 AS known FROM token_shapes SEMI JOIN concerned USING (issuer)
), passing_tokens AS (
    SELECT passing AS n, claim_names, alg, typ, token_kind
    FROM token_shapes, same_issuer
    WHERE passing > 0 AND (NOT same_issuer.known OR issuer IN (FROM concerned))
), properties AS (
    SELECT 'failing' AS side, n, property FROM (
        SELECT n, unnest(list_concat(
            list_transform(claim_names, lambda c: 'claim ' || c),
            ['alg ' || alg, 'typ ' || typ, 'kind ' || token_kind])) AS property FROM failing_tokens)
    UNION ALL
    SELECT 'passing', n, property FROM (
        SELECT n, unnest(list_concat(
            list_transform(claim_names, lambda c: 'claim ' || c),
            ['alg ' || alg, 'typ ' || typ, 'kind ' || token_kind])) AS property FROM passing_tokens)
), totals AS (
    SELECT (SELECT sum(n) FROM failing_tokens) AS failing, (SELECT sum(n) FROM passing_tokens) AS passing
), shares AS (
    SELECT property,
        coalesce(sum(n) FILTER (side = 'failing'), 0) / nullif(any_value(totals.failing), 0) AS failing,
        coalesce(sum(n) FILTER (side = 'passing'), 0) / nullif(any_value(totals.passing), 0) AS passing
    FROM properties, totals
    WHERE split_part(property, ' ', 2) <> ''
    GROUP BY property
)
SELECT property, failing, passing, known AS same_issuer
FROM shares, same_issuer
ORDER BY abs(coalesce(failing, 0) - coalesce(passing, 0)) DESC, property
LIMIT 14
