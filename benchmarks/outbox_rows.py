"""Rows for the sending figures: workspaces with Kassör installed, owners, paid invoices, and a copy of each in the outbox."""

from datetime import timedelta

from tortoise.connection import get_connection

from bot.seal import Seal
from domain import clock

_ROWS = (
    """INSERT INTO workspace (id, name, domain, installed, members_read_at, created_at)
    SELECT 'T' || w, 'Workspace ' || w, 'w' || w, true, $1, $1 FROM generate_series(1, $2) w""",
    """INSERT INTO member (id, workspace_id, slack_user_id, name, locale, tz, is_bot, is_guest, is_deactivated, is_workspace_admin)
    SELECT n, 'T' || (1 + n % $2), 'U' || n, 'Person ' || n, CASE WHEN n % 2 = 0 THEN 'sv-SE' ELSE 'en-US' END, 'UTC',
    false, false, false, false FROM generate_series(1, $3) n""",
    """INSERT INTO scope (id, workspace_id, kind, slack_ref, name, created_at)
    SELECT md5('scope' || n)::uuid, 'T' || (1 + n % $2), 'team', 'S' || n, 'Team ' || n, $1 FROM generate_series(1, $3) n""",
    """INSERT INTO subscription (id, scope_id, owner_id, customer_id, status, is_live, plan, interval, seats, currency, unit_amount,
    item_id, price_id, collection_method, current_period_start, current_period_end, started_at, version)
    SELECT 'sub_' || n, md5('scope' || n)::uuid, n, 'cus_' || n, 'active', true, 'premium', 'month', 10, 'sek', 12500,
    'si_' || n, 'price_1', 'charge_automatically', $1, $1::timestamptz + interval '1 month', $1, 0
    FROM generate_series(1, $3) n""",
    """INSERT INTO invoice (id, scope_id, subscription_id, number, status, collection_method, currency, total, tax, amount_due,
    amount_paid, amount_remaining, seats, period_start, period_end, created_at, finalized_at, hosted_invoice_url, version)
    SELECT 'in_' || n, md5('scope' || n)::uuid, 'sub_' || n, 'ABCD-' || n, 'paid', 'charge_automatically', 'sek', 125000, 25000,
    125000, 125000, 0, 10, $1, $1::timestamptz + interval '1 month', $1, $1, 'https://invoice.stripe.com/i/' || n, 0
    FROM generate_series(1, $3) n""",
    "INSERT INTO direct_channel (id, channel) SELECT n, 'D' || n FROM generate_series(1, $3) n",
    """INSERT INTO notice (id, kind, facts, dedup_key, workspace_id, owner_of_id, in_working_hours, created_at, state, available_at,
    attempts) SELECT md5('notice' || n || '.' || r)::uuid, 'invoice_copy', jsonb_build_object('invoice_id', 'in_' || n),
    'copy:' || n || ':' || r, 'T' || (1 + n % $2), 'sub_' || n, false, $1, 'queued', $1, 0
    FROM generate_series(1, $3) n, generate_series(1, $4) r""",
)


async def fill(*, workspaces: int, owners: int, each: int, key: str) -> None:
    """`each` copies for every owner; the owners are spread over the workspaces. The database is open, and PostgreSQL's."""
    connection = get_connection("default")
    now = clock.now() - timedelta(seconds=1)
    values = [now, workspaces, owners, each]
    for sql in _ROWS:
        used = [
            number for number in range(1, 5) if f"${number}" in sql
        ]  # a statement is given what it names, renumbered
        for place, number in enumerate(used, start=1):
            sql = sql.replace(f"${number}", f"${place}")  # noqa: PLW2901 - of the copy
        await connection.execute_query(sql, [values[number - 1] for number in used])
    seal = Seal((key,))
    rows = [
        [
            f"T{number}",
            seal.close({"bot_token": f"xoxb-T{number}", "bot_id": "B1", "bot_user_id": "UBOT", "scopes": []}),
            now,
        ]
        for number in range(1, workspaces + 1)
    ]
    await connection.execute_many(
        "INSERT INTO installation (enterprise_id, team_id, installer_user_id, sealed, installed_at) VALUES ('', $1, 'U1', $2, $3)",
        rows,
    )
    await connection.execute_script("ANALYZE")
