"""`python -m analyzer.cli` is `why401`."""

from analyzer.cli import main

main(prog_name="why401")
