"""Google's own fake of Cloud Pub/Sub (cloud.google.com/go/pubsub, package pstest) as a program on a loopback port."""

from __future__ import annotations

from typing import Final

from benchmarks.live.golang import GoProgram

PROGRAM: Final = GoProgram("pstest", "2.9.0", ".", "pstest")
