SELECT table_name AS view, column_name AS "column", data_type AS type, coalesce(comment, '') AS comment
FROM duckdb_columns()
WHERE database_name = 'lake' AND schema_name = 'main' AND table_name IN (
    'failures', 'groups', 'trend', 'traffic', 'issuers', 'keys', 'token_shapes', 'changes', 'samples', 'unclassified',
    'templates', 'pipeline', 'positions', 'notes'
)
ORDER BY table_name, column_index
