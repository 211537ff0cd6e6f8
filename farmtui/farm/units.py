"""Numbers as people read them. None is "–" (not measured), NaN is "n/a" (measured, and there is no such number)."""

from __future__ import annotations

import math
from decimal import Decimal

NOT_MEASURED = "–"
NOT_A_NUMBER = "n/a"

_IEC = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_COUNT = ("", "k", "M", "G", "T", "P", "E")


def count(value: float | None) -> str:
    """A count or a rate without its unit: `7`, `0.42`, `1.2k`, `31M`."""
    return _absent(value) or _scaled(_known(value), _COUNT, 1000.0, "")


def data_size(value: float | None) -> str:
    """Bytes in powers of 1024, as memory and Ceph are counted: `512 B`, `1.5 GiB`."""
    return _absent(value) or _scaled(_known(value), _IEC, 1024.0, " ")


def data_size_decimal(value: float | None) -> str:
    """Bytes in powers of 1000, as disks and traffic are sold: `80 GB`."""
    return _absent(value) or _scaled(_known(value), _DECIMAL, 1000.0, " ")


def data_rate(bytes_per_s: float | None) -> str:
    """Bytes per second in powers of 1000: `12 MB/s`."""
    return _absent(bytes_per_s) or f"{data_size_decimal(bytes_per_s)}/s"


def rate(per_s: float | None) -> str:
    """Events per second: `1.2k/s`."""
    return _absent(per_s) or f"{count(per_s)}/s"


def percent(ratio: float | None, digits: int | None = None) -> str:
    """A ratio of 0-1 as a percentage.

    Without `digits` as many decimals are shown as matter: one below 10 % and from 99 % on (99.9 % and 99 % are not
    the same thing), none between; a ratio that is not 0 never reads `0 %`, one below 1 never reads `100 %`.
    """
    if absent := _absent(ratio):
        return absent
    points = _known(ratio) * 100
    if math.isinf(points):
        return f"{_infinite(points)} %"
    if digits is not None:
        return f"{_plain_zero(points, digits)} %"
    size = abs(points)
    if size == 0 or size == 100:
        return f"{points:.0f} %"
    if size >= 9999.5:
        return f"{count(points)} %"
    if size < 0.05:
        return "<0.1 %" if points > 0 else ">-0.1 %"
    if 99.95 <= size < 100:
        return ">99.9 %" if points > 0 else "<-99.9 %"
    if size < 9.95 or 99 <= size < 100:
        return f"{points:.1f} %"
    return f"{points:.0f} %"


def duration(seconds: float | None) -> str:
    """A length of time with its two largest units: `35 s`, `4m 10s`, `4d 3h`; below ten seconds with a decimal."""
    if absent := _absent(seconds):
        return absent
    value = _known(seconds)
    if math.isinf(value):
        return _infinite(value)
    sign, value = ("-" if value < 0 else ""), abs(value)
    if value < 0.9995:
        if value == 0:
            return "0 s"
        milliseconds = value * 1000
        return f"{sign}<1 ms" if round(milliseconds) < 1 else f"{sign}{milliseconds:.0f} ms"
    if value < 9.95:
        return f"{sign}{_plain_zero(value, 1)} s"
    whole = round(value)
    if whole < 60:
        return f"{sign}{whole} s"
    for (size, name), (part, part_name) in _DURATIONS:
        if whole >= size:
            rest = whole % size // part
            return f"{sign}{whole // size}{name} {rest}{part_name}" if rest else f"{sign}{whole // size}{name}"
    return f"{sign}{whole} s"


_DAY = 86400
_DURATIONS = (
    ((365 * _DAY, "y"), (_DAY, "d")),
    ((_DAY, "d"), (3600, "h")),
    ((3600, "h"), (60, "m")),
    ((60, "m"), (1, "s")),
)


def round_trip(seconds: float | None) -> str:
    """How long something takes to come back: as `duration`, and with a decimal below ten milliseconds: `1.2 ms`."""
    if seconds is None or not 0 < seconds < 0.00995:
        return duration(seconds)
    return "< 0.1 ms" if seconds < 0.00005 else f"{seconds * 1000:.1f} ms"


def age(seconds: float | None) -> str:
    """How long ago, coarse so that past a minute it changes rarely: `now`, `35 s`, `4 min`, `3 h`, `12 d`."""
    if absent := _absent(seconds):
        return absent
    value = _known(seconds)
    if math.isinf(value):
        return _infinite(value)
    if value < 1:
        return "now"  # clocks differ: a value from the near future is as good as present
    whole = int(value)
    for size, name in ((365 * _DAY, "y"), (_DAY, "d"), (3600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {name}"
    return f"{whole} s"


def ago(seconds: float | None) -> str:
    """When something was: `35 s ago`, and `now` where that is no time at all."""
    words = age(seconds)
    return words if seconds is None or words in ("now", NOT_A_NUMBER) else f"{words} ago"


def money(amount: Decimal | None, currency: str = "$", digits: int = 2) -> str:
    """An amount of money: `$1,234.50`, `-$3.00`. Raises TypeError for a float: money is Decimal throughout."""
    if amount is None:
        return NOT_MEASURED
    if not isinstance(amount, Decimal):
        raise TypeError(f"money is Decimal, not {type(amount).__name__}")
    if amount.is_nan():
        return NOT_A_NUMBER
    if amount.is_infinite():
        return f"{'-' if amount < 0 else ''}{currency}∞"
    rounded = round(amount, digits)
    return f"{'-' if rounded < 0 else ''}{currency}{abs(rounded):,.{digits}f}"


def number(value: float | None, digits: int = 1) -> str:
    """A plain number with thousands separators and a fixed number of decimals."""
    if absent := _absent(value):
        return absent
    known = _known(value)
    return _infinite(known) if math.isinf(known) else _plain_zero(known, digits, grouped=True)


def plural(number: int, one: str, many: str = "") -> str:
    """`1 line`, `2 lines`, `1,000 lines`; `many` where it is not made by an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def in_unit(value: float | None, unit: str) -> str:
    """A figure in the query catalogue's unit: ratio, per_s, bytes, bytes_per_s, s; anything else reads as a count."""
    match unit:
        case "ratio":
            return percent(value)
        case "per_s":
            return rate(value)
        case "bytes":
            return data_size(value)
        case "bytes_per_s":
            return data_rate(value)
        case "s":
            return duration(value)
        case _:
            return count(value)


def _absent(value: float | None) -> str:
    """The word for a value that is not there, or an empty text."""
    if value is None:
        return NOT_MEASURED
    return NOT_A_NUMBER if math.isnan(value) else ""


def _known(value: float | None) -> float:
    assert value is not None
    return float(value)


def _infinite(value: float) -> str:
    return "∞" if value > 0 else "-∞"


def _plain_zero(value: float, digits: int, *, grouped: bool = False) -> str:
    """Fixed decimals without a minus before a zero."""
    text = f"{value:,.{digits}f}" if grouped else f"{value:.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def _scaled(value: float, units: tuple[str, ...], base: float, gap: str) -> str:
    """About three significant figures and the largest unit that leaves at least 1 before it."""
    if math.isinf(value):
        return f"{_infinite(value)}{gap}{units[0]}".rstrip()
    sign, size = ("-" if value < 0 else ""), abs(value)
    step = 0
    # 999.6 would round to 1000: it belongs to the next unit already.
    while step < len(units) - 1 and size >= base - 0.5:
        size /= base
        step += 1
    if size == 0:
        text = "0"
    elif step == 0 and size < 0.005:
        text = "<0.01"
    elif size < 9.95 and not (step == 0 and size == int(size)):
        text = f"{size:.2f}" if step == 0 and size < 0.995 else f"{size:.1f}"
    elif size >= 1e6:
        text = f"{size:.1e}"
    else:
        text = f"{size:.0f}"
    return f"{sign}{text}{gap}{units[step]}".rstrip()
