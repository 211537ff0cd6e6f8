"""`python -m farmtui` is `farmtui`."""

from __future__ import annotations

from farmtui.start import main

main()
