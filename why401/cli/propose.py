"""`why401 propose`: messages that nothing explains yet, and the knowledge entry that would explain one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from why401.cli import input_text, options

if TYPE_CHECKING:
    from analyzer.knowledge.match import Knowledge
    from analyzer.templates import Template
    from why401.unexplained import Found

EVER: Final = 100 * 366 * 86_400.0  # seconds
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SHOWN: Final = 200  # characters of an example


def _seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    if not value:
        return EVER
    number, unit = value[:-1], value[-1:]
    if unit not in UNITS or not (number.isascii() and number.isdigit() and len(number) < 7):
        raise click.BadParameter(
            f"{value!r}: expected a number and a unit ({', '.join(UNITS)}), for example 24h", ctx, param
        )
    return float(number) * UNITS[unit]


@click.command("propose")
@click.argument("what", nargs=-1)
@options.config
@options.data_dir
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Number of templates to list.")
@click.option(
    "--since",
    default="",
    callback=_seconds,
    help="Only messages of this period before the newest, for example 24h or 7d [all].",
)
@click.option(
    "--gateway",
    default="",
    help="Only messages of this gateway; for log files, the gateway that wrote them [detected].",
)
@click.option(
    "--code", default="", help="Without ID: only templates that seem to mean this code. With ID: the code of the entry."
)
@click.option(
    "--guessed",
    is_flag=True,
    help="Include messages whose code was inferred from their meaning, not from a known wording.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per template.")
def command(
    what: tuple[str, ...],
    config_file: str | None,
    data_dir: str | None,
    limit: int,
    code: str,
    as_json: bool,
    **asked: Any,
) -> None:
    """Propose knowledge entries for unexplained messages.

    Without arguments, list templates of the messages in the lake that nothing explains, most frequent first. WHAT is the ID
    of a template, to print its entry, or a log file (- for standard input) to read instead of the lake.

    \b
    why401 propose
    why401 propose t-1a2b3c4d --code consumer_not_found >> my.toml
    kubectl logs gateway | why401 propose -
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    from analyzer.knowledge.user_files import knowledge
    from analyzer.taxonomy import CODES
    from analyzer.templates import mine
    from why401.unexplained import Asked, in_lake, in_records

    if code and code not in CODES:
        raise click.BadParameter(f"{code!r} is not a code; docs/codes.md lists all codes", param_hint="--code")
    ids = [word for word in what if _is_id(word)]
    sources = [word for word in what if not _is_id(word)]
    settings = options.settings(config_file, data_dir=data_dir)
    known = knowledge(settings.knowledge_files)
    choice = Asked(asked["since"], asked["gateway"], asked["guessed"])
    found = (
        in_records(settings, input_text.read(sources, "lines"), choice, known)
        if sources
        else in_lake(settings, choice, known)
    )
    templates = mine(found.messages)
    if ids:
        _entries(ids, templates, known, code, as_json=as_json)
    else:
        _list(templates, found, (limit, code), as_json=as_json)


def _is_id(word: str) -> bool:
    return len(word) == 10 and word.startswith("t-") and all(char in "0123456789abcdef" for char in word[2:])


# --- entries -----------------------------------------------------------------------------------------------


def _entries(ids: Sequence[str], templates: Sequence[Template], known: Knowledge, code: str, *, as_json: bool) -> None:
    from analyzer.templates.entry import entry

    for template in _chosen(ids, templates):
        made = entry(template, known, _other_texts(template, templates), code)
        if as_json:
            _print_json(_as_mapping(template) | {"entry": made.toml})
        else:
            click.echo(made.toml)


def _chosen(ids: Sequence[str], templates: Sequence[Template]) -> list[Template]:
    """The templates of these ids, each once."""
    by_id = {name: template for template in templates for name in template.ids}
    if unknown := sorted(set(ids) - by_id.keys()):
        raise click.ClickException(
            f"{', '.join(unknown)}: none of the {len(templates)} templates has this ID; list them with `why401 propose`"
        )
    return list(dict.fromkeys(by_id[name] for name in ids))


def _other_texts(template: Template, templates: Sequence[Template]) -> list[str]:
    """What the entry must not match: messages of the other templates."""
    others = (other for other in templates if other is not template and not other.unread)
    return [text for other in others for text in other.examples]


# --- list --------------------------------------------------------------------------------------------------


def _list(templates: Sequence[Template], found: Found, chosen: tuple[int, str], *, as_json: bool) -> None:
    from analyzer.templates.entry import suggested

    limit, code = chosen
    fitting = [each for each in templates if not code or ((guess := suggested(each)) and guess.code == code)]
    for template in fitting[:limit]:
        if as_json:
            _print_json(_as_mapping(template))
        else:
            _print(template)
    if not as_json:
        _print_rest(len(fitting) - limit, found, is_empty=not fitting)


def _print(template: Template) -> None:
    from analyzer.templates.entry import suggested

    guess = suggested(template)
    since = f"since {template.first_seen:%Y-%m-%d %H:%M}" if template.first_seen else ""
    where = ", ".join(kind for kind, _ in template.gateways if kind)
    means = f"{guess.code}? ({guess.certainty:.0%})" if guess and not template.unread else ""
    unread = "unread: add a format, not a wording" if template.unread else ""
    facts = "  ".join(fact for fact in (where, since, means, unread) if fact)
    click.echo(f"{click.style(template.id, bold=True)}  {template.records:>7}×  {facts}")
    click.echo(f"    {_short(template.shown)}")
    if template.holes:
        click.secho(f"    {_short(template.examples[0])}", dim=True)


def _print_rest(more: int, found: Found, *, is_empty: bool) -> None:
    if is_empty:
        click.echo("No unexplained messages.")
    if more > 0:
        click.secho(f"{more} more; --limit shows them.", dim=True)
    if found.left_out:
        click.secho(
            f"{found.left_out} records left out: no message, or beyond the limit of different messages.", dim=True
        )
    if not is_empty:
        click.secho("Run `why401 propose ID` to print the knowledge entry for a template.", dim=True)


def _as_mapping(template: Template) -> dict[str, Any]:
    from analyzer.templates.entry import suggested

    guess = suggested(template)
    return {
        "id": template.id,
        "template": template.shown,
        "pattern": template.pattern,
        "records": template.records,
        "gateways": dict(template.gateways),
        "first_seen": template.first_seen,
        "last_seen": template.last_seen,
        "examples": list(template.examples),
        "unread": template.unread,
        "code": guess.code if guess else None,
        "certainty": guess.certainty if guess else None,
    }


def _print_json(row: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
    sys.stdout.flush()


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"
