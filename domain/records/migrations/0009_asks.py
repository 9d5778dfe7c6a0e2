"""Which messages ask for a payment, so that their buttons can give way once it is over.

By hand, as in 0003: an index over the few messages that ask alone, so that one invoice of a renewal day's thousands that was paid
costs one probe.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from domain.records.known import KnownField


class Migration(migrations.Migration):
    """Add `notice.asks` and its index."""

    dependencies = [("kassor", "0008_token_expiry")]

    operations = [
        ops.RunSQL(
            "ALTER TABLE notice ADD COLUMN asks VARCHAR(64)",
            reverse_sql="ALTER TABLE notice DROP COLUMN asks",
        ),
        KnownField(model_name="Notice", name="asks", field=fields.CharField(max_length=64, null=True)),
        ops.RunSQL(
            "CREATE INDEX notice_asks ON notice (asks) WHERE asks IS NOT NULL",
            reverse_sql="DROP INDEX notice_asks",
        ),
    ]
