"""`python -m widgets [NAME|all|list] [THEME]`: look at a widget, at all small ones, or at the list of names."""

from __future__ import annotations

import sys

from widgets.gallery import GALLERY, Gallery


def main(arguments: list[str]) -> int:
    """Run the gallery; 2 for a name that it does not have."""
    name = arguments[0] if arguments else "all"
    if name == "list":
        print("\n".join(GALLERY))
        return 0
    if name != "all" and name not in GALLERY:
        print(f"no widget {name!r}; known: all, list, {', '.join(GALLERY)}", file=sys.stderr)
        return 2
    Gallery(name, arguments[1] if len(arguments) > 1 else "").run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
