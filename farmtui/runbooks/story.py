"""A run's entries as lines for people: what `attach` prints, and the journal's pages."""

from __future__ import annotations

from collections.abc import Iterator

from farmtui.farm.text import clean_text
from farmtui.journal.entry import Entry
from farmtui.runbooks import kinds
from farmtui.runbooks.planned import Plan
from farmtui.runbooks.state import safe


def plan_lines(plan: Plan) -> Iterator[str]:
    """A plan, whole: what is done to what, what hangs on it, what must hold, and its hash."""
    yield f"{plan.title}  (risk {plan.risk})"
    if plan.inputs:
        yield f"  inputs    {', '.join(f'{name}={value}' for name, value in plan.inputs.items())}"
    yield f"  targets   {', '.join(plan.targets)}"
    for dependent in plan.blast:
        yield f"  hangs on  {dependent.what}: {dependent.text}"
    for one in plan.requires:
        yield f"  {'holds' if one.holds else 'MISSING':<9} {one.value}"
    for number, step in enumerate(plan.steps, 1):
        yield f"  {number:>2}. {step.name}"
        yield f"      {step.text}"
        if step.undo_text:
            yield f"      undo: {step.undo_text}"
    yield f"  hash      {plan.hash}"


def story(entry: Entry) -> Iterator[str]:
    """One entry as lines: when, who where it matters, what."""
    for line in lines_of(entry):
        yield f"{entry.at:%H:%M:%S}  {line}"


def lines_of(entry: Entry) -> Iterator[str]:
    """What an entry says, without its time."""
    body, who = safe(entry.body), safe(entry.author.user)
    place = f" on {body['part']}" if body.get("part") else ""
    match entry.kind:
        case kinds.PLANNED:
            plan = Plan.model_validate(body["plan"])
            why = body.get("reason") or "not said"
            yield f"planned by {who}: {plan.title} ({', '.join(plan.targets)}), because: {why}"
        case kinds.CONFIRMED:
            glass = f"; GLASS BROKEN, without a second person: {body['why']}" if body["how"] == "break-glass" else ""
            yield f"confirmed by {who}{glass}"
        case kinds.APPROVED:
            yield f"approved by {who}, until {body['until'][11:16]} UTC"
        case kinds.REJECTED:
            yield f"rejected by {who}: {body['why']}"
        case kinds.BEGUN:
            yield f"begun by the runner on {entry.author.origin}"
        case kinds.ANNOUNCED:
            yield f"{'announced' if body['outcome'] == 'ok' else 'NOT ANNOUNCED'}: {'; '.join(body['told'])}"
        case kinds.EFFECT:
            yield f"[{body['step']}] begins{place}" + (f", attempt {body['attempt']}" if body["attempt"] > 1 else "")
        case kinds.OUTPUT:
            mark = "!" if body["stream"] == "err" else "|"
            for line in body["text"].strip("\n").splitlines():
                yield f"[{body['step']}{place}] {mark} {clean_text(line)}"
        case kinds.EFFECT_UNKNOWN:
            yield f"[{body['step']}] outcome unknown{place}: {body['why']}"
        case kinds.EFFECT_ENDED:
            yield f"[{body['step']}] {body['outcome']}{place}: {body['why']}"
        case kinds.MEASURED:
            yield f"[{body['step'] or 'end'}] waits: {'; '.join(body['values'])}"
        case kinds.STEP_ENDED:
            told = "; ".join(filter(None, [body.get("why", ""), *body.get("values", ())]))
            yield f"[{body['step']}] {body['outcome'].upper()}{f': {told}' if told else ''}"
        case kinds.ASKED:
            yield f"QUESTION: {body['text']}"
            yield f"          answer with one of: {', '.join(body['choices'])}"
        case kinds.ANSWERED:
            yield f"{who} answers: {body['choice']}" + (f" ({body['note']})" if body.get("note") else "")
        case kinds.PAUSED:
            yield f"paused by {who}" + (f": {body['why']}" if body.get("why") else "")
        case kinds.RESUMED:
            yield f"resumed by {who}"
        case kinds.CANCELLED:
            yield f"cancelled by {who}: {body['why']}" + ("; what was done is undone" if body.get("undo") else "")
        case kinds.VERIFIED:
            yield f"the end is {'reached' if body['outcome'] == 'ok' else 'NOT reached'}: {'; '.join(body['values'])}"
        case kinds.TAKEN:
            yield f"taken on by the runner on {entry.author.origin}"
        case kinds.SHELL:
            if body["state"] == "opened":
                yield f"{who} opens a shell on {body['host']}"
            else:
                yield f"the shell on {body['host']} ended with {body['code']} after {body['lasted_s']:.0f} s"
        case kinds.TROUBLE:
            yield f"TROUBLE: {body['why']}"
        case kinds.ENDED:
            yield f"ENDED: {body['outcome']}" + (f": {body['why']}" if body.get("why") else "")
        case _:
            yield entry.kind
