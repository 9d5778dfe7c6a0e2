"""The reference of the settings is the settings class: page, class and reader say the same, and no secret is shown."""

import json
import re
from dataclasses import replace

import pytest

from cli.settings import BEGIN, END
from domain.config import Settings, load
from domain.settings import as_markdown, reference
from tests.acceptance.conftest import ROOT
from tests.cli.test_console import GOOD, kassor

PAGE = ROOT / "docs" / "configuration.md"


def test_the_page_shows_what_the_settings_class_says() -> None:
    shown = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert shown == f"\n{as_markdown()}\n", "run `kassor settings --into docs/configuration.md`"


def test_every_name_that_is_read_from_the_environment_is_in_the_reference() -> None:
    source = (ROOT / "domain" / "config.py").read_text()
    read = set(re.findall(r'"(DATABASE_URL|PORT|(?:KASSOR|SLACK|STRIPE)_[A-Z_]+)"', source))
    assert {each.name for each in reference()} == read


def test_the_defaults_it_names_are_those_that_hold() -> None:
    written = {each.name: each.default for each in reference() if each.default}
    del written["KASSOR_CATALOGUE"]  # the shipped one: a file of the package, wherever that is
    assert load(GOOD) == load(GOOD | written)
    given = {name: getattr(load(GOOD), name) for name in ("slack_signing_secret", "slack_bot_token", "stripe_api_key")}
    more = {name: getattr(load(GOOD), name) for name in ("stripe_webhook_secrets", "public_url")}
    assert load(GOOD) == replace(Settings(), **given, **more)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_the_console_says_how_each_is_set_and_no_secret(form: tuple[str, ...]) -> None:
    done = kassor("settings", *form, **GOOD, DATABASE_URL="postgres://kassor:very-secret-word@db.example/kassor")
    assert done.returncode == 0, done.stderr
    assert "https://kassor.example" in done.stdout
    assert "very-secret" not in done.stdout
    assert "very_secret" not in done.stdout
    for each in reference():
        assert each.name in done.stdout
    if form:
        told = {each["name"]: each for each in json.loads(done.stdout)["settings"]}
        assert told["STRIPE_API_KEY"]["set"]
        assert told["PORT"]["value"] == "3000"
        assert not told["PORT"]["set"]


def test_a_file_without_the_marks_is_left_alone() -> None:
    page = ROOT / "docs" / "console.md"
    before = page.read_text()
    done = kassor("settings", "--into", str(page))
    assert done.returncode == 2
    assert "has not both lines" in done.stderr
    assert page.read_text() == before
