"""The served page in Debian's Chromium: the tests of `tests/web`, which cannot be skipped here."""

from __future__ import annotations

from tests.web.chromium import PROGRAM
from tests.web.test_browser import (  # noqa: F401 - pytest finds them here, where the lab's mark is set
    browser,
    test_a_console_is_clicked_typed_into_and_resized,
    test_a_console_that_is_left_is_ended_and_another_is_begun_by_hand,
    test_a_wall_survives_a_restart_of_its_server_and_says_so_meanwhile,
    test_a_wall_that_stands_still_is_called_frozen_and_taken_again_when_it_goes_on,
    test_another_token_is_said_to_be_wanted,
)


def test_there_is_a_browser() -> None:
    assert PROGRAM, "tests/lab/install installs Debian's chromium"
