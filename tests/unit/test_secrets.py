"""Secrets: each kind of reference, errors that name no value, and what `redact` hides."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui import secrets
from farmtui.secrets import REDACTED, Secret, SecretError, redact, register


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with no secret known, and leaves none behind."""
    monkeypatch.setattr(secrets, "_known", secrets._KnownSecrets())


def test_env_file_and_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_TOKEN", "from-env-1")
    kept = tmp_path / "token"
    kept.write_text("from-file-1\n")
    printing = tmp_path / "print.py"
    printing.write_text("print('from-cmd-1')")
    assert Secret("env:FARM_TOKEN").reveal() == "from-env-1"
    assert Secret(f"file:{kept}").reveal() == "from-file-1"
    assert Secret(f"cmd:'{sys.executable}' '{printing}'").reveal() == "from-cmd-1"


def test_a_rotated_secret_is_picked_up_after_forget(tmp_path: Path) -> None:
    kept = tmp_path / "token"
    kept.write_text("old-value")
    secret = Secret(f"file:{kept}")
    assert secret.reveal() == "old-value"
    kept.write_text("new-value")
    assert secret.reveal() == "old-value"
    secret.forget()
    assert secret.reveal() == "new-value"
    assert redact("old-value, new-value") == f"{REDACTED}, {REDACTED}"


@pytest.mark.parametrize(
    "reference",
    [
        "hunter2-hunter2",
        "",
        "env:",
        "env:hunter2 hunter2",
        "file: ",
        "cmd:",
        "cmd:''",
        "cmd:'hunter2-hunter2",
        "env:A\0B",
        "x:y",
    ],
)
def test_what_is_no_reference_is_refused_without_repeating_it(reference: str) -> None:
    with pytest.raises(SecretError) as caught:
        Secret(reference)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("env:FARM_UNSET", "the environment variable FARM_UNSET is not set"),
        ("file:{tmp}/none", "cannot read the secret file .*none: No such file"),
        ("file:{tmp}/latin", "cannot read the secret file .*latin: not UTF-8"),
        ("file:{tmp}/empty", "the secret file .*empty is empty"),
        ("file:{tmp}/lines", "more than one line"),
        ("file:~nobody-here/x", "its home folder is not known"),
        ("cmd:{tmp}/none", "cannot be started: No such file"),
        ("cmd:{python} -c 'raise SystemExit(3)'", "ended with 3; run it by hand"),
        ("cmd:{python} -c pass", "printed nothing"),
        ("cmd:{python} -c 'import sys; sys.stdout.buffer.write(bytes([255]))'", "not UTF-8"),
    ],
)
def test_errors_of_resolving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, words: str) -> None:
    monkeypatch.delenv("FARM_UNSET", raising=False)
    (tmp_path / "latin").write_bytes(b"\xe9")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "lines").write_text("hunter2\nhunter2\n")
    with pytest.raises(SecretError, match=words) as caught:
        Secret(reference.format(tmp=tmp_path, python=sys.executable)).reveal()
    assert "hunter2" not in str(caught.value)


def test_a_command_that_never_ends_is_given_up_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_COMMAND_DEADLINE_S", 0.2)
    hang = "import os, time; os.fork(); time.sleep(60)"
    began = time.monotonic()
    with pytest.raises(SecretError, match=r"did not end within 0\.2 s"):
        Secret(f"cmd:'{sys.executable}' -c '{hang}'").reveal()
    assert time.monotonic() - began < 30


def test_a_command_has_no_terminal_to_ask_on() -> None:
    asks = 'import os; print(os.getsid(0) == os.getpid() and "own-session")'
    assert Secret(f"cmd:'{sys.executable}' -c '{asks}'").reveal() == "own-session"


def test_text_forms_show_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_TOKEN", "swordfish-9")
    secret = Secret("env:FARM_TOKEN")
    secret.reveal()
    assert "swordfish" not in f"{secret} {secret!r} {[secret]} "


@given(st.text(min_size=4, max_size=40).map(lambda tail: f"kQ9{tail}"), st.text(max_size=20), st.text(max_size=20))
def test_a_known_secret_never_gets_through_in_any_form(secret: str, before: str, after: str) -> None:
    register(secret)
    for form in (secret, json.dumps(secret), repr(secret), quote(secret, safe="")):
        hidden = redact(f"{before}{form}{after}")
        assert form not in hidden
        assert secret not in hidden


@pytest.mark.parametrize(
    "text",
    [
        "GET https://root:hunter2@pve:8006/api2",
        "GET https://root:hun@ter2hunter2@pve:8006/api2",
        "https://hunter2@host/x?y=z@w",
        "Authorization: Bearer hunter2hunter2",
        "{'Authorization': 'Bearer hunter2hunter2'}",
        "{'authorization': b'Basic hunter2hunter2=='}",
        "sent Bearer hunter2hunter2hunter2 to it",
        "PVEAPIToken=root@pam!x=hunter2-hunter2-hunter2",
        "http://host/?access_token=hunter2&x=1",
        "password=hunter2",
    ],
)
def test_credentials_are_hidden_by_their_form(text: str) -> None:
    assert "ter2" not in redact(text)


def test_a_cloud_token_is_hidden_by_its_form() -> None:
    assert redact("used dop_v1_" + "0a" * 32) == f"used {REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "give a bearer token, or a user",
        "worst in 5 minutes: error@host",
        "https://host/path?mail=a@b",
        "sum by (key) (rate(x[5m]))",
        "token_id: farmtui@pve!console",
        "",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=200))
def test_redact_takes_any_text_and_is_stable(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_a_value_that_is_no_text_is_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_TOKEN", "odd-\udcff-bytes")
    value = Secret("env:FARM_TOKEN").reveal()
    assert redact(f"<{value}>") == f"<{REDACTED}>"


def test_very_short_values_do_not_redact_half_of_every_text() -> None:
    register("ab")
    assert redact("abc about") == "abc about"


def test_many_threads_may_reveal_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [f"thread-secret-{number}" for number in range(8)]
    errors: list[BaseException] = []

    def add(value: str) -> None:
        try:
            for suffix in range(10):
                register(f"{value}-{suffix}")
                redact(value)
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=add, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert redact(" ".join(f"{value}-9" for value in values)) == " ".join([REDACTED] * 8)


def test_what_is_derived_from_a_secret_is_registered_by_who_derives_it() -> None:
    encoded = base64.b64encode(b"user:hunter2").decode()
    register(encoded)
    assert encoded not in redact(f"sent {encoded}")
