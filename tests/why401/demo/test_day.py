"""The working day: each act on real Envoys, told by the page's own words; the clock is the test's, so that nobody waits for minutes."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import orjson
import pytest
from msgspec.structs import replace

from analyzer.alerts.watching import asking
from analyzer.lake.attach import Access
from analyzer.lake.reader import Reader
from analyzer.pipeline import Analyzer
from analyzer.situation import impact, present
from analyzer.store import deciding, open_store
from analyzer.store.changes import Change, ChangeKind
from collector.events import Origin
from collector.records import RawRecord
from collector.redaction import fixed
from collector.settings import load
from collector.telemetry import Telemetry
from tests.waiting import eventually
from why401.demo import backfill
from why401.demo.acts import ACTS, CACHE_S, EDGES, ROUTES, STRICT_ROUTES
from why401.demo.envoy import DemoEnvoy
from why401.demo.mint import Mint
from why401.demo.settings_file import write_config
from why401.demo.traffic import Client, caller
from why401.run import collector_of

RATE = 20
MINUTE = 60 * RATE
EACH = 80  # requests of an act at each edge
SAYS = {
    "act-rotation": (
        "at envoy edge-2: No signing key in the gateway's JWKS matches",
        "new signing key shop-2026-11-r1",
    ),
    "act-audience": ("The token's audience (`aud`) is not accepted by this API", "mark partner-sync 7.1"),
    "act-user-claim": ("The token has no user claim (expected `sub`)", "mark auth.example.com 26.4"),
    "act-clock": ("the issuer's and the gateway's clocks disagree", "mark devices.example.com moved to host id-7"),
    "act-scope": ("The token lacks a scope that this route requires", "mark policy catalog v12"),
}


class Replay:
    """Two Envoys, the store of a normal time before, and a clock."""

    def __init__(self, config, envoys, collector):
        self.settings, self.envoys, self.collector = load(config, environ={}), envoys, collector
        self.mint = envoys[0].mint
        self.analyzer = Analyzer(self.settings)
        self.kinds = tuple(backfill._kinds(self.settings, self.mint))
        for verdict in (verdict for kind in self.kinds if not kind.is_refused for verdict in kind.verdicts):
            self.analyzer.judge(verdict.event)  # what passes is known
        self.store = open_store(self.settings, Telemetry())
        self.clients = [Client(envoy.port) for envoy in envoys]
        self.sent, self.read = 0, [0, 0]

    def close(self):
        self.store.close()
        for client in self.clients:
            client.close()

    def warm(self):
        """Both edges fetch key sets."""
        for client in self.clients:
            self._send(client, ACTS[-1].fault)

    def normal(self, at):
        """A minute that is as usual."""
        self.store.commit(backfill._requests(self.kinds, at, MINUTE, RNG, samples=2), [], {})

    def refusals(self, act, at):
        """The act's requests, through both Envoys and the pipeline, within a minute."""
        verdicts = []
        for edge, client in enumerate(self.clients):
            for _ in range(EACH):
                self._send(client, act.fault)
            lines = self._lines(edge)
            for n, line in enumerate(lines):
                verdicts.append(self._verdict(line, self.envoys[edge].instance, at + timedelta(seconds=0.5 * n)))
        self.store.append(verdicts, [], {})

    def _lines(self, edge):
        log, read = self.envoys[edge].access_log, self.read[edge]
        eventually(lambda: len(log.read_bytes().splitlines()) >= read + EACH, "a line for each")
        lines = log.read_bytes().splitlines()
        self.read[edge] = len(lines)
        return lines[-EACH:]

    def _verdict(self, line, instance, at):
        text = orjson.dumps(orjson.loads(line)).decode()
        event = self.collector.collect(
            RawRecord(Origin(kind=fixed("otlp")), int(datetime.now(UTC).timestamp() * 1e9), text=text)
        )
        moved = int(at.timestamp() * 1e9)
        gateway = replace(event.gateway, instance=fixed(instance))
        return self.analyzer.judge(replace(event, time_ns=moved, observed_ns=moved, gateway=gateway))

    def _send(self, client, fault):
        self.sent += 1
        who = caller(self.mint, self.sent)
        return client.send(fault.build(who), f"{fault.name}.{self.sent}", who).status

    def page(self, now):
        """The first line, and the change that is suspected of the worst problem."""
        reader = Reader(self.settings, Access(memory_mib=256), timeout_s=60)
        try:
            ask = asking(reader)
            found = present.folded(ask("problems", gateway=""), ask, shown=10)
            suspect = present.behind(found.problems[0], ask, ["envoy"]).suspect
            return SimpleNamespace(
                sentence=impact.sentence(found.overall, found.problems, now),
                suspect=suspect.says(now) if suspect else "",
            )
        finally:
            reader.close()

    def change(self, act, at):
        """What breaks."""
        if act.mark:
            deciding.mark(self.settings, Change(at=at, kind=ChangeKind.MARKED, subject=act.mark))
        if act.rotates:
            self.mint.rotate()
            eventually(lambda: self._send(self.clients[0], act.fault) == 200, "edge-1 has fetched the new key set")
        if act.strict:
            for envoy in self.envoys:
                envoy.push(STRICT_ROUTES)
            for client in self.clients:
                eventually(lambda client=client: self._send(client, act.fault) == 403, "the new policy")

    def _is_read(self, edge):
        lines = len(self.envoys[edge].access_log.read_bytes().splitlines())
        is_read, self.read[edge] = lines == self.read[edge], lines
        return is_read and lines > 0


RNG = backfill.random.Random(1)


@contextmanager
def running(folder):
    mint, made = Mint(), []
    for edge, cache in zip(EDGES, CACHE_S, strict=True):
        services = made[0].services if made else None
        made.append(
            DemoEnvoy(
                folder / edge, mint, otlp_port=9, jwks_cache_s=cache, instance=edge, services=services, routes=ROUTES
            )
        )
    try:
        for envoy in made:
            envoy.start()
        for envoy in made:
            envoy.wait_ready()
        config = write_config(folder, mint, services=made[0].services.port, otlp=9)
        settings = load(config, environ={})
        with collector_of(settings, Telemetry()) as collector:
            yield config, made, collector
    finally:
        for envoy in reversed(made):
            envoy.stop()


@pytest.mark.envoy
def test_the_page_tells_each_act_and_that_it_is_over(tmp_path):
    """The first line names the cause and, when it is one, the gateway; the suspect is what was changed; a normal minute later it seems over."""
    at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=4)
    with running(tmp_path) as (config, envoys, collector):
        backfill.backfill(config, envoys[0].mint, until=at, rate=RATE, past=timedelta(hours=50))
        replay = Replay(config, envoys, collector)
        try:
            replay.warm()
            for act in ACTS:
                replay.change(act, at + timedelta(seconds=1))
                eventually(lambda: replay._is_read(0) and replay._is_read(1), "quiet logs")
                replay.normal(at)
                replay.refusals(act, at)
                title, change = SAYS[act.name]
                told = replay.page(at + timedelta(seconds=59))
                assert f"Since {at:%H:%M}" in told.sentence, told
                assert title in told.sentence, told
                assert told.suspect.startswith(change), told
                for minute in (1, 2, 3):
                    replay.normal(at + timedelta(minutes=minute))
                at += timedelta(minutes=4)
                assert (
                    f"as usual at this hour. Seems over since {at - timedelta(minutes=4):%H:%M}: "
                    in replay.page(at).sentence
                )
        finally:
            replay.close()
