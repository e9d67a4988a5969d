"""One record in, its verdict out, without a store: what `why401 explain` does, and tests and benchmarks too."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from analyzer.diagnosis import OK
from analyzer.diagnosis.missing import BARE_TOKEN
from analyzer.pipeline import Analyzer
from analyzer.verdicts import Diagnosis, Verdict
from collector.events import Event, Origin, Outcome, gateway, to_mapping
from collector.joining.halves import Half
from collector.joining.stage import join
from collector.pipeline import Collector
from collector.records import Parsed, RawRecord
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import Settings
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier

_ORIGIN = Origin("argument")
MAX_HELD = 5_000  # diagnoses, about 2 kB each


class Explainer:
    """Collector and analyzer back to back. Whatever is asked about is taken as refused unless its status says otherwise."""

    def __init__(self, settings: Settings, gateway: str = "") -> None:
        telemetry = Telemetry()
        key_sets = KeySets(settings.issuers, settings.base, telemetry)
        key_sets.load()
        self._collector = Collector(
            settings, Verifier(settings, key_sets), Pseudonyms(secrets.token_bytes(32), 0), telemetry
        )
        self._analyzer = Analyzer(settings)
        self._gateway = gateway

    def explain(self, text: str) -> Verdict:
        """The verdict on one record, or on a bare token; never raises."""
        return self.explain_all([text])[0]

    def explain_all(self, texts: Sequence[str]) -> list[Verdict]:
        """A verdict per record, in order. Lines about one request share one, which knows what each of them says."""
        tokens = [_bare_token(text) for text in texts]
        records = [RawRecord(_ORIGIN, time.time_ns(), text=text, gateway=self._gateway) for text in texts]
        pairs = zip(records, tokens, strict=True)
        events = join([self._of_token(record, token) if token else self._collected(record) for record, token in pairs])
        verdicts: dict[int, Verdict] = {}
        for event, token in zip(events, tokens, strict=True):
            if id(event) not in verdicts:
                verdicts[id(event)] = self._judge(event, is_token=bool(token))
        return [verdicts[id(event)] for event in events]

    def _collected(self, record: RawRecord) -> tuple[Event, Half | None]:
        event, half = self._collector.collect_half(record)
        if event.outcome is Outcome.UNREAD and event.words.reason != "empty":
            return self._as_message(record, event), None
        return event, half

    def _of_token(self, record: RawRecord, token: str) -> tuple[Event, None]:
        parsed = Parsed("", headers={"authorization": token}, credential_logged=True, outcome=Outcome.DENIED)
        return replace(self._collector.event(record, parsed), gateway=gateway(BARE_TOKEN), time_known=True), None

    def _as_message(self, record: RawRecord, unread: Event) -> Event:
        """Text that no parser knows is read as an application's own words."""
        message = Parsed("application", message=record.text, outcome=Outcome.DENIED)
        return self._collector.event(record, message) if record.text.strip() else unread

    def _judge(self, event: Event, *, is_token: bool) -> Verdict:
        if event.outcome is Outcome.UNREAD:
            return Verdict(event)
        verdict = self._analyzer.judge(event)
        if is_token and verdict.diagnosis and verdict.diagnosis.code == "unclassified":
            return replace(verdict, diagnosis=replace(OK, title="Nothing is wrong with the token itself."), group=None)
        return verdict if verdict.diagnosis else replace(verdict, diagnosis=OK)


def _bare_token(text: str) -> str:
    """The token, when the text is nothing else: with or without a scheme, or a whole Authorization header."""
    if text[:1] in "{[<" and len(text) > 1:
        return ""
    line = text.strip()
    name, colon, value = line.partition(":")
    if colon and name.strip().lower() == "authorization":
        line = value.strip()
    if len(line) > 100_000 or "\n" in line:
        return ""
    words = line.split()
    if len(words) == 1 and line.startswith("eyJ") and (line.count(".") in (1, 2, 4) or len(line) > 40):
        return line if colon else f"Bearer {line}"  # a token alone says nothing of the header it came in
    is_schemed = 2 <= len(words) <= 3 and words[0].lower().rstrip(":") in ("bearer", "dpop") and len(words[-1]) > 15
    return line if is_schemed else ""


def as_mapping(verdict: Verdict) -> dict[str, Any]:
    """The JSON contract of `why401 explain --json`."""
    mapping: dict[str, Any] = orjson.loads(Writer().line(verdict))
    return mapping


class Writer:
    """Verdicts as lines of JSON. Equal evidence shares its diagnosis, which is most of a line and is written once."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Diagnosis, bytes]] = {}

    def line(self, verdict: Verdict) -> bytes:
        """One object of the contract and the line's end."""
        diagnosis, event = verdict.diagnosis or _UNREAD, verdict.event
        rest = {
            "gateway": event.gateway.kind or None,
            "outcome": event.outcome,
            "group": verdict.group.id if verdict.group else None,
            "event": to_mapping(event),
        }
        return self._head(diagnosis) + orjson.dumps(rest)[1:] + b"\n"

    def _head(self, diagnosis: Diagnosis) -> bytes:
        """The object's beginning, up to and with the comma. The diagnosis is kept, so its id stays its own."""
        held = self._held.get(id(diagnosis))
        if held is None or held[0] is not diagnosis:
            if len(self._held) >= MAX_HELD:
                self._held.clear()
            held = self._held[id(diagnosis)] = (diagnosis, orjson.dumps(_of_diagnosis(diagnosis))[:-1] + b",")
        return held[1]


def _of_diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "code": diagnosis.code,
        "cause": diagnosis.cause or None,
        "confidence": diagnosis.confidence,
        "title": diagnosis.title,
        "evidence": diagnosis.evidence,  # orjson writes dataclasses as objects
        "rivals": diagnosis.rivals,
        "missing": diagnosis.missing,
        "fix": diagnosis.fix,
        "also": diagnosis.also,
        "near_miss": diagnosis.near_miss or None,
        "library": diagnosis.library or None,
    }


_UNREAD = Diagnosis("unclassified", "unknown", 0.0, "This is not a record that why401 can read.")
__all__ = ["Explainer", "Writer", "as_mapping"]
