"""Writes the snapshots anew."""

from tests.bot.snapshots import write

write()
