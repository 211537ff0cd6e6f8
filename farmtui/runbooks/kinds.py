"""The kinds of entries that a run is made of, and what each one's body holds."""

from __future__ import annotations

from typing import Final

PLANNED: Final = "planned"
"""plan, hash, reason."""
CONFIRMED: Final = "confirmed"
"""hash, how (key, typed, break-glass), why: by who starts it."""
APPROVED: Final = "approved"
"""hash, until (RFC 3339): by a second person."""
REJECTED: Final = "rejected"
"""why."""
BEGUN: Final = "begun"
"""hash, values: resolved again by the runner, and the same; its targets are held from now on."""
ANNOUNCED: Final = "announced"
"""outcome (ok, failed), told: who was told that a run of risk 3 begins, in words."""
EFFECT: Final = "effect"
"""step, part, attempt, machine (where the runner is): written before the effect."""
OUTPUT: Final = "output"
"""step, part, attempt, stream (out, err, note), text, end (bytes of the stream until here)."""
EFFECT_UNKNOWN: Final = "effect-unknown"
"""step, part, attempt, why: whether it has happened is not known."""
EFFECT_ENDED: Final = "effect-ended"
"""step, part, attempt, outcome (ok, failed, cancelled, absent), code, why."""
MEASURED: Final = "measured"
"""step, values, held: conditions as they are now in words, and which of them hold, for who watches."""
STEP_ENDED: Final = "step-ended"
"""step, outcome (ok, failed, skipped, cancelled), why, values, held."""
ASKED: Final = "asked"
"""about (manual, unknown, failed, verify), step, part, text, choices."""
ANSWERED: Final = "answered"
"""question (the number of its entry), choice, note."""
PAUSED: Final = "paused"
"""why: no further step is begun."""
RESUMED: Final = "resumed"
CANCELLED: Final = "cancelled"
"""why, undo: what runs is stopped, and what was done is undone where `undo`."""
VERIFIED: Final = "verified"
"""outcome (ok, failed), values, held: the book's own end."""
TAKEN: Final = "taken"
"""from_epoch: a runner carries on what another has left."""
TROUBLE: Final = "trouble"
"""why: the runner met what it has no answer for, and has left the run to another."""
ENDED: Final = "ended"
"""outcome (ok, failed, cancelled, refused, expired, undone), why."""
SHELL: Final = "shell"
"""host, state (opened, closed), code, lasted_s: of no run; somebody was on a machine by the console's hand."""

DECISIVE: Final = (
    PLANNED, CONFIRMED, APPROVED, REJECTED, BEGUN, ANNOUNCED, EFFECT, EFFECT_UNKNOWN, EFFECT_ENDED, MEASURED,
    STEP_ENDED, ASKED, ANSWERED, PAUSED, RESUMED, CANCELLED, VERIFIED, TAKEN, TROUBLE, ENDED,
)  # fmt: skip
"""All but OUTPUT: what is to be done next follows from them."""
RECORDED: Final = (*DECISIVE, SHELL)
"""What was done and said: all but what commands have printed."""
