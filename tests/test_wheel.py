"""What `pip install why401` gives: every data file, a working `why401 explain`, and the extra's name where one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.waiting import HANG_S

ROOT = Path(__file__).parent.parent
PACKAGES = ("collector", "analyzer", "dashboard", "why401")
INSTALL_S = 2 * HANG_S
LINE = '{"response_code": 401, "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}", "method": "GET"}'


def run(*words: str | Path, stdin: str = "", environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command."""
    done = subprocess.run(
        [str(word) for word in words], input=stdin, capture_output=True, text=True, timeout=INSTALL_S, check=False,
        env=environment,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def uv() -> str:
    """The installer that `make install` uses; without it, or without a package index, the tests are skipped."""
    found = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("uv is not here")
    return found


@pytest.fixture(scope="module")
def wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout."""
    copy, out = tmp_path_factory.mktemp("copy") / "why401", tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    status, _, error = run(uv, "build", "--quiet", "--wheel", "--out-dir", out, copy)
    if status and "error sending request" in error.lower():
        pytest.skip("no package index: the wheel's build backend cannot be had")
    assert (0, "") == (status, error if status else "")
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def plain(uv: str, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel without any extra."""
    place = tmp_path_factory.mktemp("plain") / "venv"
    assert run(uv, "venv", "--quiet", "--python", sys.executable, place)[0] == 0
    status, _, error = run(
        uv, "pip", "install", "--quiet", "--python", place / "bin" / "python",
        "--constraint", ROOT / "requirements" / "run.txt", wheel,
    )  # fmt: skip
    if status and "error sending request" in error.lower():
        pytest.skip("no package index: the wheel's dependencies cannot be had")
    assert (0, "") == (status, error if status else "")
    return place / "bin"


def test_every_data_file_is_in_it(wheel: Path) -> None:
    """A TOML or SQL file that setuptools leaves out is found missing at run time only."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.suffix in {".bin", ".py", ".toml", ".sql"} or path.name == "py.typed"
    }
    wanted |= {
        f"{built.removesuffix('-py3-none-any.whl')}.data/data/share/man/man1/{page.name}"
        for built in [wheel.name]
        for page in (ROOT / "why401" / "man").iterdir()
    }
    wanted |= {f"why401/recipes/{page.name}" for page in (ROOT / "docs" / "gateways").glob("*.md")}

    assert set() == wanted - inside


def test_explain_works_without_extras(plain: Path) -> None:
    """A clean environment explains a line, and has neither Streamlit nor Kafka."""
    status, out, _ = run(plain / "why401", "explain", stdin=LINE)
    _, absent, _ = run(
        plain / "python", "-c", "from importlib.util import find_spec as f; print(*(n for n in ('streamlit', 'kafka', 'pandas', 'envoy') if f(n)))"
    )  # fmt: skip

    assert (0, True, "") == (status, "token_expired" in out, absent.strip())


def test_the_api_is_there(plain: Path) -> None:
    """`from why401 import explain, redact`, as the README says."""
    code = "from why401 import explain, redact; print(explain('Jwt issuer is not configured').diagnosis.code, redact('Bearer eyJhbGciOiJub25lIn0.e30.'))"

    assert "issuer_not_trusted" in run(plain / "python", "-c", code)[1]


@pytest.mark.parametrize(("command", "extra"), [("dashboard", "dashboard"), ("demo", "demo"), ("analyze", "kafka")])
def test_a_missing_extra_is_named(plain: Path, tmp_path: Path, command: str, extra: str) -> None:
    """The command says what to install, without a traceback."""
    settings = tmp_path / "why401.toml"
    settings.write_text('[kafka]\nbootstrap = ["127.0.0.1:1"]\n', encoding="utf-8")
    status, _, error = run(
        plain / "why401", command, environment={"WHY401_CONFIG": str(settings), "HOME": str(tmp_path)}
    )

    assert (2, True, False) == (status, f"pip install 'why401[{extra}]'" in error, "Traceback" in error)


@pytest.fixture(scope="module")
def wheelhouse(uv: str, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and everything that it requires, as one carries it to a machine without a package index."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    place = tmp_path_factory.mktemp("pip") / "venv"
    assert run(uv, "venv", "--quiet", "--seed", "--python", sys.executable, place)[0] == 0
    pinned = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8").splitlines()
    versions = place / "versions.txt"  # without hashes, which pip would demand of the wheel as well
    versions.write_text("\n".join(line.rstrip(" \\") for line in pinned if line[:1].isalnum()), encoding="utf-8")
    status, _, error = run(
        place / "bin" / "python", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
        "--constraint", versions, "--dest", folder, wheel,
    )  # fmt: skip
    if status and ("connection" in error.lower() or "no matching distribution" in error.lower()):
        pytest.skip("no package index: the wheelhouse cannot be filled")
    assert 0 == status, error
    return folder


def test_tools_install_it_from_a_wheelhouse(uv: str, wheelhouse: Path, tmp_path: Path) -> None:
    """`uvx` runs it, and `uv tool install`, as pipx does, puts it on the path, without a package index."""
    offline = ["--offline", "--no-index", "--find-links", wheelhouse, "--python", sys.executable]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "UV_CACHE_DIR": str(tmp_path / "cache")}
    once, out, error = run(
        uv, "tool", "run", *offline, "--from", "why401", "why401", "explain", stdin=LINE, environment=environment
    )
    kept, _, said = run(uv, "tool", "install", *offline, "why401", environment=environment)
    program = tmp_path / ".local" / "bin" / "why401"

    assert (0, True) == (once, "token_expired" in out), error
    assert 0 == kept, said
    assert "why401, version" in run(program, "--version", environment=environment)[1]
    assert list((tmp_path / ".local" / "share" / "uv" / "tools" / "why401" / "share" / "man" / "man1").glob("why401.1"))
