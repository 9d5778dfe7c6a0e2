"""The uniques that hold only for some rows. Tortoise emits no SQL for conditional constraints; both databases speak this."""

from tortoise import migrations
from tortoise.migrations import operations as ops

PARTIAL_UNIQUES = {
    "subscription_one_live_per_scope": "subscription (scope_id) WHERE is_live",
    "quote_one_accepted_per_scope": "quote (scope_id) WHERE state = 'accepted'",
    "admin_once_at_a_time": "admin (scope_id, member_id) WHERE until IS NULL",
}


class Migration(migrations.Migration):
    """Create each partial unique index."""

    dependencies = [("kassor", "0001_initial")]

    operations = [
        ops.RunSQL(f"CREATE UNIQUE INDEX {name} ON {what}", reverse_sql=f"DROP INDEX {name}")
        for name, what in PARTIAL_UNIQUES.items()
    ]
