"""The ``ratiopath`` command."""

from __future__ import annotations

import sys
from importlib import import_module

DEMO_MODULES = frozenset({"matplotlib", "PIL", "rich", "skimage", "typer"})


def main() -> None:
    """Run the command line, or say what to install where its packages are missing."""
    try:
        command = import_module("ratiopath.demo.command")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in DEMO_MODULES:
            raise
        sys.exit(f"{error.name} is not installed: run pip install 'ratiopath[demo]'")
    command.app()


if __name__ == "__main__":
    main()
