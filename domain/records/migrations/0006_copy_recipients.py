"""Who else gets the copies of a subscription's invoices (I6), and a way to the copies that are new.

The indexes are by hand: Tortoise knows none that hold for some rows only, and the one on the copies is just the order in which they
came, so that a look which finds nothing new costs one probe however many there are.
"""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table `copy_recipient` and its indexes."""

    dependencies = [("kassor", "0005_copies_due")]

    operations = [
        ops.CreateModel(
            name="CopyRecipient",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "subscription",
                    fields.ForeignKeyField(
                        "kassor.Subscription",
                        source_field="subscription_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="recipients",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "member",
                    fields.ForeignKeyField(
                        "kassor.Member",
                        source_field="member_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="copies_of",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "added_by",
                    fields.ForeignKeyField(
                        "kassor.Member",
                        source_field="added_by_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="recipients_added",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("since", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "copy_recipient",
                "app": "kassor",
                "pk_attr": "id",
                "table_description": "Who gets the copies beside the owner. Ended, never deleted (R48), "
                "and at most one current row each (constraint).",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX recipient_once_at_a_time ON copy_recipient (subscription_id, member_id) WHERE until IS NULL",
            reverse_sql="DROP INDEX recipient_once_at_a_time",
        ),
        ops.RunSQL(
            "CREATE INDEX recipient_of_now ON copy_recipient (member_id) WHERE until IS NULL",
            reverse_sql="DROP INDEX recipient_of_now",
        ),
        ops.RunSQL(
            "CREATE INDEX invoice_copy_in_order ON invoice_copy (created_at, id)",
            reverse_sql="DROP INDEX invoice_copy_in_order",
        ),
    ]
