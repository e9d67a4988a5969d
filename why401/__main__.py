"""`python -m why401` is `why401`."""

from why401.cli import main

main(prog_name="why401")
