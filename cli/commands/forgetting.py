"""`kassor forget`: personal data of a workspace that has left."""

from typing import Annotated

import typer

from cli.commands.common import AsJson, fail, run, settings


def forget(
    workspace: Annotated[str, typer.Argument(help="Its id (T…) or Slack domain: never a name that two may have.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be forgotten, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask: there is no way back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the personal data of a workspace that has left; keep what the law wants of invoices (docs/privacy.md)."""
    from cli.forget import forget as go
    from domain.forgetting import NotYet

    given = settings()
    if not dry_run and not yes:
        typer.confirm(f"Forget everybody in {workspace}? There is no way back.", abort=True, err=True)
    try:
        run(go(given, workspace, typer.echo, dry_run=dry_run, as_json=as_json))
    except NotYet as error:
        fail("It can't be forgotten yet:", list(error.obstacles))
