"""Real gateways that refuse real tokens: the yardstick of docs/accuracy.md, and the servers of tests/live.

One gateway per file. Each says what it lacks on this machine (`missing`), starts on loopback with one issuer (the demo's
`shop`), and is sent the faults of why401/demo/faults.py one after the other; what it wrote about each is its record.
"""

from __future__ import annotations
