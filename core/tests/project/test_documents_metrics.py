"""docs/metrics.md and the dashboard name the metrics that there are, and no others."""

import json
import re
from itertools import combinations
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client

from booking_system_api import metrics, requests
from core.tests.support.documents import FENCED, METRICS, tables, words_in_code
from core.tests.support.environment import ROOT

DASHBOARD = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
NAME = re.compile(r"\bbooking_[a-z_]+")
SUFFIX = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture
def there(db: None) -> dict[str, set[str]]:
    """The labels of each metric by its name."""
    assert settings.VERSION
    found: dict[str, set[str]] = {}
    for collector in (metrics.requests_total, metrics.refusals_total, metrics.acts_total, metrics.messages_total):
        found[f"{collector._name}_total"] = set(collector._labelnames)
    found[metrics.request_seconds._name] = set(metrics.request_seconds._labelnames)
    for family in (*metrics.Info().collect(), *metrics.Database().collect()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = {label for sample in family.samples for label in sample.labels}
    return found


def blocks() -> list[Any]:
    """The blocks of YAML."""
    return [yaml.safe_load(match["body"]) for match in FENCED.finditer(METRICS.text) if match["language"] == "yaml"]


def rules() -> list[dict[str, Any]]:
    (alerts,) = [block for block in blocks() if "groups" in block]
    return [rule for group in alerts["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DASHBOARD["panels"]
    return found


def expressions() -> list[str]:
    """What the alerts and the panels ask for."""
    return [rule["expr"] for rule in rules()] + [target["expr"] for each in panels() for target in each["targets"]]


def test_each_metric_is_in_the_table_with_its_labels_and_no_other_one(there: dict[str, set[str]]) -> None:
    (rows,) = tables(METRICS.chapter("The metrics"))
    written = {words_in_code(row[0])[0]: set(words_in_code(row[1])) for row in rows}
    assert written == there


def test_each_name_in_the_document_and_in_the_dashboard_is_one_of_a_metric(there: dict[str, set[str]]) -> None:
    asked = [*NAME.findall(METRICS.text), *NAME.findall(json.dumps(DASHBOARD))]
    assert len(asked) > 40
    assert {name for name in asked if name not in there and SUFFIX.sub("", name) not in there} == set()


def test_the_dashboard_shows_each_metric(there: dict[str, set[str]]) -> None:
    shown = {SUFFIX.sub("", name) for name in NAME.findall(json.dumps(DASHBOARD["panels"]))}
    assert shown == set(there)


def test_each_label_that_is_asked_for_is_one_of_the_metrics(there: dict[str, set[str]]) -> None:
    known = {"job", "le", "instance"} | {label for labels in there.values() for label in labels}
    for expression in expressions():
        matched = re.findall(r"[{,](\w+)(?:=~|=|!=|!~)", expression)
        grouped = [label for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(", ")]
        assert {*matched, *grouped} <= known, expression
        assert expression.count("(") == expression.count(")"), expression


def test_counters_are_asked_for_their_growth_and_nothing_else_is() -> None:
    for expression in expressions():
        for name in NAME.findall(expression):
            is_growing = name.endswith(("_total", "_bucket", "_sum", "_count"))
            growth = re.search(rf"(?:rate|increase)\({name}(?:{{[^}}]*}})?\[", expression)
            assert bool(growth) == is_growing, expression


def test_each_alert_says_what_is_wrong() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) > 8
    for rule in rules():
        assert re.fullmatch(r"Booking[A-Za-z]+", rule["alert"])
        assert rule["annotations"]["summary"].endswith((".", "?"))
        assert re.search(r"[<>]|==", rule["expr"]), rule
        assert re.fullmatch(r"\d+m", rule.get("for", "1m"))


def test_no_alert_depends_on_which_process_sends_the_messages() -> None:
    """A command that cron runs is asked by nobody, and each web process begins with 0 for each act."""
    counted = [name for rule in rules() for name in NAME.findall(rule["expr"])]
    assert len(counted) > 8
    assert not {"booking_acts_total", "booking_messages_total"} & set(counted)


def test_errors_are_a_share_of_what_people_asked_for(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many probes would hide an outage of the API."""
    seen: list[requests.Ended] = []
    monkeypatch.setattr(requests, "_observers", [seen.append])
    for path in ("/health/", "/health/ready/", "/metrics", "/static/x.css", "/api/resources/", "/admin/login/"):
        Client().get(path)
    shares = [rule["expr"] for rule in rules() if rule["alert"] == "BookingErrors"]
    shares += [panel["targets"][0]["expr"] for panel in panels() if panel["title"] == "Errors of the server"]
    assert len(shares) == 2
    for share in shares:
        left_out = re.findall(r'route!~"([^"]+)"', share)
        assert len(left_out) == share.count("booking_requests_total") == 2
        for pattern in left_out:
            counted = [ended.route for ended in seen if not re.fullmatch(pattern, ended.route)]
            assert counted == ["/api/resources/", "/admin/login/"]


def test_prometheus_is_told_to_send_the_token() -> None:
    (scrape,) = [block for block in blocks() if "scrape_configs" in block]
    assert scrape["scrape_configs"][0]["authorization"]["type"] == "Bearer"


def test_the_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for one, other in combinations([panel["gridPos"] for panel in panels()], 2):
        is_beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        is_below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert is_beside or is_below, (one, other)


def test_the_dashboard_asks_for_the_data_source_and_the_job() -> None:
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "job"]
    assert all('job=~"$job"' in target["expr"] for panel in panels() for target in panel["targets"])
