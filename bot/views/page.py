"""The billing page: the App Home, `/billing` as a message, and a paying team's own page; the same blocks (R34–R38)."""

from datetime import timedelta

from bot.views.blocks import (
    BUTTON,
    Content,
    Json,
    actions,
    button,
    confirm,
    context,
    cut,
    divider,
    facts,
    header,
    section,
)
from bot.views.desk import state_line
from bot.views.doors import support_button
from bot.views.invoices import invoice_line
from bot.views.links import GO, ask_sales, links_line
from bot.views.terms import plan_name, terms_line
from bot.words import Raw, Words, escape, mention
from domain.actions.page import BillingPage
from domain.desk import Desk
from domain.records import DeskRequest, Subscription

__all__ = ["GO", "home", "link_out", "links", "message", "reading", "which"]
MOST_TEAMS = 12  # rows; a team's page is reached by its name as well
OVERDUE = frozenset({"past_due", "unpaid"})


def home(t: Words, desk: Desk, pages: list[BillingPage]) -> Json:
    """The App Home tab."""
    blocks = [*_everything(t, desk, pages), divider(), *_foot(t, desk)]
    return {"type": "home", "callback_id": "kassor.home", "blocks": blocks[:100]}


def reading(text: str) -> Json:
    """The App Home tab when there is only something to say."""
    return {"type": "home", "callback_id": "kassor.home", "blocks": [section(text)]}


def message(t: Words, desk: Desk, pages: list[BillingPage]) -> Content:
    """`/billing` alone: the same as the App Home; with one page it is that scope's alone (R37)."""
    blocks = [*_everything(t, desk, pages)[:46], divider(), *_foot(t, desk)]
    title = t.plain("Billing")
    return Content(text=f"{title}: {pages[0].scope.name}", blocks=blocks, title=title)


def _everything(t: Words, desk: Desk, pages: list[BillingPage]) -> list[Json]:
    """The whole's page in full and its paying teams as rows; where only teams pay, they come first."""
    first, teams = pages[0], pages[1:]
    blocks = body(t, desk, first)
    rows = _teams(t, desk, teams)
    if first.plan == desk.catalogue.free.key and teams:
        return [*rows, divider(), *blocks]
    return [*blocks, divider(), *rows] if teams else blocks


def body(t: Words, desk: Desk, page: BillingPage) -> list[Json]:
    """One scope's page, as its reader may see it."""
    if page.plan == desk.catalogue.free.key:
        return _basic(t, desk, page)
    if page.role == "owner" and page.subscription is not None:
        return _owned(t, desk, page, page.subscription)
    return _about(t, desk, page)


def _teams(t: Words, desk: Desk, teams: list[BillingPage]) -> list[Json]:
    """R37: each paying team, and the way to its own page."""
    blocks: list[Json] = [section(t("*Teams with a plan of their own*"))]
    for page in teams[:MOST_TEAMS]:
        live = page.subscription
        if live is not None:
            terms = terms_line(t, desk, live.plan, live.interval.value, None)
            used = t("{used} of {seats} in use", used=t.number(page.members), seats=t.number(live.seats))
            text = f"*{escape(page.scope.name)}* · {terms}\n{used}"
            words = t.plain("Manage billing")
        else:
            who = t("billing owner {who}", who=mention(page.owner or ""))
            text = f"*{escape(page.scope.name)}* · {escape(plan_name(desk, page.plan))}\n{who}"
            words = t.plain("Show the plan")
        blocks.append(section(text, button(words, f"{GO}page", str(page.scope.id))))
    if len(teams) > MOST_TEAMS:
        blocks.append(context(t("There are more. Write `/billing #channel` or `/billing @group` for any of them.")))
    return blocks


# --- nothing is paid for ---


def _basic(t: Words, desk: Desk, page: BillingPage) -> list[Json]:
    """On Basic: what an upgrade would give (R35)."""
    free = desk.catalogue.free.name
    blocks: list[Json] = []
    if page.is_first_time and page.role != "guest":
        blocks += _welcome(t)
    members = t.n("{count} member", "{count} members", page.members)
    now = t("*{scope}* is on {plan}, with {members}.", scope=page.scope.name, plan=free, members=members)
    blocks.append(section(now))
    if page.role == "guest":
        return [*blocks, context(t("Guests can't handle billing. Ask a member of the workspace."))]
    blocks += [_level(t, desk, plan.key, page) for plan in desk.catalogue.for_sale[:8]]
    blocks += _requests(t, desk, page.requests)
    row = [button(t.plain("Upgrade"), f"{GO}upgrade", str(page.scope.id), style="primary")]
    if page.was_owner:
        row.append(button(t.plain("Show all invoices"), f"{GO}invoices", str(page.scope.id)))
    if not page.is_team:
        row.append(ask_sales(t.plain("Contact sales"), "", page.scope.id))
    row += [button(t.plain("Get help"), f"{GO}help"), support_button(t, "page", str(page.scope.id))]
    return [*blocks, actions(*row, block_id=f"basic_{page.scope.id}")]


def _welcome(t: Words) -> list[Json]:
    """A workspace that has just installed Kassör."""
    return [header(t.plain("Welcome!")), section(introduction(t)), divider()]


def introduction(t: Words) -> str:
    """Who Kassör is, and what it costs to have it here."""
    return t(
        "I'm Kassör, the billing desk. Here you upgrade, change seats and read invoices without leaving Slack. Nothing costs "
        "anything until somebody has chosen a plan, seen the exact price and paid. Whoever is appointed billing owner "
        "answers for it from then on."
    )


def _level(t: Words, desk: Desk, key: str, page: BillingPage) -> Json:
    """What one level gives, and from what price; without one, sales make an offer (R16)."""
    plan = desk.catalogue.plan(key)
    assert plan is not None  # it is for sale
    features = ", ".join(escape(each) for each in plan.features.get(t.language) or plan.features.get("en") or ())
    currency = desk.catalogue.default_currency
    if currency not in plan.price:
        ask = ask_sales(t.plain("Ask for a quote"), "quote", page.scope.id)
        price = t("price on request")
        return section(f"*{escape(plan.name)}* – {price}\n{features}", ask)
    year = -(-desk.catalogue.seat_price(plan, "year", currency).amount // 12)  # never less than it costs
    price = t("from {money} per seat and month", money=t.money(year, currency))
    text = f"*{escape(plan.name)}* – {price}\n{features}"
    if plan.trial_days:
        text += "\n" + t.n("Free for the first {count} day", "Free for the first {count} days", plan.trial_days)
    return section(text)


# --- others read ---


def _about(t: Words, desk: Desk, page: BillingPage) -> list[Json]:
    """ "About this workspace": plan and owner's name, nothing about money or seats (R35)."""
    who = mention(page.owner or "")
    pairs = [
        (t("For"), escape(page.scope.name)),
        (t("Plan"), escape(plan_name(desk, page.plan))),
        (t("Billing owner"), who),
    ]
    title = t.plain("About this team") if page.is_team else t.plain("About this workspace")
    blocks: list[Json] = [header(title), facts(pairs)]
    if page.covered_by:
        blocks.append(context(t("{whole}'s plan covers everybody in this team too.", whole=page.covered_by)))
    row: list[Json] = []
    if page.claimable:
        text = t("{who} has left Slack, so nobody can change the subscription. You can take over.", who=who)
        blocks.append(section(f":warning: {text}"))
        row.append(claim_button(t, page.claimable))
    elif page.owner_is_gone:
        blocks.append(context(t("{who} has left Slack. An admin can take over billing.", who=who)))
    elif page.role == "admin":
        blocks.append(context(t("You are admin. Invoices and payment are {who}'s.", who=who)))
    blocks += _requests(t, desk, page.requests)
    if page.role != "guest":
        row += [button(t.plain("Get help"), f"{GO}help"), support_button(t, "page", str(page.scope.id))]
        blocks.append(actions(*row, block_id=f"about_{page.scope.id}"))
    return blocks


def claim_button(t: Words, subscription_id: str) -> Json:
    """Taking over from an owner who has left (P1), asked once more first."""
    take = button(t.plain("Take over billing"), f"{GO}claim", subscription_id, style="primary")
    take["confirm"] = confirm(
        t.plain("Take over billing?"),
        t("From then on the invoices come to you, and only you can change the subscription. It is put on the record."),
        t.plain("Take over billing"),
        t.plain("Not now"),
        danger=False,
    )
    return take


# --- the owner reads ---


def _owned(t: Words, desk: Desk, page: BillingPage, live: Subscription) -> list[Json]:
    used = t("{used} of {seats} in use", used=t.number(page.members), seats=t.number(live.seats))
    pairs = [
        (t("Plan"), terms_line(t, desk, live.plan, live.interval.value, None)),
        (t("Seats"), used),
        (t("Next invoice"), _next(t, page, live)),
        (t("Payment method"), _method(t, page, live)),
    ]
    blocks: list[Json] = [
        header(page.scope.name),
        context(t("You are billing owner of this team.") if page.is_team else t("You are billing owner.")),
        facts(pairs),
        *_state(t, desk, live),
        *_requests(t, desk, page.requests),
        section(t("*Plan and seats*")),
        actions(*_change_row(t, live), block_id=f"plan_{live.id}"),
        section("\n".join([t("*Invoices and payment*"), *[invoice_line(t, each) for each in page.invoices]])),
        actions(*_money_row(t, page, live), block_id=f"money_{live.id}"),
        section(t("*People and help*")),
        actions(
            button(t.plain("Hand over billing"), f"{GO}owner", live.id),
            button(t.plain("Manage admins"), f"{GO}admins", live.id),
            support_button(t, "page", str(page.scope.id)),
            _leave_or_stay(t, live),
            block_id=f"people_{live.id}",
        ),
    ]
    return blocks


def _change_row(t: Words, live: Subscription) -> list[Json]:
    """Manually invoiced plans are changed by sales (R38, R43)."""
    usage = button(t.plain("See seat usage"), f"{GO}usage", live.id)
    if live.is_manually_invoiced:
        return [ask_sales(t.plain("Ask sales for a change"), "adjust", live.id, style="primary"), usage]
    style = None if live.status in OVERDUE else "primary"
    return [
        button(t.plain("Change seats"), f"{GO}seats", live.id, style=style),
        button(t.plain("Change plan"), f"{GO}plan", live.id),
        usage,
    ]


def _money_row(t: Words, page: BillingPage, live: Subscription) -> list[Json]:
    row = [button(t.plain("Show latest invoice"), f"{GO}invoice", live.id)]
    if page.has_more_invoices or len(page.invoices) > 1:
        row.append(button(t.plain("Show all invoices"), f"{GO}invoices", str(page.scope.id)))
    row.append(button(t.plain("Choose who gets copies"), f"{GO}copies", live.id))
    if not live.is_manually_invoiced:
        style = "primary" if live.status in OVERDUE else None
        row.append(button(t.plain("Change payment method"), f"{GO}payment", live.id, style=style))
    return [*row, button(t.plain("Update billing information"), f"{GO}information", live.id)]


def _method(t: Words, page: BillingPage, live: Subscription) -> str:
    if live.is_manually_invoiced:
        return t("by invoice")
    return escape(page.payment_method) if page.payment_method else t("not given yet")


def _next(t: Words, page: BillingPage, live: Subscription) -> str:
    if page.next_at is None or page.next_total is None:
        return t("none: it ends by itself")
    money = t.money(page.next_total, live.currency)
    if page.next_is_exact:
        return t("{money} on {day}", money=money, day=t.day(page.next_at))
    return t("{money} before tax on {day}", money=money, day=t.day(page.next_at))


def _state(t: Words, desk: Desk, live: Subscription) -> list[Json]:
    """What is special right now."""
    if live.status in OVERDUE:
        text = t("*The latest invoice is unpaid.* Change payment method or pay it, and all is well.")
        if live.past_due_since is not None:
            until = live.past_due_since + timedelta(days=desk.catalogue.grace_days)
            text += " " + t("Everything works until {day}.", day=t.day(until))
        return [section(f":warning: {text}")]
    found = []
    if live.status == "trialing" and live.trial_end is not None:
        found.append(section(":hourglass: " + t("Free trial until {day}.", day=t.day(live.trial_end))))
    if live.cancel_at is not None:
        ends = t("It ends on {day}. Until then everything works.", day=t.day(live.cancel_at))
        found.append(section(f":information_source: {ends}"))
    elif live.next_at is not None:
        interval = live.next_interval.value if live.next_interval else None
        terms = terms_line(t, desk, live.next_plan, interval, live.next_seats)
        found.append(section(":calendar: " + t("From {day}: {terms}.", day=t.day(live.next_at), terms=Raw(terms))))
    return found


def _requests(t: Words, desk: Desk, found: list[DeskRequest]) -> list[Json]:
    """What waits for an answer at sales or support (S1)."""
    return [context("\n".join(f":hourglass: {state_line(t, desk, each)}" for each in found[:5]))] if found else []


def leave_button(t: Words, live: Subscription) -> Json:
    """Cancelling, with what it means asked first: a trial, an overdue plan and a paid one end differently (R45, R46, M5)."""
    if live.is_manually_invoiced:
        return ask_sales(t.plain("Ask sales to cancel"), "cancel", live.id)
    day = t.day(live.current_period_end)
    if live.status in OVERDUE:
        words, ask = t.plain("End the subscription now"), t.plain("End the subscription now?")
        what = t(
            "The invoice is unpaid, so it ends at once and nothing is owed. Everybody is on the free plan then; nothing is deleted."
        )
    elif live.status == "trialing":
        words, ask = t.plain("Cancel the trial"), t.plain("Cancel the trial?")
        what = t(
            "Nothing is ever charged. Everything works until {day}; then everybody is on the free plan. Nothing is deleted.",
            day=day,
        )
    else:
        words, ask = t.plain("Cancel subscription"), t.plain("Cancel the subscription?")
        what = t("Everything works until {day}; then everybody is on the free plan. Nothing is deleted.", day=day)
    leave = button(words, f"{GO}cancel", live.id)
    leave["confirm"] = confirm(ask, what, words, t.plain("Keep it"))
    return leave


def stay_button(t: Words, live: Subscription, *, style: str | None = None) -> Json:
    """One click undoes a cancellation (R46)."""
    return button(t.plain("Keep the subscription"), f"{GO}resume", live.id, style=style)


def _leave_or_stay(t: Words, live: Subscription) -> Json:
    if live.cancel_at is not None:
        return stay_button(t, live)
    return leave_button(t, live)


# --- beside the page ---


def leaving(t: Words, desk: Desk, page: BillingPage, live: Subscription) -> Content:
    """`/billing cancel`: what there is instead, and the button that asks before it does anything (R45, R47)."""
    text = t(
        "Cancel *{scope}*? A smaller plan or fewer seats at the next renewal may be enough.", scope=page.scope.name
    )
    other = [] if live.is_manually_invoiced else _change_row(t, live)[:2]
    row = [*other, _leave_or_stay(t, live), support_button(t, "cancel")]
    title = t.plain("Cancel subscription")
    blocks = [section(text), *_state(t, desk, live), actions(*row, block_id="leaving")]
    return Content(text=text, blocks=[*blocks, *links_line(t, desk, "cancellation", "pricing", "support")], title=title)


def links(t: Words, desk: Desk) -> Content:
    """`/billing links` (R47)."""
    title = t.plain("Links")
    row: list[Json] = [button(t.plain("Show billing"), f"{GO}page"), support_button(t, "links")]
    shown = links_line(t, desk) or [context(t("No links are set up here; support can help."))]
    return Content(text=title, blocks=[section(f"*{title}*"), *shown, actions(*row, block_id="links")], title=title)


def which(t: Words, choices: list[tuple[str, str]], verb: str, rest: str) -> Content:
    """An owner of several is asked which, never guessed for (R37): (subscription, name of its scope) each."""
    text = t("You are billing owner of several. Which one do you mean?")
    blocks: list[Json] = [section(text)]
    most = min(BUTTON, 9_000 // max(1, len(choices)))  # Slack adds all labels up, and refuses some 12,000 characters
    for start in range(0, min(len(choices), 200), 25):
        row = [
            button(
                cut(t.plain("Choose {name}", name=name), most),
                f"kassor.which.{start + number}",
                f"{key}|{verb}|{rest}"[:2000],
            )
            for number, (key, name) in enumerate(choices[start : start + 25])
        ]
        blocks.append(actions(*row, block_id=f"which_{start}"))
    return Content(text=text, blocks=blocks, title=t.plain("Billing"))


def link_out(title: str, text: str, button_text: str, url: str) -> Content:
    """A page of Stripe's, one click away; the address is this reader's alone."""
    blocks = [
        section(text),
        actions(button(button_text, "kassor.stripe.open", style="primary", url=url), block_id="out"),
    ]
    return Content(text=text, blocks=blocks, title=title)


def _foot(t: Words, desk: Desk) -> list[Json]:
    return [*links_line(t, desk), context(t("`/billing help` shows what you can write"))]
