"""The periodic invoice copy (I1–I6): which periods have none yet, worked out from the subscriptions themselves.

**What is due.** A subscription whose current period began after the newest period it has a copy of (`copied_period`). An index
holds just those, so a look when nothing is due costs the same however many subscriptions there are. A period's copy is a row,
unique for its subscription and period, written in one transaction with the notice that carries it and the mark: nothing is
scheduled anywhere else, so there is nothing to lose, and any number of schedulers may look at once (I2).

**Which invoice.** The newest finalised one that pays for the period, or part of it.

- *Several in a period* (seats were added): those that are there when the copy is planned go in one message, the newest with its
  PDF. One that comes later is no second copy; its message was the change's own. But the period's own invoice is waited for:
  seats added before it is finalised don't make a copy without it.
- *Nothing to pay* (a trial, a coupon): an invoice of 0 is an invoice, and its copy says that there is nothing to pay. One that
  credit pays is paid.
- *Credit notes* change no invoice and make no second copy; of one that is open its copy says what is left to pay. An invoice
  of less than 0 is sent as any other, and says that it is credited.
- *Draft* and *void* are never sent; *uncollectible* is: it is what was billed.
- *Paid by hand* (`send_invoice`): the message that told of it when it opened is the period's copy; it says until when and how to
  pay.
- *Not there yet*: Stripe finalises a renewal's about an hour after the period began. Its webhook makes the copy due at once;
  without one, Stripe is asked after an hour and a half, and then once an hour (I4).

**Cut short.** When a period ends before its own invoice is finalised, since its owner went from monthly to annual in its first
hour, both periods' invoices go in one message once they are there.

**Missed periods.** When Kassör was away for longer than a period, every period since the last copy is looked up; what is found
goes in one message, oldest first, and each period has its row. A subscription that has ended is treated alike for the periods it
lived in; when there is no invoice for its last one, it is let go a day after the end.
"""

from domain.copies.planning import age_of_oldest, number_due, plan_due

__all__ = ["age_of_oldest", "number_due", "plan_due"]
