"""Which subscriptions have a period without its copy: see `domain/copies`. By hand, as 0003 says why.

Whoever has a copy of their newest period, and whoever has ended, has none due.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from domain.records.known import KnownField
from domain.records.mirror import ALWAYS


class Migration(migrations.Migration):
    """Add the mark, the moment to look again, and the index of what is due."""

    dependencies = [("kassor", "0004_trace")]

    operations = [
        ops.RunSQL(
            "ALTER TABLE subscription ADD COLUMN copied_period TIMESTAMPTZ NULL",
            reverse_sql="ALTER TABLE subscription DROP COLUMN copied_period",
        ),
        KnownField(model_name="Subscription", name="copied_period", field=fields.DatetimeField(null=True)),
        ops.RunSQL(
            "ALTER TABLE subscription ADD COLUMN copy_ask_at TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01 00:00:00+00:00'",
            reverse_sql="ALTER TABLE subscription DROP COLUMN copy_ask_at",
        ),
        KnownField(model_name="Subscription", name="copy_ask_at", field=fields.DatetimeField(default=ALWAYS)),
        ops.RunSQL(
            "UPDATE subscription SET copied_period = CASE WHEN is_live THEN (SELECT MAX(copy.period_start) FROM invoice_copy copy "
            "WHERE copy.subscription_id = subscription.id) ELSE current_period_start END",
            reverse_sql="SELECT 1",
        ),
        ops.RunSQL(
            "CREATE INDEX subscription_copy_due ON subscription (copy_ask_at) "
            "WHERE (copied_period IS NULL OR copied_period < current_period_start)",
            reverse_sql="DROP INDEX subscription_copy_due",
        ),
    ]
