"""Settings from the environment, checked whole: everything wrong is said at once, and never a secret's value."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from domain.rules.hours import WORKING, Hours, read_days, read_hours
from domain.settings import Settings

__all__ = ["Settings", "SettingsError", "load"]


class SettingsError(Exception):
    """Kassör can't start: `problems` lists every wrong or missing setting, with what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError naming all that is wrong or missing."""
    return _Reader(environment).settings()


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._given = {name: value.strip() for name, value in environment.items()}
        self._problems: list[str] = []

    def settings(self) -> Settings:
        signing_secret = self._required("SLACK_SIGNING_SECRET", "copy it from your Slack app's page, Basic Information")
        bot_token = self._prefixed("SLACK_BOT_TOKEN", "xoxb-")
        app_token = self._prefixed("SLACK_APP_TOKEN", "xapp-")
        client_id, client_secret = self._get("SLACK_CLIENT_ID"), self._get("SLACK_CLIENT_SECRET")
        keys = self._list("KASSOR_ENCRYPTION_KEYS")
        self._check_installation(bot_token, client_id, client_secret, keys)
        self._check_keys(keys)
        # One workspace by Socket Mode: no browser and no Slack comes to us.
        may_hide = app_token is not None and client_id is None
        # Stripe tries for three days: an event that comes again must still be known.
        events_kept = self._days("KASSOR_EVENTS_KEPT_DAYS", default=30, least=4, most=3_650)
        settings = Settings(
            database_url=self._database_url(),
            port=self._port(),
            slack_signing_secret=signing_secret,
            slack_bot_token=bot_token,
            slack_client_id=client_id,
            slack_client_secret=client_secret,
            slack_app_token=app_token,
            slack_api_url=self._url("SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
            stripe_api_key=self._stripe_key(),
            stripe_webhook_secrets=self._webhook_secrets(may_lack=may_hide),
            stripe_api_url=self._url("STRIPE_API_URL", "https://api.stripe.com").rstrip("/"),
            catalogue=self._file("KASSOR_CATALOGUE"),
            sales_channel=self._get("KASSOR_SALES_CHANNEL"),
            sales_staff=self._list("KASSOR_SALES_STAFF"),
            support_channel=self._get("KASSOR_SUPPORT_CHANNEL"),
            audit_channel=self._get("KASSOR_AUDIT_CHANNEL"),
            encryption_keys=keys,
            public_url=self._public_url(may_lack=may_hide),
            trusted_proxies=self._proxies(),
            api_tokens=self._api_tokens(),
            copy_hours=self._copy_hours(),
            events_kept_days=events_kept,
            event_payloads_kept_days=self._days(
                "KASSOR_EVENT_PAYLOADS_KEPT_DAYS", default=min(7, events_kept), least=0, most=events_kept
            ),
            slack_budget=self._budget(),
            clock_file=self._file("KASSOR_CLOCK_FILE"),
            log_level=self._one_of("KASSOR_LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"),
            log_format=self._one_of("KASSOR_LOG_FORMAT", "text", "json"),
            metrics_port=self._metrics_port(),
        )
        if self._problems:
            raise SettingsError(self._problems)
        return settings

    def _get(self, name: str) -> str | None:
        return self._given.get(name) or None

    def _list(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._given.get(name, "").split(",") if part.strip())

    def _wrong(self, name: str, why: str) -> None:
        self._problems.append(f"{name} {why}")

    def _required(self, name: str, how: str) -> str:
        value = self._get(name)
        if value is None:
            self._wrong(name, f"is missing: {how}")
        return value or ""

    def _prefixed(self, name: str, prefix: str) -> str | None:
        value = self._get(name)
        if value is not None and not value.startswith(prefix):
            self._wrong(name, f"must start with {prefix}; what is set is another kind of token")
        return value

    def _check_installation(
        self, bot_token: str | None, client_id: str | None, client_secret: str | None, keys: tuple[str, ...]
    ) -> None:
        if (client_id is None) != (client_secret is None):
            missing = "SLACK_CLIENT_ID" if client_id is None else "SLACK_CLIENT_SECRET"
            self._wrong(missing, "is missing: installing by OAuth needs both the client id and the client secret")
        elif client_id is None and bot_token is None:
            self._wrong(
                "SLACK_BOT_TOKEN",
                "is missing: set it for one workspace, or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET for many",
            )
        if client_id is not None and not keys:
            self._wrong(
                "KASSOR_ENCRYPTION_KEYS",
                "is missing: tokens from OAuth are stored encrypted; make a key with `kassor key`",
            )

    def _check_keys(self, keys: tuple[str, ...]) -> None:
        for number, key in enumerate(keys, start=1):
            try:
                Fernet(key)
            except ValueError:
                self._wrong("KASSOR_ENCRYPTION_KEYS", f"key {number} is not a Fernet key; make one with `kassor key`")

    def _database_url(self) -> str:
        value = self._get("DATABASE_URL") or "sqlite://kassor.db"
        if value.startswith("postgresql://"):
            value = "postgres" + value.removeprefix("postgresql")
        if not value.startswith(("sqlite://", "postgres://")):
            self._wrong("DATABASE_URL", "must start with sqlite:// or postgres://")
        return value

    def _port(self) -> int:
        value = self._get("PORT") or "3000"
        if not re.fullmatch(r"[0-9]{1,5}", value) or not 0 < int(value) < 65_536:
            self._wrong("PORT", "must be a port number from 1 to 65535")
            return 3000
        return int(value)

    def _copy_hours(self) -> Hours:
        hours, days = self._get("KASSOR_COPY_HOURS"), self._get("KASSOR_COPY_DAYS")
        found = WORKING
        try:
            if hours is not None:
                opens, closes = read_hours(hours)
                found = replace(found, opens=opens, closes=closes)
        except ValueError:
            self._wrong("KASSOR_COPY_HOURS", "must be like 09:00-17:00: from when to when, on the reader's clock")
        try:
            if days is not None:
                found = replace(found, days=read_days(days))
        except ValueError:
            self._wrong("KASSOR_COPY_DAYS", "must be like mon-fri or mon,wed,fri")
        return found

    def _days(self, name: str, *, default: int, least: int, most: int) -> int:
        value = self._get(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,4}", value) or not least <= int(value) <= most:
            self._wrong(name, f"must be a number of days from {least} to {most}")
            return default
        return int(value)

    def _budget(self) -> int | None:
        value = self._get("KASSOR_SLACK_BUDGET")
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,6}", value) or int(value) == 0:
            self._wrong(
                "KASSOR_SLACK_BUDGET", "must be how many messages a second all senders together may send, from 1"
            )
            return None
        return int(value)

    def _proxies(self) -> int:
        value = self._get("KASSOR_TRUSTED_PROXIES") or "0"
        if not re.fullmatch(r"[0-9]", value):
            self._wrong("KASSOR_TRUSTED_PROXIES", "must be how many proxies of yours stand in front, 0 to 9")
            return 0
        return int(value)

    def _url(self, name: str, default: str) -> str:
        value = self._get(name) or default
        parts = urlsplit(value)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
            self._wrong(name, "must be an https:// address (http:// only for this machine)")
        return value

    def _public_url(self, *, may_lack: bool) -> str:
        if self._get("KASSOR_PUBLIC_URL") is None:
            if may_lack:
                return ""
            self._wrong(
                "KASSOR_PUBLIC_URL", "is missing: the https:// address people's browsers and Slack reach Kassör at"
            )
            return ""
        return self._url("KASSOR_PUBLIC_URL", "").rstrip("/")

    def _stripe_key(self) -> str:
        key = self._required("STRIPE_API_KEY", "a secret or restricted key from Stripe, Developers → API keys")
        if key and not key.startswith(("sk_", "rk_")):
            self._wrong("STRIPE_API_KEY", "must be a secret (sk_…) or restricted (rk_…) key")
        return key

    def _webhook_secrets(self, *, may_lack: bool) -> tuple[str, ...]:
        secrets = self._list("STRIPE_WEBHOOK_SECRETS")
        if not secrets and not (may_lack and self._get("KASSOR_PUBLIC_URL") is None):
            self._wrong("STRIPE_WEBHOOK_SECRETS", "is missing: the signing secret of the webhook endpoint in Stripe")
        elif any(not secret.startswith("whsec_") for secret in secrets):
            self._wrong("STRIPE_WEBHOOK_SECRETS", "must be signing secrets that start with whsec_, separated by commas")
        return secrets

    def _api_tokens(self) -> tuple[str, ...]:
        tokens = self._list("KASSOR_API_TOKENS")
        for number, token in enumerate(tokens, start=1):
            if not re.fullmatch(r"[!-~]{12,}", token):
                self._wrong(
                    "KASSOR_API_TOKENS", f"token {number} must be at least 12 characters of plain ASCII, no spaces"
                )
        return tokens

    def _file(self, name: str) -> Path | None:
        value = self._get(name)
        if value is None:
            return None
        path = Path(value)
        if not path.is_file():
            self._wrong(name, f"names a file that is not there: {value}")
        return path

    def _one_of(self, name: str, default: str, *others: str) -> str:
        value = self._get(name) or default
        for known in (default, *others):
            if value.lower() == known.lower():
                return known
        self._wrong(name, f"must be one of {', '.join((default, *others))}")
        return default

    def _metrics_port(self) -> int | None:
        value = self._get("KASSOR_METRICS_PORT")
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,5}", value) or not 0 < int(value) < 65_536:
            self._wrong("KASSOR_METRICS_PORT", "must be a port number from 1 to 65535")
            return None
        return int(value)
