"""Palettes: readable, told apart (by all eyes), complete, and refused in words when they are not."""

from __future__ import annotations

import dataclasses
import math
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content
from textual.markup import parse_style
from textual.widgets import Static

import themes
from themes.palette import (
    GROUND_ROLES,
    ROLES,
    TEXT_ROLES,
    Palette,
    PaletteError,
    parse_palette,
    read_palette,
    theme_of,
    variables_of,
)
from widgets import ink

HERE = Path(themes.__file__).parent
PALETTES = {path.stem: read_palette(path) for path in sorted(HERE.glob("*.yaml"))}
FIXED = {name: palette for name, palette in PALETTES.items() if not palette.is_ansi}
STATES = ("ok", "info", "warning", "unknown", "critical")

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3 (AA)."""

LEAST_DISTANCE = 15.0
"""CIE76 in Lab: some six times what is just noticeable side by side, for signs that stand apart."""


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _linear(colour: str) -> tuple[float, float, float]:
    parsed = Color.parse(colour)
    parts = [part / 255 for part in (parsed.r, parsed.g, parsed.b)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


EYES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    # Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}


def lab(colour: str, eyes: str = "usual") -> tuple[float, float, float]:
    """CIE Lab (D65) of a colour as seen by some eyes."""
    linear = _linear(colour)
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * part for weight, part in zip(row, linear, strict=True)))) for row in EYES[eyes]
    )
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883

    def root(value: float) -> float:
        return math.cbrt(value) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116

    return 116 * root(y) - 16, 500 * (root(x) - root(y)), 200 * (root(y) - root(z))


def distance(first: str, second: str, eyes: str = "usual") -> float:
    return math.dist(lab(first, eyes), lab(second, eyes))


def test_the_measures_are_right() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert lab("#ffffff") == pytest.approx((100.0, 0.0, 0.0), abs=0.02)
    assert distance("#ff0000", "#00ff00") > 150
    assert distance("#c06000", "#708000", "deuteranopia") < distance("#c06000", "#708000") / 3


def test_ours_are_there() -> None:
    assert set(PALETTES) == {"farm-dark", "farm-light", "farm-safe", "farm-16", "farm-wall"}
    assert {name: palette.name for name, palette in PALETTES.items()} == {name: name for name in PALETTES}
    assert [name for name, palette in PALETTES.items() if not palette.dark] == ["farm-light"]


@pytest.mark.parametrize("ground", GROUND_ROLES)
@pytest.mark.parametrize("role", TEXT_ROLES)
@pytest.mark.parametrize("name", FIXED)
def test_text_can_be_read_on_every_ground(name: str, role: str, ground: str) -> None:
    inks = FIXED[name].inks
    ratio = contrast(inks[role].colour, inks[ground].colour)
    assert ratio >= LEAST_CONTRAST, f"{name}: {role} on {ground} is {ratio:.2f}:1"


@pytest.mark.parametrize("name", FIXED)
def test_the_alarm_and_the_lines_of_charts_can_be_read(name: str) -> None:
    palette = FIXED[name]
    assert contrast(palette.inks["alarm_text"].colour, palette.inks["alarm"].colour) >= LEAST_CONTRAST
    for line in palette.series:
        assert contrast(line.colour, palette.inks["background"].colour) >= LEAST_CONTRAST


def test_from_five_metres_everything_stands_out() -> None:
    inks = FIXED["farm-wall"].inks
    for role in TEXT_ROLES:
        assert contrast(inks[role].colour, inks["background"].colour) >= 7.0, role


@pytest.mark.parametrize(("first", "second"), list(combinations(STATES, 2)))
@pytest.mark.parametrize("name", FIXED)
def test_states_are_told_apart(name: str, first: str, second: str) -> None:
    inks = FIXED[name].inks
    apart = distance(inks[first].colour, inks[second].colour)
    assert apart >= LEAST_DISTANCE, f"{name}: {first} and {second} are {apart:.1f} apart"


@pytest.mark.parametrize("eyes", ["protanopia", "deuteranopia"])
@pytest.mark.parametrize(("first", "second"), list(combinations(STATES, 2)))
def test_states_are_told_apart_by_all_eyes(first: str, second: str, eyes: str) -> None:
    inks = FIXED["farm-safe"].inks
    apart = distance(inks[first].colour, inks[second].colour, eyes)
    assert apart >= LEAST_DISTANCE, f"{first} and {second} are {apart:.1f} apart for {eyes}"


@pytest.mark.parametrize("eyes", list(EYES))
@pytest.mark.parametrize(("first", "second"), list(combinations(range(4), 2)))
def test_the_first_lines_of_a_chart_are_told_apart_by_all_eyes(first: int, second: int, eyes: str) -> None:
    series = FIXED["farm-safe"].series
    assert distance(series[first].colour, series[second].colour, eyes) >= LEAST_DISTANCE


def test_the_worst_two_are_the_furthest_from_well_for_all_eyes() -> None:
    inks = FIXED["farm-safe"].inks
    for eyes in EYES:
        assert distance(inks["ok"].colour, inks["critical"].colour, eyes) > 40
        assert distance(inks["ok"].colour, inks["warning"].colour, eyes) > 40


def test_sixteen_colours_are_the_terminals_own() -> None:
    palette = PALETTES["farm-16"]
    assert all(one.is_ansi for one in (*palette.inks.values(), *palette.series))
    # Bright black is the background of some palettes: nothing that must be read has it.
    assert all(palette.inks[role].colour != "ansi_bright_black" for role in TEXT_ROLES)
    assert len({palette.inks[role].style for role in STATES}) == len(STATES)
    assert theme_of(palette).ansi


@pytest.mark.parametrize("name", PALETTES)
def test_every_ink_has_a_style_in_every_theme(name: str) -> None:
    variables = variables_of(PALETTES[name])
    names = [value for value in vars(ink).values() if isinstance(value, str) and value.startswith("$")]
    for style in {*names, *ink.SERIES, *ink.SEVERITY.values(), *ink.FRESHNESS.values(), "$ink-alarm"}:
        assert style.removeprefix("$") in variables, style
        assert parse_style(style, variables).foreground is not None


def valid() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((HERE / "farm-dark.yaml").read_text(encoding="utf-8"))
    return loaded


def changed(key: str, value: object) -> dict[str, Any]:
    raw = valid()
    where: Any = raw
    *parents, last = key.split(".")
    for parent in parents:
        where = where[parent]
    where[last] = value
    return raw


def without(key: str) -> dict[str, Any]:
    raw = valid()
    where: Any = raw
    *parents, last = key.split(".")
    for parent in parents:
        where = where[parent]
    del where[last]
    return raw


@pytest.mark.parametrize(
    ("raw", "key", "remedy"),
    [
        ([], "(file)", "compare it with"),
        (changed("name", "Bad Name"), "name", "small letters"),
        (changed("name", 5), "name", "small letters"),
        (changed("dark", "yes"), "dark", "true nor false"),
        (without("dark"), "dark", "true nor false"),
        (changed("extra", 1), "extra", "take it out"),
        (changed("colours", None), "colours", "key: value"),
        (changed("colours.extra", "#ffffff"), "colours.extra", "take it out"),
        (without("colours.warning"), "colours.warning", "copy it from farm-dark.yaml"),
        (changed("colours.warning", "#zzz"), "colours.warning", 'write "#rrggbb"'),
        (changed("colours.warning", 123456), "colours.warning", "in quotes"),
        (changed("colours.warning", ""), "colours.warning", "in quotes"),
        (changed("colours.warning", "#ffffff80"), "colours.warning", "see-through"),
        (changed("colours.warning", "#ffffff loud"), "colours.warning", "'loud' is not an attribute"),
        (changed("colours.background", "#000000 bold"), "colours.background", "give the colour alone"),
        (changed("colours.warning", "ansi_red"), "colours.warning", "use one kind throughout"),
        (changed("colours.series", ["#ffffff"]), "colours.series", "list of 6"),
        (changed("colours.series", ["#ffffff"] * 5 + ["x"]), "colours.series[5]", "is not a colour"),
    ],
)
def test_what_is_wrong_is_said_with_file_key_and_remedy(raw: object, key: str, remedy: str) -> None:
    with pytest.raises(PaletteError) as error:
        parse_palette(raw, "mine.yaml")
    assert str(error.value).startswith(f"mine.yaml: {key}:")
    assert remedy in str(error.value)


def test_a_valid_palette_has_every_role() -> None:
    palette = parse_palette(valid(), "mine.yaml")
    assert set(palette.inks) == set(ROLES)
    assert isinstance(palette, Palette)
    with pytest.raises(dataclasses.FrozenInstanceError):
        palette.name = "other"  # type: ignore[misc]


def test_a_users_themes_join_ours_and_bad_ones_are_skipped_with_a_notice(tmp_path: Path) -> None:
    good = changed("name", "mine")
    (tmp_path / "a-good.yaml").write_text(yaml.safe_dump(good), encoding="utf-8")
    (tmp_path / "b-bad.yaml").write_text(yaml.safe_dump(without("colours.text")), encoding="utf-8")
    (tmp_path / "c-broken.yaml").write_text("name: [", encoding="utf-8")
    (tmp_path / "d-binary.yml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "e-deep.yaml").write_text("[" * 5000, encoding="utf-8")
    (tmp_path / "f-folder.yaml").mkdir()
    (tmp_path / "notes.txt").write_text("not a theme", encoding="utf-8")
    (tmp_path / "g-ours.yaml").write_text(yaml.safe_dump(changed("colours.text", "#eeeeee")), encoding="utf-8")
    found, problems = themes.load_themes(tmp_path)
    names = [theme.name for theme in found]
    assert names.count("farm-dark") == 1
    assert "mine" in names
    assert next(theme for theme in found if theme.name == "farm-dark").foreground == "#eeeeee"
    assert [problem.split(":")[1].strip() for problem in problems] == [
        "b-bad.yaml",
        "c-broken.yaml",
        "d-binary.yml",
        "e-deep.yaml",
        "f-folder.yaml",
    ]
    assert all(problem.startswith("theme skipped: ") for problem in problems)


def test_no_folder_is_no_problem(tmp_path: Path) -> None:
    found, problems = themes.load_themes(tmp_path / "none")
    assert len(found) == 5
    assert problems == []


@pytest.mark.parametrize(
    ("asked", "environ", "chosen"),
    [
        ("", {"TERM": "xterm-256color"}, "farm-dark"),
        ("", {"TERM": "screen"}, "farm-16"),
        ("", {"TERM": "xterm", "COLORTERM": "truecolor"}, "farm-dark"),
        ("", {"TERM": "xterm-256color", "NO_COLOR": "1"}, "farm-16"),
        ("", {"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": ""}, "farm-dark"),
        ("farm-light", {"TERM": "screen"}, "farm-light"),
        ("farm-lite", {"TERM": "xterm-256color"}, "farm-dark"),
    ],
)
def test_which_theme_a_terminal_begins_with(asked: str, environ: dict[str, str], chosen: str) -> None:
    found, _ = themes.load_themes()
    name, notice = themes.choose(asked, found, environ)
    assert name == chosen
    assert bool(notice) is (asked not in ("", chosen))
    assert not notice or ("farm-lite" in notice and "farm-16" in notice)


class Bare(App[None]):
    """An app with our stylesheet and nothing else."""

    CSS_PATH = str(themes.APP_CSS)

    def compose(self) -> ComposeResult:
        """Something in a panel."""
        yield Static(Content("text"), classes="panel -critical", markup=False)


@pytest.mark.parametrize("name", ["textual-dark", "textual-light", "ansi-dark", *PALETTES])
async def test_the_stylesheet_parses_under_every_theme(name: str) -> None:
    app = Bare()
    for theme in themes.load_themes()[0]:
        app.register_theme(theme)
    app.theme = name
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        background = app.screen.styles.background
        if name in FIXED:
            assert background.hex.lower() == FIXED[name].inks["background"].colour
        elif name == "farm-16":
            assert background.ansi == -1
