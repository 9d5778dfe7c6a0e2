"""A message that asked for a payment, once that is over: what happened stands where its button was, once, whatever Slack does."""

import asyncio
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from domain import asks, sync, upkeep
from domain.actions import overdue, upgrade
from domain.queue import QueueState
from domain.records import Invoice, Notice, Subscription
from sandbox.stripe.payment import Payment
from tests.bot.delivery.conftest import PostRoom
from tests.domain.test_overdue import GOOD, by_invoice, last_invoice, new_card, overdue_subscription

Json = dict[str, Any]


def pressable(message: Json) -> list[str]:
    """The action ids of what a message still has to press."""
    return [
        each["action_id"] for block in message["blocks"] for each in block.get("elements", []) if "action_id" in each
    ]


def said(message: Json) -> str:
    return str(message["blocks"])


async def reminded(post_room: PostRoom) -> tuple[Subscription, Json]:
    """A renewal was refused, and its owner has a message with the buttons that mend it."""
    live = await overdue_subscription(post_room.town)
    await Notice.exclude(kind="payment_failed").delete()
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert pressable(message) == ["kassor.go.payment", "kassor.invoice.open"]
    return live, message


async def paid(post_room: PostRoom, live: Subscription) -> None:
    """A new card has paid, and we have heard of it."""
    await new_card(post_room.town, live, GOOD)
    await post_room.town.read_again()
    await Notice.filter(kind__in=["payment_mended", "payment_method_changed"]).delete()


async def to_pay_by_hand(post_room: PostRoom) -> Json:
    """An invoice is to be paid by hand, and its copy, with the PDF, has the button for it."""
    await by_invoice(post_room.town)
    await Notice.exclude(kind="invoice_again").delete()
    post_room.working_hours()
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert "kassor.invoice.pay" in pressable(message)
    return message


async def test_a_reminders_buttons_give_way_to_when_it_was_paid(post_room: PostRoom) -> None:
    live, before = await reminded(post_room)
    await paid(post_room, live)
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert message["ts"] == before["ts"]
    assert pressable(message) == []
    assert "*Betald* " in said(message)
    assert "Betald" in message["text"]


async def test_it_is_drawn_anew_once_however_often_the_payment_is_heard_of(post_room: PostRoom) -> None:
    live, _ = await reminded(post_room)
    await paid(post_room, live)
    for _ in range(3):
        await Invoice.all().update(status="open")  # as if its webhooks came in any order
        await sync.invoice(post_room.town.desk, last_invoice(post_room.town)["id"])
        await post_room.send()
    assert post_room.calls("chat.update") == 1
    assert len(post_room.messages(post_room.town.members[0])) == 1


async def test_a_copy_with_its_pdf_keeps_both_and_says_that_it_is_paid(post_room: PostRoom) -> None:
    before = await to_pay_by_hand(post_room)
    invoice = last_invoice(post_room.town)
    assert (
        await post_room.town.stripe.account.pay_invoice(invoice["id"], Payment("card", number=GOOD))
    ).state == "paid"
    await sync.invoice(post_room.town.desk, invoice["id"])
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert message["ts"] == before["ts"]
    assert len(message["files"]) == 1
    assert pressable(message) == ["kassor.invoice.open", "kassor.go.invoices"]
    assert "*Betald* " in said(message)
    assert "ska vara betald" not in said(message)


async def test_what_nobody_owes_any_more_says_so(post_room: PostRoom) -> None:
    live, _ = await reminded(post_room)
    await overdue.end_now(post_room.town.desk, live, why="asked", by=post_room.town.members[0])
    await Notice.filter(kind="ended").delete()
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert pressable(message) == []
    assert "Makulerad" in said(message)


async def test_a_reminder_that_comes_too_late_is_not_sent(post_room: PostRoom) -> None:
    live, _ = await reminded(post_room)
    post_room.town.move(days=12)
    await upkeep.look(post_room.town.desk)
    still = await Notice.get(dedup_key__startswith="unpaid_still:")
    await paid(post_room, live)
    post_room.working_hours()
    await post_room.send()
    assert len(post_room.messages(post_room.town.members[0])) == 1
    await still.refresh_from_db()
    assert (still.state, still.slack_channel) == (QueueState.DONE, None)


@pytest.mark.parametrize("kind", ["timeout_after", "rate_limited"])
async def test_slack_that_does_not_answer_is_asked_again(post_room: PostRoom, kind: str) -> None:
    live, _ = await reminded(post_room)
    await paid(post_room, live)
    post_room.fault("chat.update", kind)
    await post_room.send(times=3, seconds=20)
    [message] = post_room.messages(post_room.town.members[0])
    assert pressable(message) == []
    assert (await post_room.notice("settled")).state == QueueState.DONE


@pytest.mark.parametrize("why", ["cant_update_message", "channel_not_found"])
async def test_a_message_slack_will_not_have_changed_is_left_as_it_is(post_room: PostRoom, why: str) -> None:
    live, before = await reminded(post_room)
    await paid(post_room, live)
    post_room.fault("chat.update", "error", error=why)
    await post_room.send(times=2, seconds=20)
    assert post_room.messages(post_room.town.members[0]) == [before]
    assert (await post_room.notice("settled")).state == QueueState.DONE
    assert await Notice.filter(kind="owner_unreachable").count() == 0


async def test_one_that_may_have_arrived_is_looked_for_before_it_is_drawn_anew(post_room: PostRoom) -> None:
    live = await overdue_subscription(post_room.town)
    await Notice.exclude(kind="payment_failed").delete()
    post_room.fault("chat.postMessage", "timeout_after")
    await post_room.send()
    await paid(post_room, live)
    await post_room.send(times=4, seconds=70)
    [message] = post_room.messages(post_room.town.members[0])
    assert pressable(message) == []
    assert await Notice.filter(state=QueueState.DONE).count() == 2


async def test_a_former_owners_reminder_is_drawn_anew_where_it_is(post_room: PostRoom) -> None:
    live, before = await reminded(post_room)
    await Subscription.filter(id=live.id).update(owner_id=post_room.town.members[4].id)
    await post_room.town.read_again()
    invoice = last_invoice(post_room.town)
    await post_room.town.stripe.account.pay_invoice(invoice["id"], Payment("card", number=GOOD))
    await sync.invoice(post_room.town.desk, invoice["id"])
    await Notice.exclude(kind__in=["payment_failed", "settled"]).delete()
    await post_room.send()
    assert [each["ts"] for each in post_room.messages(post_room.town.members[0])] == [before["ts"]]
    assert pressable(post_room.messages(post_room.town.members[0])[0]) == []
    assert post_room.messages(post_room.town.members[4]) == []


@pytest.mark.parametrize(("end", "words"), [("paid", "Betald"), ("expired", "stängdes"), ("superseded", "nyare")])
async def test_the_way_to_a_payment_page_ends_with_the_page(post_room: PostRoom, end: str, words: str) -> None:
    town = post_room.town
    quote = await town.page()
    await upgrade.resume(town.desk, quote)
    await Notice.exclude(kind="checkout_ready").delete()
    await post_room.send()
    [before] = post_room.messages(town.members[0])
    assert pressable(before) == ["kassor.checkout.open"]
    if end == "paid":
        await town.pay(quote)
    elif end == "expired":
        await town.stripe.account.abandon_checkout(quote.checkout_session_id or "")
        await sync.checkout_session(town.desk, quote.checkout_session_id or "")
    else:
        await town.page(seats=15)
    await Notice.exclude(kind__in=["checkout_ready", "settled"]).delete()
    await post_room.send()
    [message] = post_room.messages(town.members[0])
    assert pressable(message) == []
    assert words in said(message)


async def test_a_message_about_to_go_and_the_payment_cannot_miss_each_other(post_room: PostRoom) -> None:
    await overdue_subscription(post_room.town)
    notice, invoice_id = await post_room.notice("payment_failed"), last_invoice(post_room.town)["id"]
    go = asyncio.Event()

    async def about_to_go() -> bool:
        await go.wait()
        return await asks.written_down(notice, invoice_id)

    asking = asyncio.create_task(about_to_go())
    async with in_transaction():
        await Invoice.filter(id=invoice_id).update(status="paid")
        await asks.settle(invoice_id, asks.How.PAID)
        go.set()
        await asyncio.sleep(0.2)  # it looks while this isn't committed
        assert not asking.done()
    assert await asking is False
    assert await Notice.filter(asks=invoice_id).count() == 0
