WITH newest AS (
    SELECT issuer, kid, alg, typ, token_kind, array_to_string(audiences, ', ') AS audience,
        array_to_string(scopes, ' ') AS scope
    FROM failures WHERE group_id = $group AND event_time >= $since AND event_time < $until ORDER BY event_time DESC LIMIT 5000
), received AS (
    UNPIVOT newest ON issuer, audience, kid, alg, typ, token_kind, scope INTO NAME field VALUE value
), ranked AS (
    SELECT field, value, count(*) / sum(count(*)) OVER (PARTITION BY field) AS share
    FROM received WHERE value <> '' GROUP BY field, value
    QUALIFY row_number() OVER (PARTITION BY field ORDER BY count(*) DESC, value) <= 3
), concerned AS (
    SELECT DISTINCT issuer FROM newest
), passing AS (
    SELECT 'issuer' AS field, issuer AS value, sum(passing) AS n FROM issuers GROUP BY ALL
    UNION ALL SELECT 'kid', kid, sum(passing) FROM keys SEMI JOIN concerned USING (issuer) GROUP BY ALL
    UNION ALL SELECT 'alg', alg, sum(passing) FROM token_shapes SEMI JOIN concerned USING (issuer) GROUP BY ALL
    UNION ALL SELECT 'typ', typ, sum(passing) FROM token_shapes SEMI JOIN concerned USING (issuer) GROUP BY ALL
    UNION ALL SELECT 'token_kind', token_kind, sum(passing) FROM token_shapes SEMI JOIN concerned USING (issuer) GROUP BY ALL
), best AS (
    SELECT field, string_agg(value, '  or  ' ORDER BY n DESC) AS passes
    FROM (
        SELECT * FROM passing WHERE n > 0 AND value <> ''
        QUALIFY row_number() OVER (PARTITION BY field ORDER BY n DESC, value) <= 3
    )
    GROUP BY field
)
SELECT field, ranked.value AS received, ranked.share, coalesce(best.passes, '') AS passes
FROM ranked LEFT JOIN best USING (field)
ORDER BY list_position(['issuer', 'audience', 'kid', 'alg', 'typ', 'token_kind', 'scope'], field), share DESC
