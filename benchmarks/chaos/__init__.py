"""Chaos: whatever ends, stops, fills up, jumps or is rotated, every record is stored once.

    python -m benchmarks chaos --minutes 10
    python -m benchmarks chaos --only service-sqlite --fault disk --fault files

Four arrangements take turns: two stores on one lake, and the whole service with Kafka and files in front, each with a SQLite and a
PostgreSQL catalog. One line each says what was done and what came of it; the exit status is 1 when a record is lost or doubled.

Nothing is imported here: a writer forks before anything native is loaded.
"""


def main(arguments: list[str]) -> int:
    """Run it and print the report; 1 when a promise is broken."""
    from benchmarks.chaos.run import main as run

    return run(arguments)
