"""Lines that are too long, comments and strings included, which the formatter leaves as they are.

    lines.py              every file of ours that git knows
    lines.py --self-test  a bad tree is noticed
"""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMITS = {".swift": 120, ".profile": 120, ".c": 140, ".h": 140, ".py": 140, ".sh": 140}
# What wiregen writes has the length of its names.
GENERATED = ("Sources/Wire/Wire/Generated/", "Tests/WireTests/Generated/")


def too_long(root, names):
    """Yields a sentence for each line beyond its file's limit."""
    for name in names:
        limit = LIMITS.get(pathlib.PurePath(name).suffix)
        if not limit or name.startswith(GENERATED):
            continue
        for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > limit:
                yield f"{name}:{number}: {len(line)} columns, {limit} are the most"


def self_test():
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        (root / "fits.swift").write_text("// " + "é" * 117 + "\n", encoding="utf-8")
        (root / "comment.swift").write_text("// " + "é" * 118 + "\n", encoding="utf-8")
        (root / "script.py").write_text("#" * 140 + "\n" + "#" * 141 + "\n")
        found = list(too_long(root, ["fits.swift", "comment.swift", "script.py"]))
    return [line.split(": ")[0] for line in found] == ["comment.swift:1", "script.py:2"]


def main():
    if sys.argv[1:] == ["--self-test"]:
        return not self_test()
    names = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True)
    found = list(too_long(ROOT, [name for name in names.split("\0") if name and (ROOT / name).is_file()]))
    print("\n".join(found), end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
