-- What `why401 sql --serve` answers: the lists and the rules of analyzer/lake/allow_list.py, in SQL, because quack asks a macro.
-- Braces are filled in by authorization.py. Every macro is total: what cannot be judged is NULL, and NULL is refused.

-- The facts of each node of DuckDB's own syntax tree. json_tree's `value` is not read: it would be quadratic.
CREATE MACRO sec.main.nodes(tree) AS TABLE
    SELECT path,
        max(atom->>'$') FILTER (key = 'type') AS type,
        lower(max(atom->>'$') FILTER (key = 'table_name')) AS table_name,
        lower(max(atom->>'$') FILTER (key = 'schema_name')) AS schema_name,
        lower(max(atom->>'$') FILTER (key = 'catalog_name')) AS catalog_name,
        lower(max(atom->>'$') FILTER (key = 'function_name')) AS function_name,
        lower(max(atom->>'$') FILTER (key = 'schema')) AS function_schema,
        lower(max(atom->>'$') FILTER (key = 'catalog')) AS function_catalog,
        max(atom->>'$') FILTER (key = 'cte_name' OR (key = 'key' AND contains(path, '.cte_map.map['))) AS cte
    FROM json_tree(tree)
    WHERE atom IS NOT NULL AND key IN (
        'type', 'table_name', 'schema_name', 'catalog_name', 'function_name', 'schema', 'catalog', 'cte_name', 'key')
    GROUP BY path;

CREATE MACRO sec.main.table_ok(name, schema, catalog, ctes) AS
    (schema = '' AND catalog = '' AND (list_contains({views}, name) OR list_contains(ctes, name)))
    OR (schema IN ('', 'main', 'lake') AND catalog IN ('', 'lake') AND list_contains({views}, name))
    OR (schema = 'information_schema' AND catalog = '' AND list_contains({metadata}, name));

CREATE MACRO sec.main.function_ok(name, schema, catalog) AS
    list_contains({function_schemas}, schema) AND list_contains({function_catalogs}, catalog)
    AND NOT list_contains({functions_denied}, name) AND NOT starts_with(name, {prefix_denied});

CREATE MACRO sec.main.node_ok(type, table_name, schema_name, catalog_name, function_name, function_schema, function_catalog, ctes) AS
    CASE type
        WHEN 'BASE_TABLE' THEN coalesce(sec.main.table_ok(table_name, schema_name, catalog_name, ctes), false)
        WHEN 'SHOW_REF' THEN coalesce(schema_name = '' AND catalog_name = '' AND list_contains({shown}, table_name), false)
        ELSE function_name IS NULL OR coalesce(sec.main.function_ok(function_name, function_schema, function_catalog), false)
    END;

CREATE MACRO sec.main.ctes_ok(ctes) AS
    NOT list_has_any(ctes, {taken}) AND len(list_filter(ctes, lambda c: NOT regexp_full_match(c, '[\pL_][\pL\pN_]*'))) = 0;

-- One SELECT, whose every node is allowed; as many allowed table functions as there are table functions.
CREATE MACRO sec.main.tree_ok(tree) AS (
    SELECT bool_and(sec.main.node_ok(type, table_name, schema_name, catalog_name, function_name, function_schema, function_catalog, ctes))
        AND sec.main.ctes_ok(any_value(ctes))
        AND count(*) FILTER (type = 'TABLE_FUNCTION')
            = count(*) FILTER (ends_with(path, '.function') AND list_contains({table_functions}, function_name))
    FROM (SELECT *, coalesce(list(lower(cte)) FILTER (cte IS NOT NULL) OVER (), []) AS ctes FROM sec.main.nodes(tree)));

CREATE MACRO sec.main.allowed(tree) AS
    json_extract_string(tree, '$.error') = 'false' AND json_array_length(tree, '$.statements') = 1
    AND length(tree) <= {max_tree} AND sec.main.tree_ok(tree);

-- The statement that runs: the one that was judged, and an error instead of a result that is silently too short.
-- A semicolon ends a text, so such a text is written back from its tree.
CREATE MACRO sec.main.bounded(q) AS
    'SELECT * FROM (' || CASE WHEN contains(q, ';') THEN TRY(json_deserialize_sql(json_serialize_sql(q))) ELSE q END || chr(10)
    || ') QUALIFY CASE WHEN row_number() OVER () > {max_rows} THEN error(''more than {max_rows} rows: narrow it or aggregate it'') ELSE true END';

CREATE MACRO sec.main.judged(q) AS
    CASE WHEN length(q) <= {max_length} AND coalesce(sec.main.allowed(TRY(json_serialize_sql(q))), false) THEN sec.main.bounded(q) END;

-- A log line for each login; it has the token's owner and digest, never the token.
CREATE MACRO sec.main.authenticate(session_id, token, server_token) AS (
    SELECT CASE WHEN write_log(to_json({{'event': 'login', 'session': session_id, 'client': client, 'token': sha256(token), 'ok': ok}})::VARCHAR,
            log_type := 'why401', level := 'WARNING') IS NULL THEN ok END
    FROM (
        SELECT coalesce(max(client), '') AS client, coalesce(bool_or(expires > now()), false) AS ok
        FROM sec.main.tokens WHERE sha256 = sha256(token)));

-- NULL refuses, a text runs instead of what was sent. A session whose token was revoked or expired is refused as a whole.
CREATE MACRO sec.main.authorize(session_id, query) AS (
    SELECT CASE WHEN write_log(to_json({{'event': 'query', 'session': session_id, 'sql': left(CAST(query AS VARCHAR), {max_length}), 'ok': run IS NOT NULL}})::VARCHAR,
            log_type := 'why401', level := 'WARNING') IS NULL THEN run END
    FROM (
        SELECT CASE WHEN (SELECT count(*) FROM sec.main.ended WHERE session = session_id) = 0
            THEN sec.main.judged(CAST(query AS VARCHAR)) END AS run));
