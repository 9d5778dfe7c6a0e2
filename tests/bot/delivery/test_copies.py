"""What a copy says is true when it goes, in the reader's own way, and its PDF comes with it or after it (I1, I3)."""

from datetime import timedelta
from typing import Any

import pytest

from domain import clock, copies, second_copies, sync
from domain.actions import invoices, owner, plan, recipients
from domain.queue import MOST_ATTEMPTS, QueueState
from domain.records import Invoice, Member, Notice
from sandbox.stripe import credit_notes
from tests.bot.delivery.conftest import PostRoom


def said(message: dict[str, Any]) -> str:
    """Everything a message's blocks say."""
    return str(message["blocks"]).replace("\\xa0", " ")


async def a_file_away(post_room: PostRoom) -> None:
    """The invoice's PDF can't be had: Stripe's file server is down."""
    await Invoice.all().update(invoice_pdf=f"{post_room.town.stripe.base_url}/nowhere.pdf", version=99)


async def test_I1_a_copy_says_what_when_how_much_and_how_to_see_it(post_room: PostRoom) -> None:
    await post_room.copy_due(seats=10)
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    text = said(message)
    for part in (
        "Premium",
        "Gäller",
        "Platser",
        "Period",
        "Betald",
        "kr",
        "Visa fakturan",
        "Visa alla fakturor",
        "kassor.go.invoices",
    ):
        assert part in text
    assert "kassor.invoice.pay" not in text  # it is paid


async def test_I3_a_copy_waits_for_working_hours(post_room: PostRoom) -> None:
    await post_room.copy_due()
    post_room.town.move(hours=12)
    await post_room.send()
    assert post_room.messages(post_room.town.members[0]) == []
    due = (await post_room.notice()).available_at
    post_room.town.clock.move_to(due)
    await post_room.send()
    assert len(post_room.messages(post_room.town.members[0])) == 1


async def test_I3_a_copy_is_in_the_language_its_reader_has_when_it_goes(post_room: PostRoom) -> None:
    await post_room.copy_due()
    await Member.all().update(locale="en-US")
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert "Show all invoices" in said(message)
    assert "SEK" in said(message)


async def test_I1_a_paid_invoice_is_never_shown_as_open(post_room: PostRoom) -> None:
    await post_room.copy_due()
    await Invoice.all().update(status="open")  # as it was when it was planned; the webhook that it is paid is late
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert "Betald" in said(message)
    assert "kassor.invoice.pay" not in said(message)


async def test_I1_what_asks_for_money_waits_while_stripe_cannot_say_whether_it_is_paid(post_room: PostRoom) -> None:
    await post_room.copy_due()
    await Invoice.all().update(status="open")
    post_room.town.stripe.account.faults.api.append({"kind": "api_error", "times": 9})
    await post_room.send()
    assert post_room.messages(post_room.town.members[0]) == []
    post_room.town.stripe.account.faults.api.clear()
    await post_room.send(times=2, seconds=120)
    assert len(post_room.messages(post_room.town.members[0])) == 1
    assert (await post_room.notice()).attempts <= 2


async def test_a_copy_of_a_paid_invoice_asks_stripes_api_nothing(post_room: PostRoom) -> None:
    await post_room.copy_due()
    post_room.town.stripe.account.faults.api.append({"kind": "api_error", "times": 9})
    await post_room.send()
    assert len(post_room.files(post_room.town.members[0])) == 1


async def test_I1_an_open_copy_has_the_way_to_pay_and_the_day(post_room: PostRoom) -> None:
    await post_room.copy_due()
    invoice = post_room.town.objects("invoice")[-1]
    invoice |= {"status": "open", "collection_method": "send_invoice", "due_date": invoice["created"] + 30 * 86_400}
    invoice |= {"amount_remaining": invoice["total"], "amount_paid": 0}
    await sync.invoice(post_room.town.desk, invoice["id"])
    await Notice.exclude(kind="invoice_copy").delete()
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    for part in ("kassor.invoice.pay", "Betala fakturan", "Betalas senast", "banköverföring"):
        assert part in said(message)


async def test_I1_several_missed_periods_are_one_message_oldest_first(post_room: PostRoom) -> None:
    live = await post_room.copy_due()
    newest = await Invoice.all().first()
    assert newest is not None
    for number in (1, 2):
        old = dict(post_room.town.objects("invoice")[0]) | {"id": f"in_old{number}", "number": f"OLD-{number}"}
        post_room.town.stripe.account.objects["invoice"][old["id"]] = old
        await sync.invoice(post_room.town.desk, old["id"])
    ids = ["in_old1", "in_old2", newest.id]
    await Notice.filter(kind="invoice_copy").update(facts={"invoice_id": newest.id, "invoice_ids": ids})
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    text = said(message)
    assert text.index(newest.number or "") < text.index("OLD-1") < text.index("OLD-2")
    assert len(message["files"]) == 1
    assert live.owner_id == post_room.town.members[0].id


async def test_I1_a_year_of_missed_invoices_is_told_whole_though_stripes_links_are_long(post_room: PostRoom) -> None:
    await post_room.copy_due()
    newest = await Invoice.all().first()
    assert newest is not None
    ids = [f"in_old{number}" for number in range(12)]
    long = "live_" + "YWNjdF8xTTJKVGtMa2RJd0h1N2l4" * 4  # as long as Stripe's own
    for number, invoice_id in enumerate(ids):
        old = dict(post_room.town.objects("invoice")[0]) | {"id": invoice_id, "number": f"OLD-{number:02}"}
        old |= {
            "hosted_invoice_url": f"https://invoice.stripe.com/i/acct_1M2JTkLkdIwHu7ix/{long}?s=ap",
            "invoice_pdf": f"https://pay.stripe.com/invoice/acct_1M2JTkLkdIwHu7ix/{long}/pdf?s=ap",
        }
        post_room.town.stripe.account.objects["invoice"][invoice_id] = old
        await sync.invoice(post_room.town.desk, invoice_id)
    facts = {"invoice_id": newest.id, "invoice_ids": [*ids, newest.id]}
    await Notice.filter(kind="invoice_copy").update(facts=facts)
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert [said(message).count(f"|OLD-{number:02}>") for number in range(12)] == [1] * 12
    assert said(message).count("|PDF>") == 12


@pytest.mark.parametrize("kind", ["invoice_copy", "invoice_file"])
async def test_I1_where_a_workspace_lets_no_files_in_the_copy_goes_without_its_pdf(
    post_room: PostRoom, kind: str
) -> None:
    await post_room.copy_due()
    if kind == "invoice_file":
        right = (await Invoice.all().first()).invoice_pdf  # type: ignore[union-attr]  # there is one
        await a_file_away(post_room)
        await post_room.send()
        await Invoice.all().update(invoice_pdf=right)
    post_room.fault("files.getUploadURLExternal", "error", error="file_uploads_disabled", times=9)
    await post_room.send(times=3, seconds=120)
    [message] = post_room.messages(post_room.town.members[0])  # nor one that says "here is the PDF" without it
    assert "Visa fakturan" in said(message)
    assert (await post_room.notice()).slack_ts == message["ts"]
    assert (await post_room.notice()).state == QueueState.DONE


# --- the file that follows ---


async def test_I1_without_its_pdf_the_message_goes_at_once_and_the_file_follows_once(post_room: PostRoom) -> None:
    await post_room.copy_due()
    right = (await Invoice.all().first()).invoice_pdf  # type: ignore[union-attr]  # there is one
    await a_file_away(post_room)
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert "Pdf:en går inte att hämta just nu" in said(message)
    await Invoice.all().update(invoice_pdf=right)
    await post_room.send(times=4, seconds=120)
    assert len(post_room.messages(post_room.town.members[0])) == 2
    assert len(post_room.files(post_room.town.members[0])) == 1


async def test_I3_a_file_that_can_be_had_again_at_night_waits_for_working_hours_as_its_message_did(
    post_room: PostRoom,
) -> None:
    await post_room.copy_due()
    right = (await Invoice.all().first()).invoice_pdf  # type: ignore[union-attr]  # there is one
    await a_file_away(post_room)
    await post_room.send()
    await Invoice.all().update(invoice_pdf=right)
    post_room.later(12 * 3_600)
    await post_room.send()
    assert post_room.files(post_room.town.members[0]) == []
    post_room.working_hours()
    await post_room.send()
    assert len(post_room.files(post_room.town.members[0])) == 1


async def test_I2_a_file_that_follows_and_was_not_answered_for_arrives_once(post_room: PostRoom) -> None:
    await post_room.copy_due()
    right = (await Invoice.all().first()).invoice_pdf  # type: ignore[union-attr]  # there is one
    await a_file_away(post_room)
    await post_room.send()
    await Invoice.all().update(invoice_pdf=right)
    post_room.fault("files.completeUploadExternal", "timeout_after")
    await post_room.send(times=5, seconds=120)
    assert len(post_room.files(post_room.town.members[0])) == 1


async def test_I6_a_file_that_follows_is_not_brought_to_a_recipient_who_has_been_removed_since(
    post_room: PostRoom,
) -> None:
    town = post_room.town
    live = await town.upgraded()
    await recipients.add(town.desk, town.members[0], subscription=live, member=town.members[3])
    await copies.plan_due(town.desk)
    await second_copies.plan_due()
    await Notice.exclude(kind="invoice_copy").delete()
    right = (await Invoice.all().first()).invoice_pdf  # type: ignore[union-attr]  # there is one
    await a_file_away(post_room)
    post_room.working_hours()
    await post_room.send()
    assert len(post_room.messages(town.members[3])) == 1
    await recipients.remove(town.desk, town.members[0], subscription=live, member=town.members[3])
    await Notice.exclude(kind__in=["invoice_copy", "invoice_file"]).delete()
    await Invoice.all().update(invoice_pdf=right)
    await post_room.send(times=4, seconds=120)
    assert (len(post_room.files(town.members[0])), len(post_room.files(town.members[3]))) == (1, 0)


async def test_a_file_that_never_can_be_had_gives_up_visibly(post_room: PostRoom) -> None:
    await post_room.copy_due()
    await a_file_away(post_room)
    await post_room.send()
    await post_room.send(times=MOST_ATTEMPTS + 1, seconds=24 * 3600)
    assert (await post_room.notice("invoice_file")).state == QueueState.BURIED
    assert (await post_room.notice()).state == QueueState.DONE


async def test_a_file_does_not_follow_to_somebody_who_owns_billing_no_more(post_room: PostRoom) -> None:
    live = await post_room.copy_due()
    town = post_room.town
    await a_file_away(post_room)
    await post_room.send()
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[4])
    await post_room.send(times=2, seconds=120)
    assert post_room.files(town.members[0]) == []
    assert (await post_room.notice("invoice_file")).state == QueueState.DONE


async def test_I1_a_trials_invoice_is_of_nothing_and_its_copy_says_that_there_is_nothing_to_pay(
    post_room: PostRoom,
) -> None:
    await post_room.copy_due(plan="business", interval="month")
    assert (await Invoice.get()).total == 0
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert "Inget att betala" in said(message)
    assert "Betald" not in said(message)
    assert "kassor.invoice.pay" not in said(message)


async def test_I1_an_invoice_of_less_than_nothing_says_that_it_is_credited(post_room: PostRoom) -> None:
    await post_room.copy_due()
    await Invoice.all().update(total=-4_500, amount_due=0)
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert "Krediterat" in said(message)
    assert "kassor.invoice.pay" not in said(message)


async def credited(post_room: PostRoom, invoice: dict[str, Any], amount: int) -> None:
    """Somebody gives a part of an invoice back, in Stripe's dashboard; its webhook comes."""
    credit_notes.create(post_room.town.stripe.account, {"invoice": invoice["id"], "amount": amount})
    await sync.invoice(post_room.town.desk, invoice["id"])


async def test_I1_a_credit_note_on_a_paid_invoice_changes_neither_its_copy_nor_makes_a_second(
    post_room: PostRoom,
) -> None:
    await post_room.copy_due(seats=10)
    [invoice] = post_room.town.objects("invoice")
    await credited(post_room, invoice, 25_000)
    await post_room.send()
    await credited(post_room, invoice, 25_000)
    assert await copies.plan_due(post_room.town.desk) == 0
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    assert "12 500,00 kr" in said(message)  # 10 seats a year: what was billed
    assert "Betald" in said(message)


async def test_I1_a_credit_note_on_an_open_invoice_leaves_less_to_pay_and_its_copy_says_so(post_room: PostRoom) -> None:
    await post_room.copy_due(seats=10)
    [invoice] = post_room.town.objects("invoice")
    invoice |= {"status": "open", "collection_method": "send_invoice", "due_date": invoice["created"] + 30 * 86_400}
    invoice |= {"amount_remaining": invoice["total"], "amount_paid": 0}
    await credited(post_room, invoice, 250_000)
    await Notice.exclude(kind="invoice_copy").delete()
    await post_room.send()
    [message] = post_room.messages(post_room.town.members[0])
    for part in ("12 500,00 kr", "Kvar att betala", "10 000,00 kr"):
        assert part in said(message), said(message)


async def test_R49_an_invoice_somebody_asked_for_as_owner_is_not_shown_to_them_once_they_are_none(
    post_room: PostRoom,
) -> None:
    live = await post_room.copy_due()
    await Notice.all().update(state=QueueState.DONE)
    town = post_room.town
    for _ in range(2):
        await invoices.send_again(town.desk, town.members[0], invoice_id=live.latest_invoice_id or "")
    [_, second] = await Notice.filter(kind="invoice_again")
    await Notice.filter(id=second.id).update(
        available_at=clock.now() + timedelta(hours=12)
    )  # as while Kassör is taken out
    await post_room.send()
    assert len(post_room.files(town.members[0])) == 1
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[4])
    await Notice.exclude(kind__in=["invoice_again", "invoice_copy"]).delete()
    post_room.later(13 * 3_600)
    await post_room.send()
    assert len(post_room.files(town.members[0])) == 1
    assert not await Notice.filter(state=QueueState.QUEUED).exists()


async def test_I6_an_earlier_invoice_asked_for_again_is_not_said_to_be_for_todays_plan(post_room: PostRoom) -> None:
    live = await post_room.copy_due(plan="premium")
    town = post_room.town
    first = live.latest_invoice_id or ""
    await Notice.all().update(state=QueueState.DONE)
    await town.confirm(
        await plan.offer(town.desk, town.members[0], subscription=await town.fresh(live), plan="business")
    )
    await town.read_again()
    await Notice.exclude(kind="invoice_copy").delete()
    await invoices.send_again(town.desk, town.members[0], invoice_id=first)
    await invoices.send_again(town.desk, town.members[0], invoice_id=(await town.fresh(live)).latest_invoice_id or "")
    await post_room.send()
    old, new = [said(each) for each in post_room.messages(town.members[0])]
    assert ("Business" in old, "Business" in new) == (False, True)
