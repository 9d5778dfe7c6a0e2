"""What sending needs to know: when a try began, a person's DM channel, and what has to wait until when.

By hand, as in 0003: an index over what is leased alone, so that a claim sees which lanes are taken without looking at what waits.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from domain.records.known import KnownField


class Migration(migrations.Migration):
    """Add `notice.sending_at`, the tables `direct_channel` and `pause`, and the index of leases."""

    dependencies = [("kassor", "0006_copy_recipients")]

    operations = [
        ops.RunSQL(
            "ALTER TABLE notice ADD COLUMN sending_at TIMESTAMPTZ",  # SQLite takes any name for a type
            reverse_sql="ALTER TABLE notice DROP COLUMN sending_at",
        ),
        KnownField(
            model_name="Notice",
            name="sending_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL(
            "CREATE INDEX notice_leased ON notice (leased_until) WHERE leased_until IS NOT NULL",
            reverse_sql="DROP INDEX notice_leased",
        ),
        ops.CreateModel(
            name="DirectChannel",
            fields=[
                ("id", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("channel", fields.CharField(max_length=32)),
            ],
            options={
                "table": "direct_channel",
                "app": "kassor",
                "pk_attr": "id",
                "table_description": "The DM channel between the app and a person, so that Slack isn't asked each time. "
                "Forgotten when Slack knows it no more.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Pause",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("until", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pause",
                "app": "kassor",
                "pk_attr": "id",
                "table_description": "Not before then: a lane Slack asked to leave alone, a workspace whose history was just read, "
                "the fleet's budget.",
            },
            bases=["Model"],
        ),
    ]
