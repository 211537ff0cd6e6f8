"""From a book, inputs and the farm to a plan; and again, to see that nothing has changed."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from farmtui.farm.farm import Farm
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.blast import blast
from farmtui.runbooks import planned
from farmtui.runbooks.addresses import address_problem
from farmtui.runbooks.bodies import Body, HttpBody
from farmtui.runbooks.book import Book, Condition, Step
from farmtui.runbooks.inputs import Given, InputError, take
from farmtui.runbooks.loading import Shelf
from farmtui.runbooks.measuring import Measure
from farmtui.runbooks.planned import Plan, PlannedStep, Requirement
from farmtui.runbooks.runner import Resolution
from farmtui.runbooks.template import Context, RenderError, Scalar, render, render_scalar
from farmtui.runbooks.wording import wanted
from farmtui.runbooks.written import seconds
from farmtui.secrets import is_reference, redact

_BLAST: Mapping[Severity, Literal["ok", "warning", "critical"]] = {
    Severity.CRITICAL: "critical", Severity.WARNING: "warning"
}  # fmt: skip
_COMPARISON = re.compile(r"(==|!=|<=|>=|<|>)\s*(.+)")


_IDENT: Mapping[str, re.Pattern[str]] = {
    "droplet": re.compile(r"[1-9][0-9]{0,17}"), "volume": re.compile(r"[A-Za-z0-9-]{1,64}")
}  # fmt: skip


Look = Callable[[bool], Awaitable[Farm]]
"""Gives the farm as it is now; when asked to look anew, no picture of a moment ago."""

LOOKS: Final = 3
"""How often the farm is looked at before a source that does not answer whole stands in a run's way."""


class PlanError(ValueError):
    """A plan that cannot be made; the text says what is missing or wrong, a line each."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes plans of the shelf's books."""

    shelf: Shelf
    measure: Measure
    user: str

    async def plan(self, name: str, texts: Mapping[str, str], farm: Farm) -> Plan:
        """The plan of a run. Raises PlanError."""
        shelved = self.shelf.books.get(name)
        if shelved is None:
            broken = next((one for one in self.shelf.broken if one.name == name), None)
            raise PlanError(broken.why if broken else f"there is no runbook {name!r}; see: farmtui runbooks list")
        book = shelved.book
        try:
            given = take(book.inputs, texts, farm)
            made = _Rendering(book, given, {**given.values, "farm": farm.name, "user": self.user})
            return await self._measured(made.plan(name, farm))
        except (InputError, RenderError) as error:
            raise PlanError(str(error)) from None

    async def resolve(self, plan: Plan, farm: Farm) -> Resolution:
        """A plan made again: whether it is the same, and what is required holds."""
        try:
            again = await self.plan(plan.book, plan.inputs, farm)
        except PlanError as error:
            return Resolution((f"it cannot be planned any more: {error}",))
        if again.hash != plan.hash:
            return Resolution((f"it is not the plan that was shown any more: {difference(plan, again)}",))
        values = tuple(one.value for one in again.requires)
        return Resolution(tuple(f"required: {one.value}" for one in again.requires if not one.holds), values)

    async def resolve_seen(self, plan: Plan, look: Look) -> Resolution:
        """A plan made again on the farm as it is now.

        A source that has not answered whole leaves out what hangs on the targets, and is itself not live: what stands
        in the way is believed only of a farm that was seen whole, or still is not after `LOOKS` looks.
        """
        for anew in range(LOOKS):
            farm = await look(anew > 0)
            resolution = await self.resolve(plan, farm)
            unseen = [
                f"{one.name}: {one.failure.what if one.failure else one.freshness.value}"
                for one in farm.sources
                if one.failure is not None or one.freshness in (Freshness.AGEING, Freshness.STALE)
            ]
            if not resolution.problems or not unseen:
                return resolution
        return Resolution((*resolution.problems, f"after {LOOKS} looks the farm is not seen whole: {_short(unseen)}"))

    async def _measured(self, plan: Plan) -> Plan:
        found = await asyncio.gather(*(self.measure(one.condition) for one in plan.requires))
        requires = tuple(
            Requirement(condition=one.condition, value=was.text, holds=was.holds)
            for one, was in zip(plan.requires, found, strict=True)
        )
        return plan.model_copy(update={"requires": requires})


def difference(before: Plan, now: Plan) -> str:
    """Where two plans differ first, in words."""
    for what, get in _PARTS:
        was, is_ = get(before), get(now)
        if was != is_:
            if isinstance(was, str):
                return f"{what}: {was} before, {is_} now"
            gone, come = ([one for one in these if one not in those] for these, those in ((was, is_), (is_, was)))
            return f"{what}: {_short(gone)} before, {_short(come)} now"
    return "in its details"


_PARTS: Sequence[tuple[str, Callable[[Plan], str | Sequence[str]]]] = (
    ("the book", lambda plan: plan.digest[:12]),
    ("targets", lambda plan: plan.targets),
    ("what hangs on them", lambda plan: [f"{one.what} {one.text}" for one in plan.blast]),
    ("steps", lambda plan: [step.text for step in plan.steps]),
)


def _short(texts: Sequence[str]) -> str:
    text = "; ".join(texts) or "nothing of it"
    return text if len(text) <= 200 else f"{text[:199]}…"


class _Rendering:
    """One book with its inputs."""

    def __init__(self, book: Book, given: Given, values: Mapping[str, Any]) -> None:
        self._book = book
        self._given = given
        self._values = values

    def plan(self, name: str, farm: Farm) -> Plan:
        """Everything but what is measured."""
        book, given = self._book, self._given
        targets = given.targets or (f"book:{name}",)
        return Plan(
            book=name, title=book.title, digest=book.digest, risk=book.risk, inputs=dict(given.texts),
            targets=targets, confirm=targets[0].partition(":")[2],
            requires=tuple(Requirement(condition=self._condition(one)) for one in book.require),
            steps=tuple(self._step(step) for step in book.steps),
            verify=tuple(self._condition(one) for one in book.verify),
            blast=tuple(
                planned.Dependent(what=one.what, text=one.text, severity=_BLAST.get(one.severity, "ok"))
                for one in blast(farm, targets)
            ),
        )  # fmt: skip

    def _text(self, text: str, context: Context) -> str:
        try:
            return render(text, context, self._values)
        except RenderError as error:
            raise RenderError(f"{text!r}: {error}") from None

    def _step(self, step: Step) -> PlannedStep:
        call = self._call(step)
        undo = self._call(step.undo) if step.undo is not None else None
        return PlannedStep(
            id=step.id, name=step.name, call=call, text=call_text(call),
            expect=tuple(self._condition(one) for one in step.expect),
            abort_if=tuple(self._condition(one) for one in step.abort_if),
            verify=tuple(self._condition(one) for one in step.verify),
            undo=undo, undo_text=call_text(undo) if undo is not None else "",
            timeout_s=step.timeout, idempotent=step.idempotent,
        )  # fmt: skip

    def _call(self, body: Body) -> planned.Call:
        if body.ssh is not None:
            ssh = body.ssh
            if ssh.hosts is not None:
                hosts = tuple(str(node["ssh"]) for node in self._values[ssh.hosts])
            else:
                hosts = (self._text(ssh.host or "", Context.ARGUMENT),)
            return planned.SshCall(
                hosts=hosts, argv=tuple(self._text(word, Context.ARGUMENT) for word in ssh.argv or ()),
                shell=self._text(ssh.shell or "", Context.SHELL), sudo=ssh.sudo, long=ssh.long, parallel=ssh.parallel,
                canary=ssh.canary, stop_at=float(ssh.stop_at.rstrip("%")) / 100.0,
            )  # fmt: skip
        if body.local is not None:
            return planned.LocalCall(argv=tuple(self._text(word, Context.ARGUMENT) for word in body.local.argv))
        if body.pve is not None:
            pve = body.pve
            return planned.PveCall(
                cluster=self._text(pve.cluster, Context.TEXT), method=pve.method,
                path=self._text(pve.path, Context.URL),
                data={key: self._data(value) for key, value in pve.data.items()},
            )  # fmt: skip
        if body.do is not None:
            do = body.do
            what: Literal["droplet", "volume"] = "droplet" if do.droplet is not None else "volume"
            return planned.DoCall(
                what=what, ident=self._ident(what, do.droplet or do.volume or ""), action=do.action,
                data={key: self._scalar(value) for key, value in do.data.items()},
            )  # fmt: skip
        if body.http is not None:
            return self._http(body.http)
        if body.silence is not None:
            silence = body.silence
            return planned.SilenceCall(
                matchers=tuple(self._text(one, Context.MATCHER) for one in silence.matchers),
                duration_s=self._seconds(silence.duration), comment=self._text(silence.comment, Context.TEXT),
            )  # fmt: skip
        if body.wait is not None:
            wait = body.wait
            until = None
            if wait.promql is not None:
                until = self._measured(wait.promql, wait.is_ or "", wait.within or 0.0, wait.every, "")
            return planned.WaitCall(for_s=wait.for_ or 0.0, until=until)
        return planned.ManualCall(text=self._text(body.manual or "", Context.TEXT))

    def _http(self, http: HttpBody) -> planned.HttpCall:
        url = http.url
        if not is_reference(url):
            url = self._text(url, Context.URL)
            if problem := address_problem(url, insecure=http.insecure):
                raise RenderError(f"{http.url!r} becomes {url!r}: the url {problem}")
            _no_secret(url)
        return planned.HttpCall(
            url=url, method=http.method, auth=http.auth, headers=self._document(http.headers),
            data=self._document(http.data), document=self._document(http.json_),
            status=_codes(http.status) if http.status is not None else (), ca_file=http.ca_file or "",
            insecure=http.insecure,
        )  # fmt: skip

    def _document(self, value: Any) -> Any:
        """A document with its texts rendered; references to secrets stay what they are."""
        if isinstance(value, dict):
            return {key: self._document(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._document(inner) for inner in value]
        if not isinstance(value, str) or is_reference(value):
            return value
        rendered = self._scalar(value)
        if isinstance(rendered, str):
            if is_reference(rendered):
                raise RenderError(f"{value!r}: a value must not make a reference to a secret of it")
            _no_secret(rendered)
        return rendered

    def _ident(self, what: str, text: str) -> str:
        ident = self._text(text, Context.TEXT)
        if not _IDENT[what].fullmatch(ident):
            wanted = "a droplet's number, such as {{ droplet.id }}" if what == "droplet" else "a volume's id"
            raise RenderError(f"{text!r} becomes {ident!r}: it must be {wanted}")
        return ident

    def _scalar(self, value: Scalar) -> Scalar:
        try:
            return render_scalar(value, self._values) if isinstance(value, str) else value
        except RenderError as error:
            raise RenderError(f"{value!r}: {error}") from None

    def _seconds(self, text: str) -> float:
        try:
            return seconds(self._text(text, Context.TEXT))
        except ValueError as error:
            raise RenderError(f"{text!r}: {error}") from None

    def _data(self, value: str | float | bool) -> str | float | bool:
        return self._text(value, Context.TEXT) if isinstance(value, str) else value

    def _measured(self, promql: str, is_: str, within_s: float, every_s: float, name: str) -> planned.Measured:
        found = _COMPARISON.fullmatch(is_)
        return planned.Measured.model_validate({
            "query": self._text(promql, Context.PROMQL), "op": found[1] if found else is_,
            "number": float(found[2]) if found else 0.0, "within_s": within_s, "every_s": every_s, "name": name,
        })  # fmt: skip

    def _condition(self, condition: Condition) -> planned.Condition:
        name = self._text(condition.name, Context.TEXT)
        match condition.kind:
            case "exit":
                return planned.ExitIs(codes=_codes(condition.exit), name=name)
            case "stdout":
                return planned.StdoutMatches(regex=condition.stdout or "", name=name)
            case "lacks":
                return planned.StdoutMatches(regex=condition.lacks or "", lacks=True, name=name)
            case "fresh":
                return planned.SourcesFresh(sources=tuple(condition.fresh or ()), name=name)
            case "quorum":
                assert condition.quorum is not None
                kinds = ("node", "guest", "droplet") if condition.quorum == "any" else ("node",)
                targets = (target.partition(":") for target in self._given.targets)
                going = tuple(dict.fromkeys(name for kind, _, name in targets if kind in kinds))
                return planned.QuorumHolds(of=condition.quorum, without=going, name=name)
        assert condition.promql is not None
        assert condition.is_ is not None
        return self._measured(condition.promql, condition.is_, condition.within or 0.0, condition.every, name)


def _no_secret(text: str) -> None:
    """What looks like a secret would not be written down as it is, and so could not be sent as it was shown."""
    if redact(text) != text:
        raise RenderError(f"{redact(text)!r} holds what looks like a secret: give it whole, by reference (env:, file:)")


def _codes(codes: int | list[int] | None) -> tuple[int, ...]:
    return tuple(codes) if isinstance(codes, list) else (codes or 0,)


def call_text(call: planned.Call) -> str:
    """What a call does, as a person reads it, and as the journal keeps it: without what looks like a secret."""
    return redact(_call_text(call))


def _call_text(call: planned.Call) -> str:
    match call:
        case planned.SshCall():
            what = call.shell or shlex.join(call.argv)
            hosts = call.hosts[0] if len(call.hosts) == 1 else f"{len(call.hosts)} hosts ({', '.join(call.hosts)})"
            return f"ssh {hosts}: {'sudo ' if call.sudo else ''}{what}"
        case planned.LocalCall():
            return f"here: {shlex.join(call.argv)}"
        case planned.PveCall():
            return f"pve {call.cluster}: {call.method} {call.path}{_told(call.data)}"
        case planned.DoCall():
            return f"digitalocean: {call.action} of {call.what} {call.ident}{_told(call.data)}"
        case planned.HttpCall():
            return f"http: {call.method} {call.url}{_told(_sent(call))}"
        case planned.SilenceCall():
            return f"silence {', '.join(call.matchers)} for {call.duration_s:g} s: {call.comment}"
        case planned.WaitCall(until=None):
            return f"wait {call.for_s:g} s"
        case planned.WaitCall():
            assert call.until is not None
            return f"wait until {wanted(call.until)}"
        case planned.ManualCall():
            return f"by hand: {call.text}"


def _told(data: Mapping[str, Any]) -> str:
    return "".join(f" {key}={value}" for key, value in data.items())


def _sent(call: planned.HttpCall) -> Mapping[str, Any]:
    """What a request carries, by what it is called in a book."""
    login = call.auth.bearer or call.auth.password
    parts = {
        "auth": f"{call.auth.username}, {login}" if call.auth.username else login, "headers": call.headers,
        "data": call.data, "json": call.document,
    }  # fmt: skip
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in parts.items()
        if value not in (None, {})
    }
