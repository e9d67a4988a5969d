"""The shape of the house: imports point upstream, names stay ours, dashboard SQL names views only, nothing untyped slips in."""

from __future__ import annotations

import ast
import importlib.metadata
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analyzer.lake.view_files import view_names

ROOT = Path(__file__).parent.parent
PACKAGES = ("collector", "analyzer", "dashboard", "why401")
CONTRACT = {
    "collector.events", "collector.records", "collector.errors", "collector.settings", "collector.telemetry", "collector.metrics_endpoint",
    "collector.sources", "collector.sinks", "collector.safe", "collector.structs", "collector.visible",
    "collector.settings.oidc", "collector.settings.checks", "collector.settings.private",
    "collector.settings.reading", "collector.settings.table", "collector.counted",
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, path


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def in_contract(name: str) -> bool:
    return name in CONTRACT or (name.rpartition(".")[0] in CONTRACT and not is_module(name))


# The import table of docs/architecture.md: the longest prefix of a module's name says what it may import besides the contract.
TABLE = {
    "collector": ("collector",),
    "analyzer": ("analyzer",),
    "analyzer.knowledge": ("analyzer.knowledge", "analyzer.taxonomy", "analyzer.verdicts"),
    "analyzer.diagnosis": ("analyzer.diagnosis", "analyzer.knowledge", "analyzer.taxonomy", "analyzer.verdicts"),
    "analyzer.grouping": ("analyzer.grouping", "analyzer.verdicts"),
    "analyzer.lake": ("analyzer.lake", "analyzer.knowledge"),
    "analyzer.situation": ("analyzer.situation",),
    "analyzer.alerts": ("analyzer.alerts", "analyzer.situation", "analyzer.lake", "analyzer.store"),
    "dashboard": (
        "dashboard",
        "analyzer.lake",
        "analyzer.situation",
        "analyzer.store.deciding",
        "analyzer.store.group_state",
    ),
    "why401": PACKAGES,
}


def allowed(importer: str, target: str) -> bool:
    """Whether the table lets one module import another."""
    if importer in CONTRACT:
        return in_contract(target)
    row = max((name for name in TABLE if within(importer, name)), key=len)
    return in_contract(target) or target in PACKAGES or any(within(target, name) for name in TABLE[row])


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_imports_point_upstream() -> None:
    """A module imports only what the table allows it."""
    found = {name: sorted({target for target in imported(path) if ours(target) and not allowed(name, target)})
             for name, path in modules()}  # fmt: skip

    assert {} == {name: wrong for name, wrong in found.items() if wrong}
    assert len(found) >= 245


# One name, one thing. A command's file is named after the command, a gateway's and its configuration's after the gateway; the other exceptions:
NAMED_AFTER = ("why401.cli.", "collector.gateways.", "why401.expectations.readers.", "why401.trace.walks.")
SAME_NAME = {
    "errors": "each package lists its errors",
    "pipeline": "each package's one stage: record → event, event → verdict",
    "claims": "the claims of a token, and the rule about them",
}


def test_no_two_modules_have_one_name() -> None:
    """A name in a traceback, a search or a conversation leads to one file."""
    places: dict[str, list[str]] = {}
    for name, path in modules():
        if path.stem not in ("__init__", "__main__") and not name.startswith(NAMED_AFTER):
            places.setdefault(path.stem, []).append(name)
    shared = {stem: names for stem, names in places.items() if len(names) > 1}

    assert {} == {stem: names for stem, names in shared.items() if stem not in SAME_NAME}
    assert set() == SAME_NAME.keys() - shared.keys()


def test_the_rule_refuses_a_planted_breach() -> None:
    """The table is not empty: the classic mistakes are refused by name."""
    breaches = [
        ("collector.pipeline", "analyzer.diagnosis"),
        ("collector.events", "collector.token.facts"),
        ("analyzer.pipeline", "collector.token.facts"),
        ("analyzer.diagnosis", "analyzer.store"),
        ("analyzer.lake.query", "analyzer.store"),
        ("analyzer.pipeline", "why401.explainer"),
        ("collector.pipeline", "why401.run"),
        ("dashboard.client", "analyzer.store"),
        ("dashboard.client", "analyzer.diagnosis"),
        ("dashboard.client", "collector.pipeline"),
    ]

    assert [False] * len(breaches) == [allowed(*breach) for breach in breaches]


def tables_named(sql: str) -> set[str]:
    """The tables and views that a statement reads, by DuckDB's own parser; names that it defines itself are left out."""
    tree = json.loads(duckdb.execute("SELECT json_serialize_sql($1)", [sql]).fetchall()[0][0])
    assert not tree["error"], f"{tree.get('error_message')}: {sql}"
    named, own, waiting = set[str](), set[str](), [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            if value.get("type") == "BASE_TABLE":
                named.add(".".join(filter(None, (value["catalog_name"], value["schema_name"], value["table_name"]))))
            own |= {entry["key"] for entry in (value.get("cte_map") or {}).get("map", ())}
    return named - own


# Views are the public API; these ask for what no view shows on purpose.
BESIDE_THE_VIEWS = {"why401/queries/whois.sql": {"store.events", "store.deltas"}}


@pytest.mark.parametrize("folder", ["dashboard/queries", "analyzer/situation/queries", "why401/queries"])
def test_sql_of_readers_names_views_only(folder: str) -> None:
    """Tables may change with any release; what reads them breaks without a test that notices."""
    found = {
        str(path.relative_to(ROOT)): beside
        for path in sorted((ROOT / folder).glob("*.sql"))
        if (beside := tables_named(path.read_text(encoding="utf-8")) - set(view_names()))
    }

    assert {path: names for path, names in BESIDE_THE_VIEWS.items() if path.startswith(folder)} == found


def test_the_parser_sees_a_table() -> None:
    """A join, a subquery and a WITH are looked into."""
    sql = "WITH mine AS (FROM store.deltas) SELECT * FROM mine JOIN groups USING (group_id) WHERE 1 IN (SELECT 1 FROM store.notes)"

    assert {"store.deltas", "groups", "store.notes"} == tables_named(sql)


def test_nothing_untyped_slips_in() -> None:
    """Every argument and every result has a type; `self` and `cls` need none."""
    found = [
        f"{name}:{node.lineno} {node.name}"
        for name, path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_typed(node)
    ]

    assert [] == found


def is_typed(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    about = node.args
    arguments = [*about.posonlyargs, *about.args, *about.kwonlyargs, *filter(None, (about.vararg, about.kwarg))]
    return node.returns is not None and all(arg.annotation or arg.arg in ("self", "cls") for arg in arguments)


# Who may name a topic or a path of the operator's settings as it is.
CONFIGURED = {"collector.sources.file", "collector.sources.kafka.source", "collector.sources.pubsub"}


def unproved(name: str, source: str) -> Iterator[str]:
    """What mypy cannot see about `Safe`: who makes it of a str, and of which."""
    tree = ast.parse(source)
    makers = imported_makers(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (
                f"{alias.name} as {alias.asname}" for alias in node.names if alias.name in MAKERS and alias.asname
            )
        if isinstance(node, ast.Call):
            yield from (f"{name}:{node.lineno} {ast.unparse(node)}" for _ in wrong_makers(name, node, tree, makers))


MAKERS = ("Safe", "fixed", "member_of", "configured", "trusted")


def spelled(node: ast.expr) -> str:
    """`Safe` of `Safe`, `safe.Safe` and `"Safe"`."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def wrong_makers(name: str, call: ast.Call, tree: ast.Module, makers: set[str]) -> Iterator[str]:
    made, passed_on = spelled(call.func), {spelled(arg) for arg in call.args}
    if within(name, "collector.redaction"):
        return
    if (
        (made == "Safe" and not (name == "collector.safe" and is_literal(call.args[0], tree)))
        or (passed_on & makers and name != "collector.safe")
        or (made == "fixed" and not is_literal(call.args[0], tree))
        or (made == "member_of" and not (isinstance(call.args[1], ast.Name) and call.args[1].id in constants(tree)))
        or (made == "configured" and name not in CONFIGURED)
        or (made == "trusted" and name != "collector.events")
    ):
        yield made


def imported_makers(tree: ast.Module) -> set[str]:
    """Makers that a module could pass on to be called; `fixed` is the name of other things too."""
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and ours(node.module or "")]
    return {"Safe"} | {alias.name for node in froms for alias in node.names if alias.name in MAKERS}


def is_literal(node: ast.expr, tree: ast.Module) -> bool:
    """A literal, or a constant of a module of ours that is one."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if not isinstance(node, ast.Name):
        return False
    if node.id in constants(tree):
        return isinstance(constants(tree)[node.id], ast.Constant)
    origin = next(
        (i.module for i in tree.body if isinstance(i, ast.ImportFrom) and node.id in [a.name for a in i.names]), ""
    )
    path = ROOT.joinpath(*(origin or "").split(".")).with_suffix(".py")
    return bool(origin) and path.exists() and is_literal(node, ast.parse(path.read_text(encoding="utf-8")))


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """The module's constants: names in capitals that are assigned once, at its top."""
    pairs = [(a.target, a.value) for a in tree.body if isinstance(a, ast.AnnAssign) and a.value]
    pairs += [(a.targets[0], a.value) for a in tree.body if isinstance(a, ast.Assign)]
    named = [(target.id, value) for target, value in pairs if isinstance(target, ast.Name) and target.id.isupper()]
    stores = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return {name: value for name, value in named if stores.count(name) == 1}


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda v: v if isinstance(v, str) else "")
def test_only_redaction_makes_safe_text(name: str, path: Path) -> None:
    """Outside of redaction a `Safe` comes of a literal, of a closed set, of the operator's names, or off the event topic."""
    assert [] == list(unproved(name, path.read_text(encoding="utf-8")))


def test_only_the_decoder_of_events_silences_mypy_on_safe_text() -> None:
    """An ignored error of types where an event is made would be the same as a `Safe` of any text."""
    silent = {
        f"{name}: {line.strip().partition('  #')[0]}"
        for name, path in modules()
        if within(name, "collector") and not within(name, "collector.settings")
        for line in path.read_text(encoding="utf-8").splitlines()
        if any(f"ignore[{error}" in line for error in ("return-value", "arg-type", "assignment"))
    }

    assert {"collector.events: return value"} == silent


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("collector.pipeline", "Safe(parsed.path)"),
        ("collector.pipeline", "safe.Safe('x')"),
        ("collector.safe", "Safe(text)"),
        ("collector.pipeline", "cast(Safe, parsed.path)"),
        ("collector.pipeline", "cast('Safe', parsed.path)"),
        ("collector.pipeline", "tuple(map(Safe, words))"),
        ("collector.pipeline", "from collector.redaction import fixed\ntuple(map(fixed, words))"),
        ("collector.pipeline", "from collector.safe import Safe as S"),
        ("analyzer.pipeline", "trusted(text)"),
        ("collector.events", "Safe(text)"),
        ("collector.token.facts", "fixed(parsed.path)"),
        ("collector.token.facts", "fixed(f'header:{name}')"),
        ("collector.token.facts", "fixed(name)"),
        ("collector.token.facts", "NAME = parsed.path\nfixed(NAME)"),
        ("collector.token.facts", "for NAME in words:\n    fixed(NAME)"),
        ("collector.token.facts", "member_of(text, [text])"),
        ("collector.token.facts", "member_of(text, words)"),
        ("collector.pipeline", "configured(parsed.host)"),
    ],
)
def test_a_planted_maker_of_safe_text_is_found(name: str, source: str) -> None:
    """Each way around redaction is refused."""
    assert 1 == len(list(unproved(name, source)))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("collector.redaction.shapes", "Safe(text)"),
        ("collector.safe", "EMPTY = Safe('')"),
        ("collector.events", "trusted(value)"),
        ("collector.token.facts", "fixed('elided')"),
        ("collector.token.facts", "NAME: Final = 'elided'\nfixed(NAME)"),
        ("why401.explainer", "from analyzer.diagnosis.missing import BARE_TOKEN\nfixed(BARE_TOKEN)"),
        ("collector.token.facts", "PLACES = frozenset(('a', 'b'))\none_of(text, PLACES)"),
        ("collector.sources.file", "configured(path)"),
    ],
)
def test_an_allowed_maker_of_safe_text_is_not_reported(name: str, source: str) -> None:
    """What the rule is not about passes."""
    assert [] == list(unproved(name, source))


def test_only_the_client_of_the_dashboard_knows_duckdb() -> None:
    """Every query of the page goes through one door."""
    users = [name for name, path in modules() if name.startswith("dashboard") and "duckdb" in set(imported(path))]

    assert {"dashboard.client"} >= {
        name for name in users if name not in ("analyzer.lake.allow_list", "dashboard.errors")
    }


def test_top_level_names_belong_to_why401() -> None:
    """No other installed distribution claims our three package names."""
    owners = importlib.metadata.packages_distributions()

    assert {name: {"why401"} for name in PACKAGES} == {name: set(owners.get(name, ["why401"])) for name in PACKAGES}


def test_no_module_of_the_dashboard_is_named_like_a_library() -> None:
    """`streamlit run` puts dashboard/ first on sys.path: dashboard/altair.py would replace altair."""
    top = {path.stem for path in (ROOT / "dashboard").glob("*.py")} | {"pages", "queries"}
    libraries = set(importlib.metadata.packages_distributions()) - set(PACKAGES)

    assert set() == (top & libraries) - {"__init__"}


def test_untrusted_text_never_meets_the_backtracking_engine() -> None:
    """`re` is quadratic or worse on hostile text; google-re2 and hand-written scanners are linear."""
    users = [name for name, path in modules() if name.startswith("collector") and "re" in set(imported(path))]

    assert [] == users


def test_only_duckdb_brings_a_sqlite() -> None:
    """Two copies of SQLite in a process break each other's file locks (sqlite.org/howtocorrupt.html, 2.2.1): a torn catalog."""
    users = [name for name, path in modules() if {"sqlite3", "apsw"} & set(imported(path))]

    assert [] == users


def test_no_test_keeps_a_time_of_import() -> None:
    """What is "now" when a test module is read is a quarter of an hour ago when the last of its tests runs."""
    slack = {"START_S"}  # yesterday, against retentions of days
    paths = sorted((ROOT / "tests").rglob("*.py"))
    found = [f"{path.relative_to(ROOT)}: {name}" for path in paths for name in kept_clocks(path) if name not in slack]

    assert len(paths) > 150
    assert [] == found


def kept_clocks(path: Path) -> Iterator[str]:
    """Names that a module gives a time of its import."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value is not None
            and any(map(is_clock, ast.walk(node.value)))
        ):
            yield ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def is_clock(node: ast.AST) -> bool:
    clocks = {"time", "time_ns", "now", "utcnow", "today", "monotonic", "perf_counter"}
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in clocks


def test_a_kept_clock_is_found(tmp_path: Path) -> None:
    """The rule is not empty."""
    (tmp_path / "x.py").write_text("NOW = int(time.time())\nDAY: int = datetime.now(UTC).day\nAT = 7\n")

    assert ["NOW", "DAY"] == list(kept_clocks(tmp_path / "x.py"))


def test_no_machine_paths_or_registry_hosts_are_tracked() -> None:
    """The repository runs on any machine: it names none, and no package index."""
    needles = (
        "/work/" + "main",
        "/ro" + "ot/",
        "pypi" + ".org/simple",
        "files.python" + "hosted",
        "repo1.maven" + ".org",
    )
    hits = [
        (path.relative_to(ROOT), needle)
        for path in tracked()
        if path.suffix in {".py", ".toml", ".md", ".yaml", ".txt", ".sql", ""}
        for needle in needles
        if needle in path.read_text(encoding="utf-8", errors="replace")
    ]

    assert [] == hits


def tracked() -> list[Path]:
    skip = {
        ".git",
        ".venv",
        ".cache",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        "__pycache__",
        "why401-data",
    }
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not skip & set(path.relative_to(ROOT).parts) and "egg-info" not in str(path)
    ]
