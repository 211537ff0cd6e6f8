"""A console that has just begun: what nobody has had the time to tell is not told as missing."""

from __future__ import annotations

from dataclasses import replace

from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier, TierSummary
from farmtui.farm.reading import Failure, FailureKind, SourceState
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.machines import machine_faults
from tests.screens.whole import whole_farm

ALERTS = SourceState("alertmanager", "alertmanager", "http://127.0.0.1:9093", 5.0, Freshness.LIVE, polls=1)
METRICS = SourceState("prometheus", "prometheus", "http://127.0.0.1:9090", 5.0, Freshness.NEVER)
UNSEEN = TierSummary(Tier.CACHE, expected=3, seen=0, healthy=0, state=Severity.UNKNOWN)


def farm(*sources: SourceState) -> Farm:
    return replace(whole_farm(), nodes=(), tiers=(UNSEEN,), sources=sources)


def test_before_the_first_answer_of_all_nothing_is_said() -> None:
    silent = replace(ALERTS, polls=0, freshness=Freshness.NEVER)
    assert list(machine_faults(farm(silent, METRICS))) == []


def test_who_has_not_answered_yet_is_named_and_no_tier_is_missing() -> None:
    [one] = machine_faults(farm(ALERTS, METRICS))
    assert (one.key, one.severity, one.title) == ("starting", Severity.UNKNOWN, "no answer yet: prometheus")
    assert one.evidence == ("3 machines that the config expects not seen yet",)


def test_who_has_been_asked_in_vain_is_waited_for_no_more() -> None:
    failed = replace(METRICS, failure=Failure(FailureKind.TIMEOUT, "no answer within 10 s", "look there"))
    for asked in (failed, replace(failed, polls=1)):
        [one] = machine_faults(farm(ALERTS, asked))
        assert one.title == "Cache: 3 of 3 not seen"
