-- Every view of the lake. DuckLake keeps no comments of a view's columns; the view `dictionary` has them.
SELECT c.table_name AS view, c.column_name AS "column", c.data_type AS type, coalesce(d.comment, '') AS comment
FROM duckdb_columns() AS c
LEFT JOIN dictionary AS d ON d.view_name = c.table_name AND d.column_name = c.column_name
WHERE c.database_name = 'lake' AND c.schema_name = 'main'
ORDER BY c.table_name, c.column_index
