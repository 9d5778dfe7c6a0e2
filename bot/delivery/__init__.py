"""The outbox → Slack: each notice exactly once, to whoever it is for at that moment (I1, I2).

The rooms are the steps: `outbox` takes what is due and walks the lanes, `parcel` says what a notice says, `sending` writes down
to whom and sends, `arrived` looks whether an earlier try came through, `refused` is what a "no" means, `pace` how fast. `speaker`
knows whose token speaks where, `afterwards` puts right what else shows the same.
"""

from bot.delivery.outbox import Outbox

__all__ = ["Outbox"]
