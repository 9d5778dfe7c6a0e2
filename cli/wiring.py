"""Putting the parts together: settings, catalogue and Stripe into a desk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain import clock, reconcile
from domain.config import Settings
from domain.database import opened
from domain.desk import Desk
from domain.payments import Payments
from domain.rules import catalogue
from webhooks.interests import INTERESTS


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """The billing desk, its connections to Stripe closed at the end. Raises CatalogueError."""
    clock.follow(settings.clock_file)
    for_sale = catalogue.load(settings.catalogue)
    payments = Payments(settings, for_sale)
    try:
        yield Desk(settings=settings, catalogue=for_sale, payments=payments, event_types=tuple(INTERESTS))
    finally:
        await payments.close()


async def pushed_catalogue(settings: Settings, *, dry_run: bool = False) -> list[str]:
    """Make the catalogue's products and prices in Stripe; returns a line for each that was, or would be, made."""
    async with open_desk(settings) as desk:
        return await desk.payments.push_catalogue(dry_run=dry_run)


async def reconciled(
    settings: Settings, *, restored: bool = False, progress: reconcile.Progress = reconcile.untold
) -> list[str]:
    """Mend what missed webhooks left behind; returns a line for each kind of thing mended. Raises PaymentsAway."""
    async with opened(settings.database_url), open_desk(settings) as desk:
        return await reconcile.reconcile(desk, desk.event_types, restored=restored, progress=progress)
