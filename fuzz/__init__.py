"""Coverage-guided fuzzing: `make fuzz`. One target a file in targets/, found inputs in corpus/ and crashes/.

A target is a module with `check(data: bytes) -> None`, which raises on a broken promise, and `seeds() -> Iterable[bytes]`.
`tests/fuzz/test_regressions.py` replays all of it without a fuzzer. Why atheris: docs/decisions/0015.
"""
