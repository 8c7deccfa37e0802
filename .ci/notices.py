"""Writes THIRD-PARTY-NOTICES.txt: the licences of the crates that are compiled into a wheel.

``--check`` compares it with the crates of Cargo.lock instead. Needs nothing but cargo, and no
``pip install`` needs it: the file is committed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTICES = ROOT / "THIRD-PARTY-NOTICES.txt"
MODULE = "ratiopath-bindings"

# For the standard library, of which cargo says nothing, and for crates that leave the text out.
MIT = (ROOT / "LICENSE").read_text(encoding="utf-8").partition("Permission is")
HEAD = f"""\
The compiled module of ratiopath holds code of the crates below, and of the Rust standard library.
A crate that is offered under several licences is used under the one that is printed.

{"=" * 80}
The Rust standard library (MIT OR Apache-2.0), https://www.rust-lang.org

Copyright (c) The Rust Project contributors; COPYRIGHT-library.html of each Rust release names them,
and the crates that the library holds.

{MIT[1]}{MIT[2]}"""


def main() -> None:
    """Write the file, or compare it."""
    found = "\n".join([HEAD, *map(notice, compiled(metadata()))])
    if "--check" not in sys.argv:
        NOTICES.write_text(found, encoding="utf-8")
    elif NOTICES.read_text(encoding="utf-8") != found:
        sys.exit(f"{NOTICES.name} is not of Cargo.lock's crates: run python .ci/notices.py")


def metadata() -> dict[str, Any]:
    """Return what cargo knows of all crates, for any system."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    result: dict[str, Any] = json.loads(subprocess.check_output(command, cwd=ROOT))
    return result


def compiled(known: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the crates whose code ends in the module, sorted by name.

    What only builds, tests or writes code, as macros do, is not among them.
    """
    packages = {one["id"]: one for one in known["packages"]}
    nodes = {one["id"]: one for one in known["resolve"]["nodes"]}
    (start,) = (one["id"] for one in known["packages"] if one["name"] == MODULE)
    seen, todo = {start}, [start]
    while todo:
        for dependency in nodes[todo.pop()]["deps"]:
            other = dependency["pkg"]
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            macro = any("proc-macro" in target["kind"] for target in packages[other]["targets"])
            if normal and not macro and other not in seen:
                seen.add(other)
                todo.append(other)
    crates = (packages[one] for one in seen if packages[one]["source"])
    return sorted(crates, key=lambda one: (one["name"], one["version"]))


def notice(crate: dict[str, Any]) -> str:
    """Return a crate's name, version and licence."""
    source = crate["repository"] or f"https://crates.io/crates/{crate['name']}"
    return "\n".join(
        [
            "=" * 80,
            f"{crate['name']} {crate['version']} ({crate['license']}), {source}",
            "",
            licence(crate).strip(),
            "",
        ]
    )


def licence(crate: dict[str, Any]) -> str:
    """Return the text under which a crate is used: that of MIT where it is offered."""
    folder = Path(crate["manifest_path"]).parent
    for name in ("LICENSE-MIT", "LICENSE", "LICENSE.txt"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    if "MIT" not in crate["license"]:
        sys.exit(f"{crate['name']} has no licence that this script knows")
    authors = ", ".join(crate["authors"]) or f"The {crate['name']} developers"
    return f"Copyright (c) {authors}\n\n{MIT[1]}{MIT[2]}"


main()
