"""A problem as Markdown for a ticket or a chat: pure. Values from data stay text wherever it is pasted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from dashboard import wording


def markdown(row: Mapping[str, Any], now: datetime, link: Mapping[str, str]) -> str:
    """A row of the view `groups`; `link` are the parameters of the page's scope.

    >>> from datetime import UTC
    >>> row = {"group_id": "v1-00", "title": "Key unknown", "cause": "issuer", "code": "key_not_found", "confidence": 0.95,
    ...        "failures": 942, "users": 198, "clients": 4, "gateways": ["envoy"], "first_seen": datetime(2026, 11, 30, 14, 3, tzinfo=UTC)}
    >>> print(markdown(row, datetime(2026, 11, 30, 15, tzinfo=UTC), {}).splitlines()[2])
    Issuer and keys, `key_not_found`, 95 % sure. Since 30 Nov 2026 14:03 UTC: 942 failures, 198 users, 4 clients, at envoy.
    """
    cause = wording.CAUSES.get(str(row["cause"]), wording.CAUSES["unknown"])
    since = f"{row['first_seen'].day} {row['first_seen']:%b %Y %H:%M} UTC"
    figures = ", ".join(
        wording.plural(int(row[name]), name.removesuffix("s")) for name in ("failures", "users", "clients")
    )
    where = _plain(wording.listed(row["gateways"], 6))
    lines = [
        f"# {_plain(row['title'])}",
        "",
        f"{cause}, `{_code(row['code'])}`, {wording.percent(row['confidence'], 0)} sure. Since {since}: {figures}, at {where}.",
        *_near(row.get("near_miss")),
        *_section(
            "Evidence", (f"- {_plain(item['source'])}: {_plain(item['says'])}" for item in _items(row.get("evidence")))
        ),
        *_section("Fix", (_fix(number, item) for number, item in enumerate(_items(row.get("fix")), 1))),
        *_section("To be certain", (f"- {_plain(item)}" for item in _items(row.get("missing")))),
        "",
        f"Group `{_code(row['group_id'])}`, as of {now:%Y-%m-%d %H:%M} UTC: `/group?{urlencode({'group': row['group_id'], **link})}`",
        "",
    ]
    return "\n".join(lines)


def _near(says: Any) -> list[str]:
    return ["", f"Near miss: {_plain(says)}"] if isinstance(says, str) and says else []


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return ["", f"## {title}", "", *found] if found else []


def _fix(number: int, item: Mapping[str, Any]) -> str:
    says, _, snippet = str(item["says"]).partition("\n")
    source = f" ({_plain(item['source'])})" if item.get("source") else ""
    code = "".join(
        f"\n\n       {wording.visible(line)}" if at == 0 else f"\n       {wording.visible(line)}"
        for at, line in enumerate(snippet.splitlines())
    )
    return f"{number}. {_plain(says)}{source}{code}"


def _plain(text: Any) -> str:
    return wording.sentence(text).replace("\u2060", "")


def _code(text: Any) -> str:
    return wording.visible(text, 200).replace("`", "'")


def _items(value: Any) -> list[Any]:
    return [] if value is None or isinstance(value, float) else list(value)
