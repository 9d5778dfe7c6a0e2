"""What a migration's own SQL has done already, told to the models' state: the next one is planned from what is there."""

from typing import Any

from tortoise.migrations import operations as ops


class KnownField(ops.AddField):
    """A field that SQL has added: Tortoise's AddField emits no DEFAULT, which rows that are there need."""

    async def database_forward(self, *_: Any, **__: Any) -> None:
        """Nothing: the SQL before it did it."""

    async def database_backward(self, *_: Any, **__: Any) -> None:
        """Nothing: as above."""
