"""`farmtui cost`: its text, its JSON by the schema, its exit codes, and that it loads no terminal framework."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from farmtui.cost import text
from farmtui.cost_document import document
from farmtui.farm.farm import Farm
from farmtui.insight.costs import Costs, costs
from tests.cli.run import farmtui
from tests.house.tree import ROOT
from tests.screens.cost_farms import cost_farm, forbidden_farm

SCHEMA = json.loads((ROOT / "docs" / "cost-schema.json").read_text(encoding="utf-8"))
FARMS = {
    "hybrid": cost_farm(),
    "cloud": cost_farm(pve=False, follows="A"),
    "hardware": cost_farm(cloud=False),
    "nothing": cost_farm(cloud=False, pve=False),
    "forbidden": forbidden_farm(),
    "no plan": cost_farm(plan="/nowhere/plan.yaml"),
    "euro": cost_farm(currency="EUR", per_usd="0.92"),
}


def costs_of(farm: Farm) -> Costs:
    """The costs, which there are."""
    found = costs(farm)
    assert found is not None
    return found


def told(farm: Farm) -> Any:
    """The document as a reader gets it."""
    return json.loads(json.dumps(document(farm, costs_of(farm), version="0"), allow_nan=False))


@pytest.mark.parametrize("name", FARMS)
def test_the_document_is_as_the_schema_says(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(told(FARMS[name]), SCHEMA)


@pytest.mark.parametrize("name", FARMS)
def test_the_text_fits_80_columns(name: str) -> None:
    lines = text(FARMS[name], costs_of(FARMS[name])).splitlines()
    assert [line for line in lines if len(line) > 80 and "doctl" not in line and "pvesh" not in line] == []


def test_what_is_not_known_is_null_and_said() -> None:
    found = told(FARMS["forbidden"])
    assert found["spend"]["complete"] is False
    assert found["plan"]["spend_above_plan_per_month"] is None
    assert "at least $446" in text(FARMS["forbidden"], costs_of(FARMS["forbidden"]))
    assert told(FARMS["nothing"])["spend"]["per_month"] is None
    assert told(FARMS["no plan"])["plan"] is None


def test_without_any_source_it_tells_the_plan(tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text("farm: {name: x}\n")
    done = farmtui("cost", home=tmp_path)
    assert (done.code, done.err) == (3, "")
    assert "not configured" in done.out
    assert "add digitalocean.token" in done.out
    assert "never: 72.7 of 60 months" in done.out
    assert "says 17, gives 54.8" in done.out
    found = json.loads(farmtui("cost", "--json", home=tmp_path).out)
    jsonschema.validate(found, SCHEMA)
    assert (found["spend"]["per_month"], found["spend"]["complete"]) == (None, False)
    assert "cost.hardware" in found["spend"]["notes"][0]
    assert found["plan"]["scenarios"][4]["per_month"] == "3757.00"


def test_a_plan_that_cannot_be_read_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text("cost: {plan: mine.yaml}\n")
    (tmp_path / "mine.yaml").write_text("name: x\nsites: 0\n")
    done = farmtui("cost", home=tmp_path)
    assert done.code == 3
    assert "mine.yaml:2: sites" in " ".join(done.out.split())
    assert "Traceback" not in done.err


def test_a_wrong_section_is_told_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text("cost: {currency: EUR, hardware: {once_per_host: 5}}\n")
    done = farmtui("cost", home=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "once_per_host and watts_per_host need hosts" in done.err


def test_it_loads_no_terminal_framework_and_no_client(tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text("farm: {name: x}\n")
    done = farmtui("cost", home=tmp_path, python=("-X", "importtime"))
    assert done.code == 3
    loaded = {line.rpartition("|")[2].strip() for line in done.err.splitlines() if line.startswith("import time:")}
    assert loaded & {"textual", "rich", "pydo", "proxmoxer", "aiohttp"} == set()
