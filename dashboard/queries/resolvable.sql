SELECT lower(table_name) AS name FROM duckdb_tables()
UNION
SELECT lower(view_name) FROM duckdb_views()
UNION
SELECT lower(function_name) FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro', 'pragma')
