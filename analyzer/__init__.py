"""Safe events in, rows out: diagnosis, grouping and the only writer of the store."""
