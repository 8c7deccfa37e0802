"""The ``ratiopath`` command.

`main` needs nothing but the standard library, so that it can say what to install.
"""

from __future__ import annotations

import sys
from importlib import import_module

EXTRAS = {
    "matplotlib": "plots",
    "PIL": "demo",
    "rich": "cli",
    "skimage": "demo",
    "typer": "cli",
}


def main() -> None:
    """Run the command line, or say what to install where its packages are missing."""
    try:
        import_module("ratiopath.cli.app").app()
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        sys.exit(f"{error.name} is not installed: run pip install 'ratiopath[{extra}]'")
