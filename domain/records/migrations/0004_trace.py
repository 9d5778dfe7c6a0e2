"""What belongs together, in the records that outlive a process: see `domain/trace.py`. By hand, as 0003 says why."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from domain import trace
from domain.records.known import KnownField


class Migration(migrations.Migration):
    """Add the column `trace` to what outlives a process."""

    dependencies = [("kassor", "0003_event_lanes")]

    operations = [
        ops.RunSQL(  # what is owed is asked at every look at the metrics
            "CREATE INDEX subscription_past_due ON subscription (past_due_since) WHERE past_due_since IS NOT NULL",
            reverse_sql="DROP INDEX subscription_past_due",
        ),
    ] + [
        step
        for model, table in (("Quote", "quote"), ("Notice", "notice"))
        for step in (
            ops.RunSQL(
                f"ALTER TABLE {table} ADD COLUMN trace VARCHAR(32) NOT NULL DEFAULT ''",
                reverse_sql=f"ALTER TABLE {table} DROP COLUMN trace",
            ),
            KnownField(model_name=model, name="trace", field=fields.CharField(default=trace.current, max_length=32)),
        )
    ]
