"""config.example.yaml: it is valid as it stands and with every line in force, and it names every key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from farmtui.config import Config, Section, load_config, parse_config, schema, section_in
from farmtui.config.text import shown

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
# A key in a comment, with its value: prose has no colon directly after its first word, or nothing like a key before.
COMMENTED = re.compile(r"^( *)# ( *(?:- )?[A-Za-z_.-]+:(?: .*)?)$")


def with_every_line_in_force() -> str:
    """The example with its commented keys uncommented; the head of the file is prose."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    start = lines.index("farm:")
    return "\n".join(COMMENTED.sub(r"\1\2", line) for line in lines[start:])


def keys_of(section: type[Section]) -> set[str]:
    """Every key of a section and of the sections in it."""
    found = set(section.model_fields)
    for field in section.model_fields.values():
        if (inner := section_in(field.annotation)) is not None:
            found |= keys_of(inner)
    return found


def test_the_example_is_a_config_of_the_reference_farm() -> None:
    config = load_config(EXAMPLE)
    assert config.farm.sites == 500
    assert config.prometheus is not None
    assert config.alertmanager is not None
    assert config.digitalocean is not None
    assert len(config.proxmox) == 1


def test_every_commented_line_is_valid_too() -> None:
    config = parse_config(with_every_line_in_force(), EXAMPLE)
    assert config.nodes[0].droplet == 123456789
    assert config.ui.theme == "farm-dark"
    assert config.ui.keys == {"faults": "f5"}
    assert config.prometheus is not None
    assert config.prometheus.auth.username == "farmtui"
    assert config.prometheus.queries["db.slow_per_s"] == ""
    assert config.prometheus.headers == {"X-Scope-OrgID": "shop"}


def test_every_key_is_named() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert {key for key in keys_of(Config) if not re.search(rf"\b{key}\b", text)} == set()


@pytest.mark.parametrize("text", [EXAMPLE.read_text(encoding="utf-8"), with_every_line_in_force()])
def test_the_schema_accepts_what_the_loader_accepts(text: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(yaml.safe_load(text), schema())


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    with pytest.raises(jsonschema.ValidationError, match="naem"):
        jsonschema.validate({"farm": {"naem": "x"}}, schema())


def test_the_editor_is_told_where_the_schema_is() -> None:
    hint = EXAMPLE.read_text(encoding="utf-8").splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", hint)
    assert found
    assert json.loads((ROOT / found[1]).read_text(encoding="utf-8"))["title"] == "farmtui config"


def test_what_is_in_force_is_a_config_again_and_shows_references_only() -> None:
    config = parse_config(with_every_line_in_force(), EXAMPLE)
    text = shown(config)
    assert "env:FARMTUI_PVE_TOKEN" in text
    again = parse_config(text, EXAMPLE)
    assert again.model_copy(update={"prometheus": None}) == config.model_copy(update={"prometheus": None})


def test_a_header_given_by_value_is_not_shown() -> None:
    config = parse_config("prometheus: {url: 'http://p', headers: {X-Auth: hunter2, X-Key: 'env:K'}}", EXAMPLE)
    text = shown(config)
    assert "hunter2" not in text
    assert "env:K" in text
