"""`why401 sql --serve`: the views over DuckDB's quack protocol, from a reader process that may be killed at any moment.

docs/decisions/0014-remote-sql.md says why it is built so.
"""
