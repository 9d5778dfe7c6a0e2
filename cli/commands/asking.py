"""`kassor customer`: looking somebody up."""

from typing import Annotated

import typer

from cli.commands.common import AsJson, run, settings


def customer(
    who: Annotated[
        str,
        typer.Argument(help="A workspace, team, person, e-mail, invoice number, or any id of Slack's or Stripe's."),
    ],
    as_json: AsJson = False,
) -> None:
    """Tell a customer's whole story on one screen: plan, owner, invoices and their copies, what waits and why.

    Exit 1 when nobody, or more than one, is meant.
    """
    from cli.customer.asked import tell

    found: list[bool] = []

    async def look() -> None:
        found.append(await tell(settings(), who, typer.echo, as_json=as_json))

    run(look())
    if not all(found):
        raise typer.Exit(1)
