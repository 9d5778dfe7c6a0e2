"""Where Kassör is installed. Tokens are sealed by the bot before they get here; nothing in the domain can read them."""

from tortoise import fields
from tortoise.models import Model


class Installation(Model):
    """One installation of the app. `sealed` is Slack's installation data as JSON, encrypted with KASSOR_ENCRYPTION_KEYS."""

    id = fields.BigIntField(primary_key=True)
    enterprise_id = fields.CharField(max_length=32, default="")  # empty outside Enterprise Grid
    team_id = fields.CharField(max_length=32, default="")  # empty for an organisation-wide install
    installer_user_id = fields.CharField(max_length=32, default="")
    sealed = fields.TextField()
    installed_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)  # of the token; None when Slack doesn't rotate it
    refreshing_until = fields.DatetimeField(null=True)  # a process is exchanging the refresh token, which works once
    revoked_at = fields.DatetimeField(null=True)  # P3

    class Meta:
        table = "installation"
        unique_together = (("enterprise_id", "team_id"),)


class OAuthState(Model):
    """A one-time `state` of an install under way."""

    id = fields.CharField(max_length=64, primary_key=True)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "oauth_state"
