"""What each command's help ends with: how it is typed. A test runs every line's parse, and demands some for every command."""

import typer

EXAMPLES: dict[str, tuple[str, ...]] = {
    "serve": ("kassor serve", "kassor serve web", "kassor serve worker", "kassor serve scheduler"),
    "migrate": ("kassor migrate",),
    "sandbox": ("kassor sandbox", "kassor sandbox --port 9000"),
    "tour": ("kassor tour",),
    "settings": ("kassor settings", "kassor settings --json", "kassor settings --into docs/configuration.md"),
    "doctor": ("kassor doctor", "kassor doctor --json"),
    "stripe-setup": ("kassor stripe-setup --dry-run", "kassor stripe-setup", "kassor stripe-setup --new"),
    "customer": (
        "kassor customer Fjällvind",
        "kassor customer alice@fjallvind.example",
        "kassor customer in_1Abc",
        "kassor customer U0ALICE --json",
    ),
    "backup": ("kassor backup /var/backups/kassor.db",),
    "forget": ("kassor forget T0FJALL01 --dry-run", "kassor forget T0FJALL01"),
    "move": (
        "kassor move --to postgres://kassor:secret@db.example/kassor",
        "kassor move --to postgres://kassor:secret@db.example/kassor --finish",
    ),
    "audit": (
        "kassor audit --since 7d",
        "kassor audit --scope Design --verb seats_changed",
        "kassor audit --workspace T0FJALL01 --since 2026-01-01 --until 2026-12-31 --csv > 2026.csv",
    ),
    "reconcile": ("kassor reconcile", "kassor reconcile --restored"),
    "manifest": ("kassor manifest https://kassor.example > manifest.json",),
    "key": ("kassor key",),
    "catalogue push": ("kassor catalogue push --dry-run", "kassor catalogue push"),
    "catalogue show": ("kassor catalogue show", "kassor catalogue show --json"),
    "events list": ("kassor events list --state buried", "kassor events list --type invoice.* --since 6h --json"),
    "events show": ("kassor events show evt_1Abc", "kassor events show evt_1Abc --payload"),
    "notices list": ("kassor notices list --state buried", "kassor notices list --workspace fjallvind --json"),
    "notices show": ("kassor notices show 3f0c2a9e-1111-4222-8333-444455556666",),
    "notices retry": ("kassor notices retry --buried --dry-run", "kassor notices retry --buried"),
    "events replay": ("kassor events replay evt_1Abc", "kassor events replay --buried --since 2d --dry-run"),
}


def give_examples(app: typer.Typer, before: str = "") -> None:
    """Put each command's examples under its help, unless it brings its own."""
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        lines = EXAMPLES.get(before + name)
        if lines and not command.epilog:
            command.epilog = "Examples:  " + "  ·  ".join(lines)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            give_examples(group.typer_instance, f"{before}{group.name} ")
