"""Real services, a module each; adding one is adding a module, and every part of the lab finds it by itself."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules

from tests.lab.service import Service


def kinds() -> dict[str, type[Service]]:
    """Every service of this package by its name, in order of their names."""
    found: dict[str, type[Service]] = {}
    for info in iter_modules(__path__):
        module = import_module(f"{__name__}.{info.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Service) and kind is not Service and kind.__module__ == module.__name__:
                found[kind.name] = kind
    return dict(sorted(found.items()))
