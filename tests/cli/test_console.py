"""The operator's console: what is wrong is said at once, and no secret is said at all."""

import json
import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from domain.config import SettingsError, load
from scheduler import ticks
from tests.acceptance.conftest import ROOT

GOOD = {
    "SLACK_SIGNING_SECRET": "very-secret-signing",
    "SLACK_BOT_TOKEN": "xoxb-very-secret-token",
    "STRIPE_API_KEY": "sk_test_very_secret",
    "STRIPE_WEBHOOK_SECRETS": "whsec_very_secret",
    "KASSOR_PUBLIC_URL": "https://kassor.example",
}


def kassor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the console with nothing in its environment but this."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_kassor_serve_lists_all_that_is_wrong_at_once_and_exits_2() -> None:
    done = kassor("serve", PORT="99999", DATABASE_URL="mysql://x", STRIPE_API_KEY="pk_live_oops_secret")
    assert done.returncode == 2
    for name in (
        *("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS"),
        *("KASSOR_PUBLIC_URL", "PORT", "DATABASE_URL"),
    ):
        assert name in done.stderr, name
    assert "Traceback" not in done.stderr
    assert "oops_secret" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"SLACK_BOT_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_CLIENT_ID": "1.2"}, "SLACK_CLIENT_SECRET"),
        ({"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "x"}, "KASSOR_ENCRYPTION_KEYS"),
        ({"KASSOR_ENCRYPTION_KEYS": "not a key"}, "KASSOR_ENCRYPTION_KEYS"),
        ({"KASSOR_PUBLIC_URL": "http://kassor.example"}, "KASSOR_PUBLIC_URL"),
        ({"STRIPE_API_URL": "ftp://x"}, "STRIPE_API_URL"),
        ({"STRIPE_WEBHOOK_SECRETS": "whsec_a,sk_b"}, "STRIPE_WEBHOOK_SECRETS"),
        ({"KASSOR_CATALOGUE": "/no/such/file.toml"}, "KASSOR_CATALOGUE"),
        ({"KASSOR_LOG_LEVEL": "CHATTY"}, "KASSOR_LOG_LEVEL"),
        ({"KASSOR_TRUSTED_PROXIES": "yes"}, "KASSOR_TRUSTED_PROXIES"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, str], names: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(GOOD | changes)
    assert any(problem.startswith(names) for problem in refused.value.problems)


HIDDEN = {"SLACK_APP_TOKEN": "xapp-1", "KASSOR_PUBLIC_URL": "", "STRIPE_WEBHOOK_SECRETS": ""}


def test_one_workspace_by_socket_mode_needs_no_address_and_looks_for_stripes_events_every_minute() -> None:
    settings = load(GOOD | HIDDEN)
    reconcile = ticks.TICKS["reconcile"]
    assert settings.return_url == "https://app.slack.com/client"
    assert ticks.every(reconcile, settings) == 60
    assert ticks.every(reconcile, load(GOOD)) == 3_600


def test_installing_by_oauth_needs_an_address_also_with_socket_mode() -> None:
    many = {
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "x",
        "KASSOR_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }
    with pytest.raises(SettingsError) as refused:
        load(GOOD | HIDDEN | many)
    assert [problem.split()[0] for problem in refused.value.problems] == ["STRIPE_WEBHOOK_SECRETS", "KASSOR_PUBLIC_URL"]


def test_settings_never_show_their_secrets() -> None:
    assert "secret" not in repr(load(GOOD))


def test_a_broken_catalogue_is_told_whole_and_exits_2(tmp_path: object) -> None:
    path = f"{tmp_path}/catalogue.toml"
    with open(path, "w", encoding="utf-8") as file:
        file.write('default_currency = "kronor"\nannual_months = 99\nsizes = [1]\nplans = 7\n')
    done = kassor("catalogue", "push", "--dry-run", KASSOR_CATALOGUE=path, **GOOD)
    assert done.returncode == 2
    for name in ("default_currency", "annual_months", "sizes", "plans"):
        assert name in done.stderr, name


def test_the_manifest_needs_an_address_or_socket_mode() -> None:
    without, by_socket, explained = (
        kassor("manifest"),
        kassor("manifest", "--socket-mode"),
        kassor("manifest", "--explain"),
    )
    assert (without.returncode, by_socket.returncode, explained.returncode) == (2, 0, 0)
    assert "--socket-mode" in without.stderr
    assert json.loads(by_socket.stdout)["settings"]["socket_mode_enabled"] is True
    assert "usergroups:read   user groups are teams" in explained.stdout


def test_the_manifest_asks_slack_to_escape_mentions_and_names_every_permission_once() -> None:
    done = kassor("manifest", "https://kassor.example/")
    made = json.loads(done.stdout)
    commands = made["features"]["slash_commands"]
    assert {"/billing", "/upgrade", "/seats", "/billing-owner", "/platser"} <= {each["command"] for each in commands}
    assert all(each["should_escape"] and each["url"] == "https://kassor.example/slack/events" for each in commands)
    scopes = made["oauth_config"]["scopes"]["bot"]
    assert len(scopes) == len(set(scopes))


def test_migrate_and_key_work_by_themselves(tmp_path: object) -> None:
    done = kassor("migrate", DATABASE_URL=f"sqlite://{tmp_path}/k.db", **GOOD)
    assert (done.returncode, done.stdout.strip()) == (0, "The database is up to date.")
    assert len(kassor("key").stdout.strip()) == 44


@pytest.mark.parametrize("address", ["nonsense", "http://kassor.example", "https://", "https://a b"])
def test_a_manifest_is_made_for_no_address_slack_would_refuse(address: str) -> None:
    done = kassor("manifest", address)
    assert (done.returncode, done.stdout) == (2, "")
    assert "https://" in done.stderr


ASKING = (
    "customer x",
    "events list",
    "notices list",
    "audit",
    "reconcile",
    "reconcile --restored",
    "forget T1 --dry-run",
)


@pytest.mark.parametrize("command", [*ASKING, "migrate"])
def test_a_database_that_is_away_is_said_in_words(command: str) -> None:
    done = kassor(*command.split(), DATABASE_URL="postgres://u:very-secret-word@127.0.0.1:9/x", **GOOD)
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "very-secret-word" not in done.stderr


@pytest.mark.parametrize("command", ASKING)
def test_a_database_that_was_not_migrated_is_said_in_words(command: str, tmp_path: object) -> None:
    done = kassor(*command.split(), DATABASE_URL=f"sqlite://{tmp_path}/new.db", **GOOD)
    assert done.returncode == 2
    assert "kassor migrate" in done.stderr
    assert "Traceback" not in done.stderr
