"""When an installation's token expires, and who is fetching the next one. Rows that are there have tokens that never do."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Two columns that may be empty, which AddField does rightly on both databases."""

    dependencies = [("kassor", "0007_sending")]

    operations = [
        ops.AddField(model_name="Installation", name="expires_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="Installation", name="refreshing_until", field=fields.DatetimeField(null=True)),
    ]
