"""`python -m cli` is `kassor`."""

from cli.main import app

app()
