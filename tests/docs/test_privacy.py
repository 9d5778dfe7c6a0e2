"""The map of what is kept about people names every table there is."""

import re

from tortoise import Tortoise

from domain.database import tortoise_config
from tests.docs.pages import document


async def test_every_table_is_on_the_map_of_data_and_nothing_else() -> None:
    await Tortoise.init(config=tortoise_config("sqlite://:memory:"), init_connections=False)
    try:
        tables = {model._meta.db_table for model in (Tortoise.apps or {})["kassor"].values()}
    finally:
        await Tortoise.close_connections()
    rows = re.findall(r"^\| (`.*?`) \|", document("privacy.md"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == tables
