#!/usr/bin/env python3
"""Changing one byte of any .wire file must turn the check red, in a comment or in a message; without a change it must be green."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WIREGEN = ROOT / ".build/release/wiregen"


def is_green(root):
    return subprocess.run([WIREGEN, "check", root], capture_output=True).returncode == 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for part in ["proto-spec", "Sources/Wire/Wire/Generated", "Tests/WireTests/Generated"]:
            shutil.copytree(ROOT / part, root / part)
        if not is_green(root):
            sys.exit("the unchanged copy is red: the control failed")
        for schema in sorted((root / "proto-spec").glob("*.wire")):
            good = schema.read_bytes()
            digits = [i for i in range(len(good)) if good[i:i + 1] in b"123456789"]
            for place in [0, len(good) // 2, digits[-1]]:
                changed = bytearray(good)
                changed[place] = ord("9") if changed[place] != ord("9") else ord("8")
                schema.write_bytes(changed)
                if is_green(root):
                    sys.exit(f"{schema.name}: byte {place} was changed and nobody noticed")
            schema.write_bytes(good)
        if not is_green(root):
            sys.exit("the copy was not put back: the control failed")


main()
