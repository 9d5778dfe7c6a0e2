"""What an operator watches: the dashboard and the alert rules ask only for what the product tells, and for all of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import domain.metrics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ASKED = re.compile(r"\bkassor_[a-z_]+")
LABELS = re.compile(r"\{([^}]*)\}|by \(([^)]*)\)")


def told() -> dict[str, set[str]]:
    """Every series the product has, by name, with its labels."""
    found: dict[str, set[str]] = {}
    for family in domain.metrics.REGISTRY.collect():
        kinds = {
            "counter": ["_total"],
            "histogram": ["_bucket", "_sum", "_count"],
            "gauge": [""],
        }[family.type]
        for kind in kinds:
            found[family.name + kind] = set()
    for metric in vars(domain.metrics).values():
        for name in found:
            if hasattr(metric, "_labelnames") and name.startswith(metric._name):
                found[name] |= set(metric._labelnames) | {"le"}
    return found


def expressions(node: Any) -> Iterator[str]:
    """Every `expr` in a dashboard or a file of rules."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "expr":
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for each in node:
            yield from expressions(each)


def dashboard() -> Any:
    return json.loads((DEPLOY / "grafana" / "kassor.json").read_text())


def rules() -> Any:
    return yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())


def test_the_dashboard_and_the_alerts_ask_only_for_what_is_told() -> None:
    known = told()
    for expression in [*expressions(dashboard()), *expressions(rules())]:
        names = set(ASKED.findall(expression))
        assert names, f"{expression} asks for nothing of ours"
        assert names <= set(known), f"{expression} asks for what nobody tells: {names - set(known)}"
        labels = {
            word.split("=")[0].strip(" ~!")
            for inside, by in LABELS.findall(expression)
            for word in (inside or by).split(",")
        }
        assert labels <= set().union(*(known[name] for name in names)), expression


def test_everything_that_is_told_is_on_the_dashboard() -> None:
    shown = {name for expression in expressions(dashboard()) for name in ASKED.findall(expression)}
    for family in domain.metrics.REGISTRY.collect():
        assert any(name.startswith(family.name) for name in shown), f"{family.name} is on no panel"


def test_every_alert_says_what_and_where_to_read_on() -> None:
    for group in rules()["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"page", "warn"}
            assert rule["annotations"]["summary"].endswith((".", "?"))
            assert re.fullmatch(r"docs/runbook\.md#[a-z0-9-]+", rule["annotations"]["runbook"])


def test_an_alert_about_nothing_happening_also_fires_where_nothing_tells_of_it() -> None:
    """A process that is gone takes its series with it, and what compares nothing with 0 is silent."""
    silent = [each for each in expressions(rules()) if re.search(r"(==|<=?) *[0-9]", each)]
    assert silent
    for expression in silent:
        assert "or vector(0)" in expression, expression


def test_observability_lists_every_series() -> None:
    page = (DEPLOY.parent / "docs" / "observability.md").read_text()
    listed = set(re.findall(r"`(kassor_[a-z_]+)(?:\{[a-z,]+\})?`", page))
    assert {each.removesuffix("_total") for each in listed} == {
        family.name for family in domain.metrics.REGISTRY.collect()
    }
