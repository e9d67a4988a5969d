r"""What loggers write behind the sentence: `key=value`, a JSON object, PHP's context, Rust's fields.

Each reader takes the message and returns the sentence without them, and the fields by name. A sentence that holds an equals sign of its
own is left whole: pairs count only behind a sentence, from the first of them to the line's end.

>>> pairs('Request error: method=GET url=/v1/agent error="Permission denied"')[0]
'Request error:'
>>> pairs("[auth.go:7][client ip=192.0.2.1 id=d3]: wrong password")[0]
'[auth.go:7][client ip=192.0.2.1 id=d3]: wrong password'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from collector.gateways.reading.scan import quoted, unescape
from collector.redaction.patterns import compiled

Tail = Callable[[str], tuple[str, Mapping[str, Any]]]
MAX_PAIRS: Final = 64
MAX_READ: Final = 16_384
_KEY: Final = compiled(rb"(?:\A|[\s}])([A-Za-z_@][\w.@-]{0,60})=(?:[^\s=]|\s|\z)")
_LOGGER: Final = compiled(rb"[ \t]*\[([\w.:$-]{1,120})\][ \t]*\z")
_SPAN: Final = compiled(rb"(?:[A-Za-z_]\w*(?:\{[^{}]*\})?:)*[A-Za-z_]\w*\{[^{}]*\}:[ \t]+")
_TARGET: Final = compiled(rb"([A-Za-z_]\w*(?:::\w+)+):[ \t]+")


def none(message: str) -> tuple[str, Mapping[str, Any]]:
    """Nothing is known to stand behind the sentence."""
    return message, {}


def pairs(message: str) -> tuple[str, Mapping[str, Any]]:
    """`sentence key=value key="a value" key=a value with blanks next=…` (hclog, logrus, zerolog, slog)."""
    if "=" not in message:
        return message, {}
    data = message[:MAX_READ].encode("utf-8", "surrogatepass")
    begin, _, _ = _key(data, 0)
    if begin < 0:
        return message, {}
    sentence = _text(data[:begin]).rstrip()
    if sentence.count("[") > sentence.count("]"):  # in brackets, with the sentence behind them
        return message, {}
    return sentence, read_pairs(_text(data[begin:]))


def read_pairs(text: str) -> dict[str, str]:
    """The pairs of a text that begins with one; a bare value goes on to the next key, as tracing and Linkerd write it."""
    data = text[:MAX_READ].encode("utf-8", "surrogatepass")
    fields: dict[str, str] = {}
    at = 0
    while len(fields) < MAX_PAIRS:
        begin, name, at = _key(data, at)
        if begin < 0:
            break
        value, at = _value(data, at)
        fields.setdefault(name, value)
    return fields


def _key(data: bytes, at: int) -> tuple[int, str, int]:
    """(where a key begins, the key, where its value begins); -1 when there is none."""
    found = _KEY.search(data, at)
    if found is None:
        return -1, "", at
    begin, end = found.span(1)
    return begin, _text(data[begin:end]), end + 1


def _value(data: bytes, at: int) -> tuple[str, int]:
    quote = data[at : at + 1]
    if quote == b'"':
        rest = _text(data[at:])
        value, after = quoted(rest, 0)
        return unescape(value), at + len(rest[:after].encode("utf-8", "surrogatepass"))
    if quote == b"'":
        end = data.find(b"'", at + 1)
        return (_text(data[at + 1 : end]), end + 1) if end > 0 else (_text(data[at + 1 :]), len(data))
    following, _, _ = _key(data, at)
    end = following if following >= 0 else len(data)
    return _text(data[at:end]).strip(), max(end - 1, at)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def quoted_message(message: str) -> tuple[str, Mapping[str, Any]]:
    """Klog's structured form, `"sentence" key="value" err="…"`; a sentence without quotes is whole."""
    if message[:1] != '"':
        return message, {}
    sentence, after = quoted(message, 0)
    return unescape(sentence), read_pairs(message[after:MAX_READ].strip())


def json_object(message: str) -> tuple[str, Mapping[str, Any]]:
    """`sentence<TAB>{"error": "…"}` (zap), `sentence {"code":401}` (winston)."""
    if message[-1:] != "}":
        return pairs(message) if "\t" not in message else (message, {})
    at = message.find("{")
    while at >= 0:
        fields = _object(message[at:])
        if fields is not None:
            return message[:at].rstrip(), fields
        at = message.find(" {", at) + 1 or -1
        if at > MAX_READ // 8:  # an object that begins later is part of the sentence
            break
    return message, {}


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def php(message: str) -> tuple[str, Mapping[str, Any]]:
    """Monolog's `sentence {context} {extra}`; empty ones are `[]`."""
    while message.endswith((" []", " {}")):
        message = message[:-3].rstrip()
    if message.endswith('"]') and ' ["' in message:  # Symfony's console prints the context as PHP does
        message = message[: message.rfind(' ["')]
    sentence, fields = json_object(message)
    return (sentence, fields) if fields else (message, {})


def structlog(message: str) -> tuple[str, Mapping[str, Any]]:
    """`event                     [logger] key=value`."""
    sentence, fields = pairs(message)
    found = _LOGGER.search(sentence.encode("utf-8", "surrogatepass"))
    if found:
        return _text(found.data[: found.start()]).rstrip(), {**fields, "logger": _text(found.group(1))}
    return sentence.rstrip(), fields


def tracing(message: str) -> tuple[str, Mapping[str, Any]]:
    """Spans and the target before the sentence, fields behind it: `span{a=b}:other: crate::module: sentence key=value`."""
    data = message.encode("utf-8", "surrogatepass")
    begin = max(_SPAN.end_at(data), 0)
    target = _TARGET.match(data, begin)
    logger = {"logger": _text(target.group(1))} if target else {}
    sentence, fields = pairs(_text(data[target.end() if target else begin :]))
    return sentence, {**fields, **logger}


TAILS: Final[Mapping[str, Tail]] = {
    "": none, "pairs": pairs, "quoted": quoted_message, "json": json_object, "php": php, "structlog": structlog, "tracing": tracing,
}  # fmt: skip
