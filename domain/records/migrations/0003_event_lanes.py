"""Whose event it is, so that the inbox can be worked on fairly.

By hand: Tortoise's AddField emits no DEFAULT, which rows that are there need, and it knows no partial index. The index holds only
what is still to be done, so that millions of finished events cost nothing to look past.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from domain.records.known import KnownField


class Migration(migrations.Migration):
    """Add the column `lane` and the index the fair claim walks along."""

    dependencies = [("kassor", "0002_partial_uniques")]

    operations = [
        ops.RunSQL(
            "ALTER TABLE event ADD COLUMN lane VARCHAR(255) NOT NULL DEFAULT ''",
            reverse_sql="ALTER TABLE event DROP COLUMN lane",
        ),
        KnownField(model_name="Event", name="lane", field=fields.CharField(default="", max_length=255)),
        ops.RunSQL(
            "CREATE INDEX event_lane ON event (lane, available_at) WHERE state = 'queued'",
            reverse_sql="DROP INDEX event_lane",
        ),
    ]
