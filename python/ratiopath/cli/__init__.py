"""The ``ratiopath`` command.

`main` imports only the standard library, so that it can say what to install.
"""

from __future__ import annotations

import sys
from importlib import import_module

# Which extra brings a package that may be missing.
EXTRAS = {
    "matplotlib": "plots",
    "PIL": "demo",
    "rich": "cli",
    "skimage": "demo",
    "typer": "cli",
}


def main() -> None:
    """Run the command line, or say which extra to install if a package is missing."""
    try:
        import_module("ratiopath.cli.app").app()
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        sys.exit(f"{error.name} is not installed: run pip install 'ratiopath[{extra}]'")
