"""What can be set, and what each setting is for: the class that Kassör runs with, and the reference made from it.

`kassor settings --into docs/configuration.md` writes the reference; a test finds a page that says something else.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from domain.rules.hours import WORKING, Hours


@dataclass(frozen=True)
class Setting:
    """One name in the environment. `form`: what a value looks like, with its unit; `needed`: when it can't be left out."""

    name: str
    what: str
    form: str
    needed: str = ""
    secret: bool = False
    default: str | None = None  # as it is written, where the field's own value doesn't say it


ADDRESS, PORT_NUMBER, CHANNEL, LIST = "https address", "port, 1 to 65535", "channel id (`C…`)", "separated by commas"


@dataclass(frozen=True, repr=False)  # no repr: it holds secrets
class Settings:
    """Everything an operator can set."""

    database_url: Annotated[
        str,
        Setting(
            "DATABASE_URL",
            "where everything is kept: a SQLite file for one process, PostgreSQL for any number",
            "`sqlite://path` or `postgres://user:password@host/name`",
            secret=True,
        ),
    ] = "sqlite://kassor.db"
    port: Annotated[int, Setting("PORT", "where the public routes listen", PORT_NUMBER)] = 3000
    public_url: Annotated[
        str,
        Setting(
            "KASSOR_PUBLIC_URL",
            "where Slack, Stripe and browsers reach Kassör",
            ADDRESS,
            needed="yes, but for Socket Mode",
        ),
    ] = ""
    trusted_proxies: Annotated[
        int,
        Setting(
            "KASSOR_TRUSTED_PROXIES",
            "how many proxies of yours stand in front, each adding the address it saw to `X-Forwarded-For`: 1 behind a platform's "
            "router or one Caddy. By it whoever begins installations too often is told apart from others; set too high, an address "
            "could be forged, and too low, all share one limit",
            "a number, from 0",
        ),
    ] = 0
    slack_signing_secret: Annotated[
        str,
        Setting(
            "SLACK_SIGNING_SECRET",
            "what Slack signs its requests with: the app's page, Basic Information",
            "32 hexadecimal digits",
            needed="yes",
            secret=True,
        ),
    ] = ""
    slack_bot_token: Annotated[
        str | None,
        Setting(
            "SLACK_BOT_TOKEN", "the bot's token in one workspace", "`xoxb-…`", needed="or the next two", secret=True
        ),
    ] = None
    slack_client_id: Annotated[
        str | None,
        Setting(
            "SLACK_CLIENT_ID",
            "for many workspaces, installed by OAuth at `/slack/install`",
            "two numbers and a point",
            needed="for OAuth",
        ),
    ] = None
    slack_client_secret: Annotated[
        str | None,
        Setting("SLACK_CLIENT_SECRET", "its other half", "32 hexadecimal digits", needed="for OAuth", secret=True),
    ] = None
    encryption_keys: Annotated[
        tuple[str, ...],
        Setting(
            "KASSOR_ENCRYPTION_KEYS",
            "what tokens from OAuth are stored encrypted with. `kassor key` makes one. What an older key sealed is sealed anew "
            "the next time it is read",
            f"Fernet keys, newest first, {LIST}",
            needed="for OAuth",
            secret=True,
        ),
    ] = ()
    slack_app_token: Annotated[
        str | None,
        Setting(
            "SLACK_APP_TOKEN",
            "an app-level token with the scope `connections:write`: Socket Mode, see below",
            "`xapp-…`",
            secret=True,
        ),
    ] = None
    slack_api_url: Annotated[str, Setting("SLACK_API_URL", "Slack's Web API", ADDRESS)] = "https://slack.com/api/"
    stripe_api_key: Annotated[
        str,
        Setting("STRIPE_API_KEY", "a secret or restricted key", "`sk_…` or `rk_…`", needed="yes", secret=True),
    ] = ""
    stripe_webhook_secrets: Annotated[
        tuple[str, ...],
        Setting(
            "STRIPE_WEBHOOK_SECRETS",
            "signing secrets of the webhook endpoint: a new one is added before the old one goes",
            f"`whsec_…`, {LIST}",
            needed="yes, but for Socket Mode",
            secret=True,
        ),
    ] = ()
    stripe_api_url: Annotated[str, Setting("STRIPE_API_URL", "Stripe's API", ADDRESS)] = "https://api.stripe.com"
    catalogue: Annotated[
        Path | None,
        Setting("KASSOR_CATALOGUE", "what is for sale", "a TOML file", default="domain/rules/catalogue.toml"),
    ] = None
    sales_channel: Annotated[str | None, Setting("KASSOR_SALES_CHANNEL", "where requests are decided", CHANNEL)] = None
    sales_staff: Annotated[
        tuple[str, ...], Setting("KASSOR_SALES_STAFF", "who may decide there", f"user ids (`U…`), {LIST}")
    ] = ()
    support_channel: Annotated[
        str | None, Setting("KASSOR_SUPPORT_CHANNEL", "where calls for help are posted", CHANNEL)
    ] = None
    audit_channel: Annotated[
        str | None,
        Setting("KASSOR_AUDIT_CHANNEL", "one line a change, never money or card data", CHANNEL),
    ] = None
    api_tokens: Annotated[
        tuple[str, ...],
        Setting(
            "KASSOR_API_TOKENS",
            "bearer tokens for the [entitlements look-up](entitlements.md) and `/metrics`; without any the look-up answers 503",
            f"each at least 12 plain ASCII characters, {LIST}",
            secret=True,
        ),
    ] = ()
    copy_hours: Annotated[
        Hours,
        Setting(
            "KASSOR_COPY_HOURS",
            "when invoice copies and other news that can wait are sent, on the reader's own clock",
            "from-to, in hours and minutes",
            default="09:00-17:00",
        ),
        Setting("KASSOR_COPY_DAYS", "and on which days", "`mon-fri` or `mon,wed,fri`", default="mon-sun"),
    ] = WORKING
    events_kept_days: Annotated[
        int,
        Setting(
            "KASSOR_EVENTS_KEPT_DAYS",
            "how long a finished event of Stripe's is remembered, so that it counts once when it comes again. What is not "
            "finished is never deleted",
            "days, 4 to 3650",
        ),
    ] = 30
    event_payloads_kept_days: Annotated[
        int,
        Setting(
            "KASSOR_EVENT_PAYLOADS_KEPT_DAYS",
            "how long its payload is kept: it holds names, addresses and e-mail addresses. A pruned event stays known but can't "
            "be replayed",
            "days, 0 to the above",
        ),
    ] = 7
    slack_budget: Annotated[
        int | None,
        Setting(
            "KASSOR_SLACK_BUDGET",
            "what all senders together may send; without one, Slack's own limits hold, which are a workspace's",
            "messages a second, from 1",
        ),
    ] = None
    log_level: Annotated[
        str, Setting("KASSOR_LOG_LEVEL", "how much is logged", "`DEBUG`, `INFO`, `WARNING` or `ERROR`")
    ] = "INFO"
    log_format: Annotated[
        str,
        Setting(
            "KASSOR_LOG_FORMAT", "for people or for machines ([observability.md](observability.md))", "`text` or `json`"
        ),
    ] = "text"
    metrics_port: Annotated[
        int | None,
        Setting(
            "KASSOR_METRICS_PORT",
            "where this process serves `/metrics`, `/healthz` and `/readyz`, for those without public routes (`worker`, "
            "`scheduler`); one each",
            PORT_NUMBER,
        ),
    ] = None
    clock_file: Annotated[
        Path | None,
        Setting("KASSOR_CLOCK_FILE", "the sandbox's clock; never in production: it opens `/control/settle`", "a file"),
    ] = None

    @property
    def return_url(self) -> str:
        """Where Stripe's pages lead back to: our own page, or Slack itself where nobody reaches ours."""
        return f"{self.public_url}/slack/return" if self.public_url else "https://app.slack.com/client"

    @property
    def hears_stripe(self) -> bool:
        """Whether Stripe's webhooks can reach us; otherwise its events are looked up every minute."""
        return bool(self.stripe_webhook_secrets)

    @property
    def is_sandbox(self) -> bool:
        """Whether a sandbox moves our clock; `/control/settle` exists only then."""
        return self.clock_file is not None


def reference() -> list[Setting]:
    """Every setting in the order of the class, each with its default as it is written in the environment."""
    hints = get_type_hints(Settings, include_extras=True)
    return [
        Setting(told.name, told.what, told.form, told.needed, told.secret, told.default or _written(field.default))
        for field in fields(Settings)
        for told in get_args(hints[field.name])[1:]
    ]


def _written(default: Any) -> str:
    return "" if default is None or default == () else str(default)


def as_markdown() -> str:
    """The reference as the table of `docs/configuration.md`."""
    rows = ["| name | what | form | default | needed | secret |", "|---|---|---|---|---|---|"]
    rows += [
        f"| `{each.name}` | {each.what} | {each.form} | {f'`{each.default}`' if each.default else ''} | {each.needed} "
        f"| {'yes' if each.secret else ''} |"
        for each in reference()
    ]
    return "\n".join(rows) + "\n"
