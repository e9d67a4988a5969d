"""Text → documents: which format a text has is known by the text itself, never by the file's name.

JSON, YAML, TOML, XML and nginx's configuration are read by their libraries. Line formats without one (HAProxy, Apache, Caddyfile,
properties, flags) are split into words here; what the words mean is the readers' business.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import re2
import yaml

from collector.errors import Why401Error
from why401.expectations.nodes import MAX_DEPTH, Node

MAX_YAML: Final = 8 << 20  # bytes: its parser makes an object of every scalar
MAX_LINE_FORMAT: Final = 8 << 20
MAX_DOCUMENTS: Final = 10_000


class Unreadable(Why401Error):
    """A text that is no configuration, or not a whole one: file, place, and what is wrong."""

    def __init__(self, file: str, says: str, line: int = 0) -> None:
        super().__init__(f"{file}:{line}: {says}" if line else f"{file}: {says}")
        self.file, self.line, self.says = file, line, says


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed document. `form` is tree, xml, nginx, haproxy, apache, caddyfile or flags."""

    form: str
    root: Node


def documents(text: str, file: str) -> Iterator[Source]:
    """The documents of one text. Raises Unreadable."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise Unreadable(file, "a binary file; expected a text: YAML, JSON, TOML, XML or a gateway's own format")
    for source in _parsed(text, file):
        yield source
        if source.form == "tree" and source.root.get("kind").text == "ConfigMap":
            yield from _of_config_map(source.root)


def _parsed(text: str, file: str) -> Iterator[Source]:
    form, parse = next(((form, parse) for form, is_like, parse in FORMS if is_like(text)), ("tree", _yaml))
    return (Source(form, node) for node in parse(text, file))


def _of_config_map(root: Node) -> Iterator[Source]:
    """The files in a ConfigMap, as far as they are configurations; their lines are counted from their own beginning."""
    for name, value in root.get("data").items():
        try:
            yield from list(_parsed(value.text, f"{root.file} data.{name}"))
        except Unreadable:
            continue


def _json(text: str, file: str) -> list[Node]:
    try:
        return _items(Node(json.loads(text), file))
    except json.JSONDecodeError as error:
        said, line = error.msg, error.lineno
    except RecursionError:
        said, line = "nested too deeply", 1
    if _is_comment(text, line) and (bare := _without_comments(text)) != text:
        return _json(bare, file)
    raise Unreadable(file, f"no valid JSON: {said}", line)


def _is_comment(text: str, line: int) -> bool:
    lines = text.split("\n")
    return line <= len(lines) and (
        "//" in lines[line - 1] or "/*" in lines[line - 1] or lines[line - 1].strip()[:1] in "}]"
    )


_JSONC: Final = re2.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*[^\x00]*?\*/|,(\s*[}\]])')


def _without_comments(text: str) -> str:
    """JSON with comments and trailing commas, as .NET reads it, made plain; line breaks stay where they are."""
    return str(_JSONC.sub(_without_comment, text))


def _without_comment(match: re.Match[str]) -> str:
    """A string stays, a comment is its line breaks, and of a comma before a bracket the bracket stays."""
    return match[0] if match[0].startswith('"') else match[1] or "\n" * match[0].count("\n")


def _yaml(text: str, file: str) -> list[Node]:
    if len(text) > MAX_YAML:
        raise Unreadable(file, f"{len(text) >> 20} MiB; YAML is read up to {MAX_YAML >> 20} MiB, JSON up to 64 MiB")
    nodes = [node for root in _composed(text, file)[:MAX_DOCUMENTS] for node in _items(Node(root, file))]
    if not any(node.is_mapping or node.is_list for node in nodes):
        raise Unreadable(file, "no configuration: neither YAML, JSON, TOML, XML nor a gateway's own format")
    return nodes


def _composed(text: str, file: str) -> list[yaml.Node]:
    """Nodes, not values: nothing is constructed and no alias is expanded."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _bound_depth(
            yaml.parse(text, Loader=loader)
        )  # libyaml's composer recurses in C: too deep is a crash, no exception
        return list(yaml.compose_all(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(filter(None, (error.context, error.problem)))
        hint = "; a template: render it first (helm template, envsubst)" if "{{" in text else ""
        raise Unreadable(file, f"no valid YAML: {said}{hint}", mark.line + 1 if mark else 0) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise Unreadable(file, f"no valid YAML: {str(error) or 'nested too deeply'}") from None


def _bound_depth(events: Iterator[yaml.Event]) -> None:
    """Raises RecursionError beyond MAX_DEPTH."""
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise RecursionError("nested too deeply")


def _items(root: Node) -> list[Node]:
    """Kubernetes' `kind: List` and arrays of documents are their elements."""
    if root.get("kind").text.endswith("List") and root.get("items").is_list:
        return list(root.get("items").each())
    return list(root.each()) if root.is_list else [root]


def _toml(text: str, file: str) -> list[Node]:
    try:
        return [Node(tomllib.loads(text), file)]
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise Unreadable(file, f"no valid TOML: {error}", int(line[1]) if line else 0) from None
    except RecursionError:
        raise Unreadable(file, "no valid TOML: nested too deeply") from None


def _xml(text: str, file: str) -> list[Node]:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return [Node(fromstring(text), file)]
    except ParseError as error:
        if (plain := _without_expressions(text)) != text:
            return _xml(plain, file)
        raise Unreadable(file, f"no valid XML: {error}", error.position[0]) from None
    except DefusedXmlException:
        raise Unreadable(
            file, "XML with entities or a DTD: neither is read, because they can name other files"
        ) from None


# Azure's policies have C# in them, with quotation marks and `<` as they are. re2: linear, however many begin and never end.
_EXPRESSION: Final = re2.compile(r'(=")@[({][^\x00]*?[)}]("[\s/>])|(>)\s*@[({][^\x00]*?[)}]\s*(</)')


def _without_expressions(text: str) -> str:
    """Policy expressions replaced by their line breaks and a word."""
    return str(_EXPRESSION.sub(_word_instead, text))


def _word_instead(match: re.Match[str]) -> str:
    before, after = match[1] or match[3], match[2] or match[4]
    return before + "expression" + "\n" * (match[0].count("\n") - after.count("\n")) + after


def _nginx(text: str, file: str) -> list[Node]:
    from why401.expectations.nginx_text import directives

    _bounded(text, file)
    return [Node({"directives": directives(text, file)}, file)]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a line format: its words, and for sections the lines inside."""

    number: int
    words: tuple[str, ...]
    inside: tuple[Line, ...] = ()


def _bounded(text: str, file: str) -> None:
    if len(text) > MAX_LINE_FORMAT:
        raise Unreadable(file, f"{len(text) >> 20} MiB; this format is read up to {MAX_LINE_FORMAT >> 20} MiB")


def _words(line: str) -> tuple[str, ...]:
    reader = shlex.shlex(line, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.commenters = True, "#"
    try:
        return tuple(reader)
    except ValueError:  # a quotation mark that is not closed on the line
        return tuple(line.split())


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines; a backslash at the end continues one."""
    held, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        held, first = held + line.rstrip("\r"), first or number
        if held.endswith("\\"):
            held = held[:-1] + " "
            continue
        yield first, held
        held, first = "", 0
    if held:
        yield first, held


def _flat(text: str, file: str) -> list[Node]:
    _bounded(text, file)
    lines = tuple(Line(number, words) for number, line in _joined(text) if (words := _words(line)))
    return [Node({"lines": lines}, file)]


def _apache(text: str, file: str) -> list[Node]:
    """`<Section argument> … </Section>` nest."""
    _bounded(text, file)
    stack: list[tuple[int, tuple[str, ...], list[Line]]] = [(0, (), [])]
    for number, line in _joined(text):
        bare = line.strip()
        if bare.startswith("</"):
            if len(stack) == 1:
                raise Unreadable(file, f"{bare} closes a section that was not opened", number)
            opened, words, inside = stack.pop()
            stack[-1][2].append(Line(opened, words, tuple(inside)))
        elif bare.startswith("<") and bare.endswith(">"):
            stack.append((number, _words(bare[1:-1]), []))
        elif words := _words(bare):
            stack[-1][2].append(Line(number, words))
    if len(stack) > 1:
        raise Unreadable(file, f"<{' '.join(stack[-1][1])}> is not closed", stack[-1][0])
    return [Node({"lines": tuple(stack[0][2])}, file)]


def _caddyfile(text: str, file: str) -> list[Node]:
    """A brace at a line's end opens a block, one alone on a line closes it (caddyserver.com/docs/caddyfile/concepts)."""
    _bounded(text, file)
    stack: list[tuple[int, tuple[str, ...], list[Line]]] = [(0, (), [])]
    for number, line in _joined(text):
        words = _words(line)
        if words == ("}",):
            if len(stack) == 1:
                raise Unreadable(file, "} closes a block that was not opened", number)
            opened, head, inside = stack.pop()
            stack[-1][2].append(Line(opened, head, tuple(inside)))
        elif words and words[-1] == "{":
            stack.append((number, words[:-1], []))
        elif words:
            stack[-1][2].append(Line(number, words))
    if len(stack) > 1:
        raise Unreadable(file, "a block is not closed: } is missing", stack[-1][0])
    return [Node({"lines": tuple(stack[0][2])}, file)]


def _flags(text: str, file: str) -> list[Node]:
    """A command line, flags a line, or Java properties: `name=value`, nested by the dots of the name."""
    _bounded(text, file)
    tree: dict[str, Any] = {}
    for line in text.split("\n"):
        is_flags = "--" in line.partition("=")[0]
        for word in _words(line.rstrip("\\ ")) if is_flags else (line.strip(),):
            name, _, value = word.partition("=")
            if is_flags == name.startswith("--"):
                _put(tree, name.strip().lstrip("-"), value.strip() or ("true" if is_flags else ""))
    return [Node(tree, file)]


def _put(tree: dict[str, Any], name: str, value: str) -> None:
    if not name or name.startswith(("#", "!")):
        return
    *folders, last = name.split(".")
    for folder in folders:
        inner = tree.setdefault(folder, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[last] = (
        [*tree[last], value] if isinstance(tree.get(last), list) else [tree[last], value] if last in tree else value
    )


def _has(pattern: str) -> Callable[[str], bool]:
    compiled = re2.compile("(?m)" + pattern)  # linear: the text is whatever somebody has lying about
    return lambda text: compiled.search(text) is not None


def _is_json(text: str) -> bool:
    """An object or an array; `{` alone in a line may be a Caddyfile's, `[name]` is TOML's."""
    return re2.match(r'\s*(?:\{\s*(?:["}]|//|/\*)|\[\s*(?:[{\]]|//|/\*))', text) is not None


_XML: Final = re2.compile(
    r"\s*(?:<!--[^\x00]*?-->\s*)*(?:<\?xml|<!DOCTYPE|<(?:policies|fragment|inbound|validate-jwt)\b)"
)
# The first line with something on it is YAML's: other formats may stand in its texts.
_YAML: Final = r"\A(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:---|%YAML|- |[\w./\-\"']+:(?:[ \t\r\n]|\z))"
_TOML: Final = r"^\s*(?:\[\[?[\w.\-\"']+\]\]?|[A-Za-z_][\w.\-]*\s+=\s+[\"'\[\dtf{]|[a-z_]+\s*=\s*(?:\"|\[))"
# Which text is of which format; the first that fits. YAML is what is left.
FORMS: Final[tuple[tuple[str, Callable[[str], bool], Callable[[str, str], list[Node]]], ...]] = (
    ("tree", _is_json, _json),
    ("tree", _has(_YAML), _yaml),
    ("xml", lambda text: _XML.match(text) is not None, _xml),
    ("apache", _has(r"^\s*(?:</?[A-Z]\w+[^>\n]*>\s*$|(?:OIDC|Auth|Require|LoadModule|SSL)\w*\s+\S)"), _apache),
    (
        "nginx",
        _has(
            r"^\s*(?:server|http|location\s[^{}\n]+|upstream\s+\S+|map\s[^{}\n]+)\s*\{\s*(?:#.*)?$|^\s*auth_(?:jwt|request|basic)\w*\s[^;\n]+;"
        ),
        _nginx,
    ),
    ("haproxy", _has(r"^(?:frontend|backend|listen)\s+\S+\s*$|^\s+http-request\s"), _flat),
    ("flags", _has(r"\A\s*(?:[\w./\-]+\s+)?--[a-z]|^[a-z][\w\-]*(?:\.[\w\-\[\]]+)+\s*=[^\n]*$"), _flags),
    ("tree", _has(_TOML), _toml),
    ("caddyfile", _has(r"^[^\s#\"'][^\n]*\{[ \t]*$|^\{\s*$"), _caddyfile),
)
