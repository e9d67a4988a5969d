"""Lines of `[alerts] urls`: read, named, and never quoted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.alerts import courier
from analyzer.alerts.channels import misread, targets
from analyzer.alerts.courier import Parcel
from collector.errors import ConfigurationError
from collector.settings import AlertSettings, Settings, load

SECRET = "hunter2-hunter2"


def settings(urls: str) -> Settings:
    return replace(Settings(), alerts=replace(AlertSettings(), urls=urls))


def test_lines_are_channels() -> None:
    """With a name and without, for critical ones only, of all three kinds; comments are none."""
    found = targets(
        settings(
            "# on call\nchat slack://a/b/c\n\npager[critical] pagerduty://k@a\nalertmanager+http://am:9093/x\n"
            f"hook webhook+https://u:{SECRET}@h/p?q=1"
        )
    )

    assert [
        ("chat", "apprise", "slack://a/b/c", False), ("pager", "apprise", "pagerduty://k@a", True),
        ("alertmanager+http", "alertmanager", "http://am:9093/x", False),
        ("hook", "webhook", f"https://u:{SECRET}@h/p?q=1", False),
    ] == [(one.name, one.kind, one.url, one.only_critical) for one in found]  # fmt: skip
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "line",
    [f"no-url-{SECRET}", f"a b {SECRET}://x", "webhook+http:///p", "webhook+http://[::1", f"x json://{SECRET}\nx json://b", "\n".join(f"c{n} json://h" for n in range(21))],
)  # fmt: skip
def test_a_wrong_line_is_named_and_not_quoted(line: str) -> None:
    """The error says which line and what is expected."""
    with pytest.raises(ConfigurationError) as caught:
        targets(settings(line))

    assert SECRET not in str(caught.value)
    assert "alerts.urls" in str(caught.value)


def test_apprise_judges_its_own_urls() -> None:
    """A scheme that it does not know, and one that it does."""
    unknown, known = targets(settings("a nosuch://x\nb json://localhost/x"))

    assert (True, False) == (misread(unknown), misread(known))


def test_the_configuration_holds_them_only_when_it_is_private(tmp_path: Path) -> None:
    """Readable by others, it is refused, with what to do; a private file of URLs is read."""
    file, urls = tmp_path / "why401.toml", tmp_path / "urls"
    file.write_text(f'[alerts]\nurls = "chat json://{SECRET}@h"\n')
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="urls_file") as caught:
        load(file, environ={})
    assert SECRET not in str(caught.value)

    file.chmod(0o600)
    assert SECRET in load(file, environ={}).alerts.urls
    file.write_text('[alerts]\nurls_file = "urls"\n')
    urls.write_text("chat json://h\n")
    urls.chmod(0o600)
    assert "chat json://h" == load(file, environ={}).alerts.urls
    file.write_text("")
    named = load(file, environ={"WHY401_ALERTS_URLS": f"x json://{SECRET}"})
    assert (True, False) == (SECRET in named.alerts.urls, SECRET in repr(named))


def test_a_parcel_shows_no_url() -> None:
    """In a log or a traceback."""
    assert SECRET not in repr(Parcel(kind="webhook", url=f"https://u:{SECRET}@h", title="", body=""))
    assert [] == courier.deliver([])
