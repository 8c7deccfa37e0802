"""``python -m ratiopath``: the ``ratiopath`` command."""

from __future__ import annotations

from ratiopath.cli import main

if __name__ == "__main__":
    main()
