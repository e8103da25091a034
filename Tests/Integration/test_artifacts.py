"""Artifacts as courierd packs and unpacks them, against Python's zipfile, gzip and tarfile: what it writes they read, what they write
it reads, trees by chance laid over one another are what a few lines of Python make of them."""

import gzip
import io
import pathlib
import random
import subprocess
import tarfile
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROBE = ROOT / ".build/release/archive-probe"
FILE, LINK, TIME = 0o100644, 0o120777, 1700000000


def tar_of(tree):
    """A tree is paths with their mode and content; None is a directory."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in tree.items():
            member = tarfile.TarInfo(path)
            member.mtime = TIME
            if content is None:
                member.type = tarfile.DIRTYPE
            elif content[0] == LINK:
                member.type, member.linkname = tarfile.SYMTYPE, content[1].decode()
            else:
                member.mode, member.size = content[0] & 0o777, len(content[1])
            tar.addfile(member, io.BytesIO(content[1] if content and content[0] != LINK else b""))
    return archive.getvalue()


def zip_of(tree, streamed=False):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive if not streamed else Pipe(archive), "w") as file:
        for number, (path, content) in enumerate(tree.items()):
            info = zipfile.ZipInfo(path + "/" if content is None else path, (2023, 11, 14, 22, 13, 20))
            info.create_system, info.external_attr = 3, (content[0] if content else 0o040755) << 16
            info.compress_type = zipfile.ZIP_DEFLATED if number % 3 else zipfile.ZIP_STORED
            if content is None or content[0] == LINK or number % 2:
                file.writestr(info, content[1] if content else b"")
            else:
                with file.open(info, "w", force_zip64=number % 4 == 0) as out: out.write(content[1])
    return archive.getvalue()


class Pipe(io.RawIOBase):
    """A file that cannot go back."""

    def __init__(self, file): self.file = file

    def writable(self): return True

    def write(self, data): return self.file.write(data)


def tree_of_tar(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert len({member.name for member in tar}) == len(tar.getmembers()), "a path comes twice"
        return {member.name: None if member.isdir() else (LINK, member.linkname.encode()) if member.issym() else
                (0o100000 | member.mode, tar.extractfile(member).read()) for member in tar}


def tree_of_zip(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {info.filename.rstrip("/"): None if info.is_dir() else (info.external_attr >> 16, file.read(info))
                for info in file.infolist()}


def by_chance(chance):
    """A tree in which no file is where another tree of these has a directory."""
    tree = {}
    for _ in range(chance.randrange(1, 30)):
        parts = [f"d{chance.randrange(3)}" for _ in range(chance.randrange(4))]
        for depth in range(1, len(parts) + 1): tree.setdefault("/".join(parts[:depth]), None)
        path = "/".join([*parts, chance.choice(["a", "b", "ü", "long" * 30])])
        if chance.random() < 0.2:
            tree[path] = LINK, b"../" * chance.randrange(len(parts) + 1) + b"x"
        else:
            content = chance.choice([b"", b"short", chance.randbytes(3000), b"z" * chance.randrange(200_000)])
            tree[path] = chance.choice([0o100644, 0o100755]), content
    return tree


class Artifacts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def probe(self, what, source, *others):
        files = []
        for number, data in enumerate([source, *(other for other in others if isinstance(other, bytes))]):
            files.append(str(self.folder / str(number)))
            if data is None: files[-1] = "-"
            else: pathlib.Path(files[-1]).write_bytes(data)
        words = [str(other) for other in others if not isinstance(other, bytes)]
        done = subprocess.run([PROBE, what, files[0], self.folder / "out", *files[1:], *words], capture_output=True, text=True,
                              timeout=120, check=True)
        return done.stdout.strip(), (self.folder / "out").read_bytes()

    def test_zip_archives_are_read_by_others(self):
        chance = random.Random(1)
        for number in range(30):
            tree = by_chance(chance)
            for wide in ([], [1], [1000], [100_000]):
                said, data = self.probe("zip", tar_of(tree), *wide)
                self.assertEqual(said, f"{len(data)} {len(tree)}")
                self.assertEqual(tree_of_zip(data), tree, number)
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            file_times = {info.date_time for info in file.infolist() if info.external_attr >> 28 == 8}
        self.assertEqual(file_times, {(2023, 11, 14, 22, 13, 20)})

    def test_more_files_than_short_numbers_count(self):
        said, data = self.probe("zip", tar_of({f"many/{number}": (FILE, b"") for number in range(66_000)}))
        self.assertTrue(said.endswith(" 66001"))
        self.assertEqual(len(zipfile.ZipFile(io.BytesIO(data)).infolist()), 66_001)
        said, tar = self.probe("overlay", None, data)
        self.assertEqual(len(tree_of_tar(tar)), 66_001)

    def test_gzip_and_raw_are_read_by_others(self):
        said, data = self.probe("gzip", tar_of({"d": None, "d/one": (FILE, b"1" * 100_000), "two": (FILE, b"2")}))
        self.assertEqual((said.split()[1], gzip.decompress(data)), ("2", b"1" * 100_000 + b"2"))
        self.assertEqual(self.probe("raw", tar_of({"d/one": (FILE, b"\x00\xff")}))[1], b"\x00\xff")
        self.assertIn("only one file", self.probe("raw", tar_of({"a": (FILE, b""), "b": (FILE, b"")}))[0])

    def test_trees_over_trees(self):
        chance = random.Random(2)
        for number in range(60):
            trees = [by_chance(chance) for _ in range(chance.randrange(1, 5))]
            expected = {}
            for tree in trees: expected |= tree
            zips = [zip_of(tree, streamed=chance.random() < 0.5) for tree in trees[1:]]
            said, data = self.probe("overlay", tar_of(trees[0]), *zips)
            self.assertEqual(said, f"{len(data)} {len(expected)}", number)
            self.assertEqual(tree_of_tar(data), expected, number)

    def test_what_was_packed_is_laid_over(self):
        tree = by_chance(random.Random(3))
        data = self.probe("zip", tar_of(tree))[1]
        self.assertEqual(tree_of_tar(self.probe("overlay", None, data)[1]), tree)
        self.assertIn("refused: artifacts: ", self.probe("overlay", None, data[:-1])[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
