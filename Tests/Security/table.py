#!/usr/bin/env python3
"""Writes docs/security-tests.md from catalogue.py and the tests that name an attack; `check` compares instead."""

import pathlib
import re
import sys

from catalogue import ATTACKS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/security-tests.md"
HEAD = """# Security tests

Each attack that Bulkhead has to survive, where it comes from, and what held. `make test` runs them all. Each has a positive control beside it: the
same attack, with the one wall that is to stop it taken away, succeeds; so a green row means that the wall did it. Who the attackers are is
[threat-model.md](threat-model.md). This page is written by `make generate` from `Tests/Security/catalogue.py` and from the tests themselves.

| id | comes from | tried | what holds | shown in |
|---|---|---|---|---|
"""


def tests():
    """The files in which a test names each id."""
    found = {name: [] for name in ATTACKS}
    for path in sorted(ROOT.glob("Tests/**/*")):
        if path.suffix not in (".py", ".swift", ".sh", ".c") or path.name == "catalogue.py":
            continue
        text = path.read_text(errors="replace")
        for name in set(re.findall(r"\b([RSP]\d{1,2}): ", text)) & ATTACKS.keys():
            found[name].append(str(path.relative_to(ROOT / "Tests")))
    return found


def page():
    rows = []
    for (name, (incident, tried, held)), files in zip(ATTACKS.items(), tests().values()):
        if not files:
            sys.exit(f"{name}: no test names it")
        rows.append(f"| {name} | {incident} | {tried} | {held} | {', '.join(f'`{f}`' for f in files)} |")
    return HEAD + "\n".join(rows) + "\n"


def main():
    if sys.argv[1:] != ["check"]:
        PAGE.write_text(page())
    elif not PAGE.exists() or PAGE.read_text() != page():
        sys.exit("docs/security-tests.md is not what the tests say: run `make generate`")


if __name__ == "__main__":
    main()
