"""When a thing was last measured, as a field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import ago
from screens.describe import Field

if TYPE_CHECKING:
    from datetime import datetime

    from farmtui.farm.farm import Farm


def measured(farm: Farm, at: datetime | None) -> Field:
    """How long ago."""
    if at is None:
        return Field("measured", "never", Severity.UNKNOWN)
    return Field("measured", ago((farm.at - at).total_seconds()))
