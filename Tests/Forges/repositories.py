"""Real git repositories in a temporary folder, from which the doubles serve commits, files and archives."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0",
         "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@harbour.example", "GIT_COMMITTER_NAME": "Ada",
         "GIT_COMMITTER_EMAIL": "ada@harbour.example"}
NONE = "0" * 40
IS_COMMIT = re.compile(r"[0-9a-f]{40}").fullmatch


class Repository:
    """Bare, with `main` as its branch; until it is closed. Dates count up from a fixed one, so equal histories have equal names."""

    def __init__(self, files=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="forge-git-"))
        self.count = 0
        self.git("init", "--quiet", "--bare", "--initial-branch=main")
        # As forges have it: a commit can be fetched by its name.
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")
        # Nothing may still be tidying up in the background when the folder goes.
        self.git("config", "gc.auto", "0")
        self.git("config", "maintenance.auto", "false")
        if files:
            self.commit(files)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        shutil.rmtree(self.folder)

    def git(self, *arguments, stdin=None, index=None, protocol=None):
        environment = os.environ | QUIET | {"GIT_DIR": str(self.folder)}
        if protocol:
            environment["GIT_PROTOCOL"] = protocol
        date = f"{1772359200 + self.count} +0000"
        environment |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        if index:
            environment["GIT_INDEX_FILE"] = str(index)
        done = subprocess.run(["git", *arguments], input=stdin, env=environment, capture_output=True, check=False)
        if done.returncode:
            raise LookupError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def commit(self, files, message="Caulk the seams", branch="main", parent=None):
        """Adds a commit with these files (a path to bytes or text; None removes) on top of the branch, or of `parent`, and moves the
        branch there. Returns the commit's name."""
        self.count += 1
        tip = parent or self.resolve(f"refs/heads/{branch}")
        with tempfile.TemporaryDirectory() as scratch:
            index = pathlib.Path(scratch, "index")
            if tip:
                self.git("read-tree", tip, index=index)
            for path, content in files.items():
                if content is None:
                    self.git("update-index", "--index-info", index=index, stdin=f"0 {NONE}\t{path}\n".encode())
                    continue
                blob = self.git("hash-object", "-w", "--stdin", stdin=content.encode() if isinstance(content, str) else content)
                mode = "100755" if path.endswith(".sh") else "100644"
                self.git("update-index", "--add", "--cacheinfo", f"{mode},{blob.decode().strip()},{path}", index=index)
            tree = self.git("write-tree", index=index).decode().strip()
        sha = self.git("commit-tree", tree, *(["-p", tip] if tip else []), "-m", message).decode().strip()
        self.git("update-ref", f"refs/heads/{branch}", sha)
        return sha

    def tag(self, name, sha):
        self.git("update-ref", f"refs/tags/{name}", sha)

    def remove(self, reference):
        self.git("update-ref", "-d", reference)

    def take(self, other, branch, name):
        """A branch of another repository (a fork's) under a reference of ours, as forges do it for changes: `refs/pull/5/head`."""
        self.git("fetch", "--quiet", str(other.folder), f"+refs/heads/{branch}:{name}")
        return self.resolve(name)

    def resolve(self, reference):
        """The commit that a branch, a tag, a full reference or a commit's whole name stands for, or None. Nothing else that git
        understands (`main~3`, `@`, `-x`) is a name here."""
        names = [reference] if reference.startswith("refs/") or IS_COMMIT(reference) else \
            [f"refs/heads/{reference}", f"refs/tags/{reference}"]
        for name in names:
            try:
                if not IS_COMMIT(name):
                    self.git("check-ref-format", name)
                return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
            except LookupError:
                continue
        return None

    def branches(self, place="refs/heads"):
        """Name to commit."""
        lines = self.git("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", place).decode().splitlines()
        return {name: sha for sha, name in (line.split(" ", 1) for line in lines)}

    def tags(self):
        return self.branches("refs/tags")

    def about(self, sha):
        """Message, parents and author's date of a commit."""
        message, parents, date = self.git("show", "--no-patch", "--format=%B%x00%P%x00%aI", sha).decode().split("\0")
        return {"message": message.rstrip("\n"), "parents": parents.split(), "date": date.strip()}

    def merge_base(self, one, other):
        try:
            return self.git("merge-base", one, other).decode().strip()
        except LookupError:
            return None

    def between(self, base, head):
        """The commits that `head` has and `base` has not, oldest first."""
        return self.git("rev-list", "--reverse", "--topo-order", f"{base}..{head}").decode().split()

    def changes(self, base, head):
        """(letter, old path, new path) of each file that differs; R for one that was renamed."""
        return self.statuses(self.git("diff", "--name-status", "-z", "--find-renames", base, head))

    def touched(self, sha):
        """(letter, path) of each file of one commit."""
        listed = self.git("diff-tree", "--no-commit-id", "--root", "-r", "--name-status", "-z", "--no-renames", sha)
        return [(letter, new) for letter, _, new in self.statuses(listed)]

    @staticmethod
    def statuses(listed):
        words, found = iter(listed.decode().split("\0")[:-1]), []
        for letter in words:
            old = next(words)
            found.append((letter[0], old, next(words) if letter[0] == "R" else old))
        return found

    def file(self, sha, path):
        """Its bytes, or None: also for a folder, and for `..`, which is no name in a tree."""
        try:
            kind = self.git("cat-file", "-t", f"{sha}:{path}").decode().strip()
            return self.git("cat-file", "blob", f"{sha}:{path}") if kind == "blob" else None
        except LookupError:
            return None

    def entries(self, sha, path=""):
        """Name to kind and object of what lies in a folder; None if it is none."""
        try:
            lines = self.git("ls-tree", "-z", f"{sha}:{path}").decode().split("\0")
        except LookupError:
            return None
        return {name: (about.split()[1], about.split()[2]) for about, _, name in (line.partition("\t") for line in lines if line)}

    def blob(self, content):
        """The name that git gives to this content."""
        return self.git("hash-object", "--stdin", stdin=content).decode().strip()

    def archive(self, sha, prefix, form="tar.gz"):
        """A whole tree under one folder, as all forges give it."""
        return self.git("archive", f"--format={form}", f"--prefix={prefix}/", sha)
