"""DigitalOcean's answers in the farm's terms, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from farmtui.farm.cost import CloudBill, ReservedIp, Snapshot
from farmtui.farm.looks import DropletAction
from farmtui.farm.node import CloudAccount, Droplet, LoadBalancer, Volume
from farmtui.sources.alertmanager_decode import moment
from farmtui.sources.errors import bad_answer
from farmtui.sources.json_values import elements, mapping, text

T = TypeVar("T")
MEBI, GIBI = 2.0**20, 2.0**30


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the account as it was answered, or why it was not."""

    value: Any = None
    problem: str = ""


def decode_account(
    droplets: Any,
    volumes: Any,
    load_balancers: Any,
    balance: Any,
    *,
    limit: int | None,
    remaining: int | None,
    problems: list[str],
) -> CloudAccount:
    """The account; items that cannot be read are counted in its problems, and the others go on.

    Raises SourceError where there are droplets and none of them can be read.
    """
    told = list(problems)
    # What was made while the pages were read has moved others to the next one: they are listed twice.
    found = {item.id: item for item in _each(droplets, "droplets", _droplet, told)}
    if droplets and not found:
        # No empty account, but one that we do not understand.
        raise bad_answer("none of the droplets could be read")
    return CloudAccount(
        droplets=tuple(found.values()),
        volumes=tuple({item.id: item for item in _each(volumes, "volumes", _volume, told)}.values()),
        load_balancers=tuple(
            {item.id: item for item in _each(load_balancers, "load balancers", _balancer, told)}.values()
        ),
        month_to_date_usd=_money(balance.get("month_to_date_usage")) if isinstance(balance, Mapping) else None,
        rate_limit=limit,
        rate_remaining=remaining,
        problems=tuple(told),
    )


def _each(items: Any, what: str, one: Callable[[Mapping[str, Any]], T], problems: list[str]) -> Iterable[T]:
    listed = items if isinstance(items, list) else []
    unread = 0
    for item in listed:
        try:
            yield one(item)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            unread += 1
    if unread:
        problems.append(f"{unread} of {len(listed)} {what} could not be read")


def _droplet(item: Mapping[str, Any]) -> Droplet:
    size, region = mapping(item.get("size")), mapping(item.get("region"))
    networks = mapping(item.get("networks"))
    entries = [e for kind in ("v4", "v6") for e in elements(networks.get(kind)) if isinstance(e, Mapping)]
    # The private address first: it is the one that the farm's machines know each other by.
    entries.sort(key=lambda entry: entry.get("type") != "private")
    return Droplet(
        id=int(item["id"]),
        name=text(item.get("name")) or str(item["id"]),
        status=text(item.get("status")) or "unknown",
        region=text(region.get("slug")),
        size=text(item.get("size_slug")) or text(size.get("slug")),
        price_monthly=_money(size.get("price_monthly")),
        vcpus=_count(item.get("vcpus")),
        memory_bytes=_count(item.get("memory")) * MEBI,
        disk_bytes=_count(item.get("disk")) * GIBI,
        addresses=tuple(address for e in entries if (address := text(e.get("ip_address")))),
        tags=tuple(text(tag) for tag in elements(item.get("tags"))),
        locked=bool(item.get("locked")),
        created_at=_time(item.get("created_at")),
        backups="backups" in [text(feature) for feature in elements(item.get("features"))],
    )


def _volume(item: Mapping[str, Any]) -> Volume:
    return Volume(
        id=text(item["id"]),
        name=text(item.get("name")),
        region=text(mapping(item.get("region")).get("slug")),
        size_bytes=_count(item.get("size_gigabytes")) * GIBI,
        droplet_ids=tuple(int(ident) for ident in elements(item.get("droplet_ids"))),
    )


def _balancer(item: Mapping[str, Any]) -> LoadBalancer:
    return LoadBalancer(
        id=text(item["id"]),
        name=text(item.get("name")),
        status=text(item.get("status")) or "unknown",
        address=text(item.get("ip")),
        region=text(mapping(item.get("region")).get("slug")),
        droplet_ids=tuple(int(ident) for ident in elements(item.get("droplet_ids"))),
        nodes=max(1, _count(item.get("size_unit"))),
        tag=text(item.get("tag")),
        rules=tuple(_rule(mapping(rule)) for rule in elements(item.get("forwarding_rules"))),
        check=_check(mapping(item.get("health_check"))),
    )


def _rule(rule: Mapping[str, Any]) -> str:
    """`https 443 to http 80`."""
    entry = f"{text(rule.get('entry_protocol'))} {_count(rule.get('entry_port'))}"
    return f"{entry} to {text(rule.get('target_protocol'))} {_count(rule.get('target_port'))}"


def _check(check: Mapping[str, Any]) -> str:
    """`http 80 /ping each 10 s`; empty where none is told."""
    if not check:
        return ""
    every = _count(check.get("check_interval_seconds"))
    words = (text(check.get("protocol")), str(_count(check.get("port"))), text(check.get("path")))
    return " ".join(filter(None, (*words, f"each {every} s" if every else "")))


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _money(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _time(value: Any) -> datetime | None:
    try:
        return moment(value)
    except ValueError:
        return None


def decode_actions(actions: Iterable[Mapping[str, Any]]) -> tuple[DropletAction, ...]:
    """A droplet's actions, in the order in which they came."""
    return tuple(
        DropletAction(
            text(action.get("type")), text(action.get("status")),
            _time(action.get("started_at")), _time(action.get("completed_at")),
        )
        for action in actions
    )  # fmt: skip


def decode_bill(balance: Any, reserved_ips: Any, snapshots: Any, problems: list[str]) -> CloudBill:
    """The bill; a part that is None was not answered. Items that cannot be read are counted in its problems."""
    told = list(problems)
    figures = mapping(balance)
    addresses = _each(reserved_ips, "reserved addresses", _reserved_ip, told)
    taken = _each(snapshots, "snapshots", _snapshot, told)
    # Once each: what is made while pages are read moves others to the next one.
    found_ips = tuple({ip.address: ip for ip in addresses}.values())
    found_snapshots = tuple({snapshot.id: snapshot for snapshot in taken}.values())
    return CloudBill(
        month_to_date_usd=_money(figures.get("month_to_date_usage")),
        account_balance_usd=_money(figures.get("account_balance")),
        generated_at=_time(figures.get("generated_at")),
        reserved_ips=None if reserved_ips is None else found_ips,
        snapshots=None if snapshots is None else found_snapshots,
        problems=tuple(dict.fromkeys(told)),
    )


def _reserved_ip(item: Mapping[str, Any]) -> ReservedIp:
    droplet = mapping(item.get("droplet")).get("id")
    return ReservedIp(
        address=text(item["ip"]),
        region=text(mapping(item.get("region")).get("slug")),
        droplet_id=droplet if isinstance(droplet, int) else None,
    )


def _snapshot(item: Mapping[str, Any]) -> Snapshot:
    return Snapshot(
        id=text(item["id"]) or str(int(item["id"])),
        name=text(item.get("name")),
        kind=text(item.get("resource_type")),
        resource_id=str(item.get("resource_id") or "") if isinstance(item.get("resource_id"), int | str) else "",
        size_gb=_money(item.get("size_gigabytes")) or Decimal(0),
        created_at=_time(item.get("created_at")),
    )
