"""The log: a file of its owner's, without secrets and without what acts on a terminal; nothing on the screen."""

from __future__ import annotations

import logging
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from farmtui import logs
from farmtui.secrets import register


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging is the process's: each test gives it back as it was."""
    root, ours = logging.getLogger(), logging.getLogger("farmtui")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield
    logging.captureWarnings(False)
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def test_secrets_and_control_characters_stay_out_tracebacks_included(tmp_path: Path) -> None:
    register("correct-horse-battery")
    path = tmp_path / "state" / "farmtui.log"
    assert logs.to_file(path) == ""
    log = logging.getLogger("farmtui.polling")
    log.info("asked with %s\x1b[2J", "correct-horse-battery")
    log.info("two\nlines")
    try:
        raise ValueError("correct-horse-battery \x1b]52;c;aGk=\x07")
    except ValueError:
        log.exception("failed")
    text = path.read_text(encoding="utf-8")
    assert "asked with •••" in text
    assert "Traceback" in text
    assert "correct-horse" not in text
    assert "\x1b" not in text
    assert "\n    lines\n" in text, "a second line cannot pass for another record"


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "farmtui.log"
    logs.to_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "SIZE_MAX_BYTES", 2_000)
    path = tmp_path / "farmtui.log"
    logs.to_file(path)
    for number in range(400):
        logging.getLogger("farmtui").info("entry %d", number)
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 1 + logs.KEPT
    assert all(file.stat().st_size <= 2_000 for file in kept)
    assert "entry 399" in path.read_text(encoding="utf-8")
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}


def test_no_log_is_no_reason_not_to_start(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    notice = logs.to_file(tmp_path / "file" / "farmtui.log")
    assert notice.startswith("no log is written: ")
    logging.getLogger("farmtui").error("nobody hears this")
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_is_not_told_on_the_screen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "farmtui.log"
    logs.to_file(path)
    [handler] = logging.getLogger().handlers
    assert isinstance(handler, logging.FileHandler)
    assert handler.stream is not None
    handler.stream.close()
    handler.stream = Path("/dev/full").open("a", encoding="utf-8")  # noqa: SIM115 - the handler closes it
    logging.getLogger("farmtui").error("no room for this")
    assert capfd.readouterr() == ("", "")
    handler.stream = Path("/dev/null").open("a", encoding="utf-8")  # noqa: SIM115


def test_what_nobody_catches_goes_to_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "farmtui.log"
    logs.to_file(path)

    def fail() -> None:
        raise LookupError("in a thread")

    thread = threading.Thread(target=fail, name="poller")
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old and odd", UserWarning, stacklevel=1)
    text = path.read_text(encoding="utf-8")
    assert "uncaught: thread poller" in text
    assert "LookupError: in a thread" in text
    assert "old and odd" in text
    assert capfd.readouterr() == ("", "")


def test_it_is_in_the_users_state_folder(tmp_path: Path) -> None:
    script = "from farmtui import logs; print(logs.log_file())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == str(tmp_path / "farmtui" / "farmtui.log")
