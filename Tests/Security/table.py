#!/usr/bin/env python3
"""Writes docs/security-tests.md from catalogue.py and the tests that name an attack; `check` compares instead."""

import ast
import pathlib
import re
import sys

from catalogue import ATTACKS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/security-tests.md"
HEAD = """# Security tests

Each attack that Bulkhead has to survive, where it comes from, and what held. `make test` runs them all. Each has a positive control
beside it: the same attack, with the one wall that is to stop it taken away, succeeds; so a green row means that the wall did it. Who the
attackers are is [threat-model.md](threat-model.md). This page is written by `make generate` from `Tests/Security/catalogue.py` and from
the tests themselves.

| id | comes from | tried | what holds | shown in |
|---|---|---|---|---|
"""


def python_words(text):
    """What a Python file says of its tests: its docstring, and the docstring of each test and the comment directly above it."""
    tree, lines = ast.parse(text), text.splitlines()
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    if functions:
        yield ast.get_docstring(tree) or ""
    for node in functions:
        yield ast.get_docstring(node) or ""
        above = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 2
        while above >= 0 and lines[above].lstrip().startswith("#"):
            yield lines[above]
            above -= 1


def swift_words(text):
    """The same of a Swift file: its opening comment, and the comment and the attribute of each test and each suite of tests."""
    if re.search(r"^\s*@Test\b", text, re.M):
        yield re.match(r"(//.*\n)*", text)[0]
        for match in re.finditer(r"(?:^[ \t]*//.*\n)*^[ \t]*@(?:Test|Suite)\b(?s:.*?)\b(?:func|struct|class|enum) ", text, re.M):
            yield match[0]


WORDS = {".py": python_words, ".swift": swift_words}


def named(suffix, text):
    """The attacks whose id stands directly at a test, or at the head of a file of tests."""
    words = "\n".join(WORDS[suffix](text))
    return set(re.findall(r"\b([RSPW]\d{1,2}): ", words)) & ATTACKS.keys()


def tests():
    """The files in which a test names each id."""
    found = {name: [] for name in ATTACKS}
    for path in sorted(ROOT.glob("Tests/**/*")):
        if path.suffix in WORDS and path.name != "table.py":
            for name in named(path.suffix, path.read_text(errors="replace")):
                found[name].append(str(path.relative_to(ROOT / "Tests")))
    return found


def self_test():
    """An id that stands anywhere else counts for nothing."""
    assert named(".py", '"""R1: a."""\ndef test_a():\n    """R2: b."""\n# R3: c\n@skip\ndef test_b():\n    pass\n') == {"R1", "R2", "R3"}
    assert named(".py", '"""R1: a."""\ndef help():\n    """R2: b."""\n') == set()
    assert named(".py", 'def test_a():\n    say("R1: a")  # R2: b\n') == set()
    assert named(".swift", '// R1: a\n\n/// R2: b\n@Suite struct A {\n// R3: c\n@Test("R4: d")\nfunc e() {}\n') == {"R1", "R2", "R3", "R4"}
    assert named(".swift", "// R1: a\nfunc help() {}\n") == set()
    assert named(".swift", '@Test func a() {\n// R1: b\nsay("R2: c")\n}\n\n// R3: d\nfunc help() {}\n') == set()


def page():
    rows = []
    for (name, (incident, tried, held)), files in zip(ATTACKS.items(), tests().values()):
        if not files:
            sys.exit(f"{name}: no test names it")
        rows.append(f"| {name} | {incident} | {tried} | {held} | {', '.join(f'`{f}`' for f in files)} |")
    return HEAD + "\n".join(rows) + "\n"


def main():
    self_test()
    if sys.argv[1:] != ["check"]:
        PAGE.write_text(page())
    elif not PAGE.exists() or PAGE.read_text() != page():
        sys.exit("docs/security-tests.md is not what the tests say: run `make generate`")


if __name__ == "__main__":
    main()
