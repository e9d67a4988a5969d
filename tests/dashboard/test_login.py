"""Who may open the page: settings, roles, and a real login in a real browser with a real OpenID provider."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.errors import ConfigurationError
from collector.settings import DashboardSettings, LoginSettings, Settings
from dashboard import config, login, roles
from dashboard.errors import NotPermitted
from dashboard.roles import Role
from tests.brokers import free_ports
from tests.dashboard import oidc_provider
from tests.dashboard.conftest import ROOT, Served, Visit, await_health
from tests.waiting import HANG_S

ISSUER = "https://idp.example.com"
FULL = LoginSettings(
    issuer=ISSUER, client_id="page", client_secret="s3cr3t", redirect_uri="https://why401.example.com/oauth2callback",
    viewers=("sre", "Ann@example.com"), operators=("admins",),
)  # fmt: skip
PEOPLE = {
    "vera": {"email": "vera@example.com", "groups": ["viewers"]},
    "olaf": {"email": "olaf@example.com", "groups": ["viewers", "operators"]},
    "nils": {"email": "nils@example.com", "groups": ["sales"]},
}


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param({"groups": ["dev", "sre"]}, Role.VIEWER, id="viewer"),
        pytest.param({"groups": ["sre", "admins"]}, Role.OPERATOR, id="the-higher-one"),
        pytest.param({"groups": "admins"}, Role.OPERATOR, id="text"),
        pytest.param({"email": "ann@EXAMPLE.com", "email_verified": True}, Role.VIEWER, id="e-mail"),
        pytest.param({"email": "ann@example.com", "email_verified": False}, Role.NOBODY, id="unproven-e-mail"),
        pytest.param({"groups": ["ann@example.com"]}, Role.NOBODY, id="group-like-an-e-mail"),
        pytest.param({"email": "ann@example.com"}, Role.NOBODY, id="e-mail-of-unknown-proof"),
        pytest.param({"email": "sre", "email_verified": True}, Role.NOBODY, id="e-mail-like-a-group"),
        pytest.param({"groups": ["dev"]}, Role.NOBODY, id="other-group"),
        pytest.param({"groups": "admins sre"}, Role.NOBODY, id="not-split"),
        pytest.param({"groups": {"admins": True}}, Role.NOBODY, id="object"),
        pytest.param({}, Role.NOBODY, id="nothing"),
        pytest.param({"iss": "https://evil", "groups": ["admins"]}, Role.NOBODY, id="other-issuer"),
    ],
)
def test_a_role_is_what_the_claims_say(claims: dict[str, Any], expected: Role) -> None:
    """Whoever is named nowhere has none."""
    assert expected == roles.role_of({"iss": ISSUER} | claims, FULL)


def test_a_claim_may_lie_deep() -> None:
    """As Keycloak has them; a claim whose name holds dots goes first."""
    deep = LoginSettings(issuer=ISSUER, role_claim="realm_access.roles", operators=("admins",))

    assert Role.OPERATOR == roles.role_of({"iss": ISSUER, "realm_access": {"roles": ["admins"]}}, deep)
    assert Role.OPERATOR == roles.role_of({"iss": ISSUER, "realm_access.roles": ["admins"]}, deep)


@pytest.mark.parametrize(
    ("issued", "over"),
    [(0, False), (-3 * 3600 + 5, False), (-3 * 3600 - 5, True), (3600, True), (None, True), (True, True)],
)
def test_a_login_ends(issued: Any, over: bool) -> None:
    """After `session_hours`, whatever Streamlit's cookie says; one from the future or without a time is none."""
    at = 1_000_000 + issued if isinstance(issued, int) and not isinstance(issued, bool) else issued

    assert over == roles.is_over({"iat": at}, LoginSettings(session_hours=3), 1_000_000)


def settings_of(address: str = "127.0.0.1:8501", chosen: LoginSettings | None = None, **top: Any) -> Settings:
    return Settings(dashboard=DashboardSettings(address=address, login=chosen or LoginSettings()), **top)


@pytest.mark.parametrize(
    ("settings", "key", "says"),
    [
        pytest.param(settings_of("0.0.0.0:8501"), "dashboard.address", "set [dashboard.login]", id="exposed"),
        pytest.param(
            settings_of(chosen=LoginSettings(issuer=ISSUER)), "dashboard.login.client_id", "required", id="half"
        ),
        pytest.param(
            settings_of(
                chosen=LoginSettings(issuer=ISSUER, client_id="x", client_secret="y", redirect_uri="https://z/oauth2callback")
            ),
            "dashboard.login.operators", "nobody could log in", id="nobody",
        ),
    ],
)  # fmt: skip
def test_a_page_that_is_not_protected_does_not_start(settings: Settings, key: str, says: str) -> None:
    """With the setting and what would be right."""
    with pytest.raises(ConfigurationError) as raised:
        login.check(settings)

    assert key == raised.value.key
    assert says in raised.value.expected


@pytest.mark.parametrize(
    "settings",
    [settings_of(), settings_of("[::1]:1"), settings_of("0.0.0.0:1", FULL), settings_of("0.0.0.0:1", insecure=True)],
    ids=["loopback", "loopback-6", "login", "insecure"],
)
def test_a_page_that_may_start(settings: Settings) -> None:
    """On loopback, with a login, or because the operator says so."""
    login.check(settings)


def test_streamlit_reads_the_login_from_a_private_file() -> None:
    """Mode 0600 in a folder of 0700, and it goes with the process; the secret of its cookies is not the client's."""
    with login.streamlit_flags(FULL) as flags:
        file = Path(flags[0].removeprefix("--secrets.files="))
        auth = tomllib.loads(file.read_text())["auth"]
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (file.parent, file)]

    assert ([0o700, 0o600], False) == (modes, file.parent.exists())
    assert ("s3cr3t", f"{ISSUER}/.well-known/openid-configuration") == (
        auth["client_secret"],
        auth["server_metadata_url"],
    )
    assert 64 == len(auth["cookie_secret"])
    assert "s3cr3t" not in auth["cookie_secret"]


def test_secrets_survive_toml() -> None:
    """Quotes, backslashes and letters beyond ASCII reach Streamlit as they are."""
    odd = "a\"b\\c'é😀\t\x7f"
    text = login.secrets(LoginSettings(issuer=ISSUER, client_secret=odd))

    assert odd == tomllib.loads(text)["auth"]["client_secret"]


def test_the_clients_secret_is_in_no_repr() -> None:
    """Settings end in logs."""
    assert "s3cr3t" not in repr(settings_of(chosen=FULL))


def test_without_a_login_everybody_is_the_operator(use: Callable[..., None], tmp_path: Path) -> None:
    """On one's own machine nothing changes."""
    use(tmp_path)

    assert Role.OPERATOR == roles.current()
    roles.require_operator()


def test_what_changes_something_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control that is not drawn is no protection."""
    monkeypatch.setattr(roles, "current", lambda: Role.VIEWER)

    with pytest.raises(NotPermitted):
        roles.require_operator()


@pytest.fixture(scope="module")
def guarded(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page as `why401 dashboard` serves it, with a login at a real provider."""
    work = tmp_path_factory.mktemp("guarded")
    port = free_ports(1)[0]
    secret = work / "client-secret"
    secret.touch(0o600)
    secret.write_text(oidc_provider.SECRET + "\n")
    (work / "tmp").mkdir()
    with oidc_provider.serving(PEOPLE) as provider:
        (work / "why401.toml").write_text(
            f'data_dir = "{lake}"\n[dashboard]\naddress = "127.0.0.1:{port}"\n'
            f'[dashboard.login]\nissuer = "{provider.issuer}"\nclient_id = "{oidc_provider.CLIENT}"\n'
            f'client_secret_file = "client-secret"\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            'viewers = ["viewers"]\noperators = ["operators"]\n'
        )
        command = [sys.executable, "-m", "why401", "dashboard", "--config", str(work / "why401.toml")]
        environment = {**os.environ, "TMPDIR": str(work / "tmp"), "PYTHONPATH": str(ROOT)}
        environment.pop(config.CONFIG_ENV, None)
        with (work / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=work, env=environment, stdout=log, stderr=subprocess.STDOUT)
        served = Served(f"http://127.0.0.1:{port}", process, work / "log")
        try:
            await_health(served)
            yield served
        finally:
            process.terminate()
            process.wait(timeout=HANG_S)
    left = [path.name for path in (work / "tmp").iterdir() if path.name.startswith("why401-login-")]
    assert ([], False) == (left, oidc_provider.SECRET in (work / "log").read_text())


def wait_for(page: Any, text: str) -> None:
    page.get_by_text(text, exact=False).first.wait_for()


def enter(seen: Visit, who: str) -> None:
    """Through the provider's page and back."""
    seen.page.get_by_role("button", name="Log in").click()
    wait_for(seen.page, "Who are you?")
    seen.page.get_by_role("link", name=who).click()
    seen.page.wait_for_url(f"{seen.origin}/**")


@pytest.mark.browser
def test_nobody_sees_anything_before_the_login(guarded: Served, visit: Callable[..., Visit]) -> None:
    """Whatever the address: a way to log in, and no data."""
    for path in ("/", "/groups", "/sql", "/group?group=v1-4be1c0ffee000001"):
        seen = visit(guarded, path)
        wait_for(seen.page, "Log in to see why the gateway said no.")
        seen.page.wait_for_load_state("networkidle")

        assert 0 == seen.page.locator('[data-testid="stDataFrame"], [data-testid="stVegaLiteChart"]').count()
        assert "of requests pass" not in seen.page.content()


@pytest.mark.browser
def test_a_viewer_looks_and_changes_nothing(guarded: Served, visit: Callable[..., Visit]) -> None:
    """Pages and charts; no SQL page, no export, not by address either."""
    seen = visit(guarded)
    enter(seen, "vera")
    wait_for(seen.page, "of requests pass")
    offered = seen.page.get_by_role("link", name="SQL").count()
    seen.page.goto(guarded.url + "/group?group=v1-4be1c0ffee000001")
    wait_for(seen.page, "How to fix it")
    exports = seen.page.locator('[data-testid="stDownloadButton"]').count()
    seen.page.goto(guarded.url + "/sql")
    wait_for(seen.page, "Page not found")

    assert (0, 0, 0) == (offered, exports, seen.page.get_by_text("Statement").count())


@pytest.mark.browser
def test_an_operator_has_everything(guarded: Served, visit: Callable[..., Visit]) -> None:
    """SQL and export; and after logging out nothing any more."""
    seen = visit(guarded)
    enter(seen, "olaf")
    wait_for(seen.page, "of requests pass")
    seen.page.goto(guarded.url + "/group?group=v1-4be1c0ffee000001")
    wait_for(seen.page, "How to fix it")
    seen.page.locator('[data-testid="stDownloadButton"]').first.wait_for()
    seen.page.get_by_role("link", name="SQL").first.click()
    wait_for(seen.page, "One SELECT over the views")
    seen.page.get_by_role("link", name="Log out").first.click()
    wait_for(seen.page, "Log in to see why the gateway said no.")

    assert seen.page.get_by_role("link", name="SQL").count() == 0


@pytest.mark.browser
def test_somebody_without_a_role_is_told_so(guarded: Served, visit: Callable[..., Visit]) -> None:
    """A plain refusal with the name, what would help, and a way out."""
    seen = visit(guarded)
    enter(seen, "nils")
    wait_for(seen.page, "You do not have access to this page.")
    wait_for(seen.page, "You are logged in as nils@example.com.")
    seen.page.get_by_role("button", name="Log out").click()
    wait_for(seen.page, "Log in to see why the gateway said no.")

    assert "of requests pass" not in seen.page.content()


@pytest.mark.browser
def test_a_forged_cookie_is_no_login(guarded: Served, visit: Callable[..., Visit]) -> None:
    """What the browser holds is signed; one that somebody else signed is worth nothing."""
    seen = visit(guarded)
    enter(seen, "vera")
    wait_for(seen.page, "of requests pass")
    context = seen.page.context
    for cookie in context.cookies():
        if cookie["name"].startswith("_streamlit_user"):
            context.add_cookies([{**cookie, "value": cookie["value"][:-8] + "AAAAAAAA"}])
    seen.page.goto(guarded.url + "/groups")

    wait_for(seen.page, "Log in to see why the gateway said no.")


def test_the_folder_of_temporary_files_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TMPDIR decides where the private file lies."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with login.streamlit_flags(FULL) as flags:
        assert str(tmp_path) in flags[0]
