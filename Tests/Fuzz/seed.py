#!/usr/bin/env python3
"""Writes Tests/Fuzz/corpus from the accept vectors, each as a whole frame, as a body, and as a stream of frames; and from the recorded
deliveries of Tests/ForgesTests, each as a document and as a delivery of its event; and answers and archives of forges, and artifacts."""
import io, json, pathlib, re, sys, tarfile, zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "proto-spec"))
from decode import read_vector

# The orders of allEdges and allMessages, which the first bytes of an input index.
catalogue = (ROOT / "Tests/WireTests/Generated/Catalogue.swift").read_text()
edges = [name.lower() for name in re.findall(r"^    (\w+)Edge\.self,$", catalogue, re.M)]
messages = re.findall(r'CatalogueEntry\("(\w+)", \.(\w+), (\d+),', catalogue)
kinds = ["", "request", "reply", "error", "item", "end", "control"]

corpus = pathlib.Path(__file__).resolve().parent / "corpus"
corpus.mkdir(exist_ok=True)
for old in corpus.iterdir(): old.unlink()
for edge in edges:
    stream = b""
    for path in sorted((ROOT / "proto-spec/vectors" / edge).glob("accept_*.hex")):
        _, side, fds, data = read_vector(path)
        name = f"{edge}_{path.stem[7:]}"
        (corpus / f"frame_{name}").write_bytes(bytes([0, edges.index(edge) << 1 | (side == "server")]) + data)
        index = messages.index((edge, kinds[data[6]], str(int.from_bytes(data[4:6], "big"))))
        (corpus / f"body_{name}").write_bytes(bytes([1]) + index.to_bytes(2, "big") + data[20:])
        if fds == 0 and len(stream) < 1500: stream += data
    (corpus / f"stream_{edge}").write_bytes(bytes([2, edges.index(edge), 7]) + stream)

# The orders of the events in ForgeTargets.swift, by how the names of the payloads begin.
events = {"github": ["push", "pull_request", "issue_comment", "check_run"], "gitea": ["push", "pull_request", "issue_comment"],
          "gitlab": ["push", "tag_push", "merge_request", "note", "job", "pipeline"]}
for target, forge in enumerate(["github", "gitlab", "gitea"], 4):
    for path in sorted((ROOT / "Tests/ForgesTests/Payloads" / forge).glob("*.json")):
        body = json.dumps(json.loads(path.read_text()), separators=(",", ":"), ensure_ascii=False).encode()
        (corpus / f"json_{forge}_{path.stem}").write_bytes(bytes([3]) + body)
        for index, event in enumerate(events[forge]):
            if path.stem.startswith(event): (corpus / f"delivery_{forge}_{path.stem}").write_bytes(bytes([target, index]) + body)

# What forges answer, by the orders of ForgeAnswerTargets.swift: the forge, the call, then what is said each time.
sha, other = "1a" * 20, "2b" * 20
who = {"id": 9, "login": "ada", "username": "ada"}
side = {"sha": sha, "ref": "fix", "repo": {"id": 42}}
comment = {"id": 31, "user": who, "author": who, "system": False, "body": "<!-- bulkhead:plan -->\nthen"}
answers = {
    0: [who], 1: [{"message": "Cannot transition status via :run from :running (x)"}], 2: [{"id": 77}], 3: [[comment], {"id": 31}],
    4: [{"permission": "write", "user": who}, {"id": 9, "state": "active", "access_level": 30}],
    5: [{"number": 5, "state": "closed", "merged": True, "draft": False, "user": who, "head": side, "base": side},
        {"iid": 5, "state": "opened", "draft": False, "author": who, "sha": sha, "source_project_id": None, "target_project_id": 42,
         "source_branch": "fix", "target_branch": "main", "diff_refs": {"head_sha": sha, "start_sha": other}}],
    6: [[{"filename": "a", "previous_filename": "b"}], [{"old_path": "a", "new_path": "b"}]],
    7: [{"type": "file", "encoding": "base64", "size": 5, "content": "aGVs\nbG8=\n"}],
}
for call, said in answers.items():
    for index, body in enumerate(said):
        for forge in range(3):
            data = json.dumps(body, separators=(",", ":")).encode()
            (corpus / f"answer_{forge}_{call}_{index}").write_bytes(bytes([7, forge, call, 0]) + data)

for name, format in ("ustar", tarfile.USTAR_FORMAT), ("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=format, pax_headers={"comment": sha}) as tar:
        for path, kind, link in [("top", tarfile.DIRTYPE, ""), ("top/a", tarfile.REGTYPE, ""), ("top/d", tarfile.DIRTYPE, ""),
                                 ("top/d/l", tarfile.SYMTYPE, "../a"), ("top/h", tarfile.LNKTYPE, "top/a"),
                                 ("top/" + ("n" * (90 if name == "ustar" else 120)), tarfile.REGTYPE, "")]:
            member = tarfile.TarInfo(path)
            member.type, member.linkname, member.size = kind, link, 5 * (kind == tarfile.REGTYPE)
            tar.addfile(member, io.BytesIO(b"hello"))
    (corpus / f"archive_{name}").write_bytes(bytes([8, 7]) + archive.getvalue())

class Pipe(io.RawIOBase):
    """A file that cannot go back."""

    def __init__(self, file): self.file = file

    def writable(self): return True

    def write(self, data): return self.file.write(data)


# Artifacts: with wide numbers and without, and as a stream.
for name in "plain", "wide", "streamed":
    archive = io.BytesIO()
    with zipfile.ZipFile(Pipe(archive) if name == "streamed" else archive, "w") as file:
        for path, mode, content in [("a", 0o100755, b"hello" * 30), ("d/", 0o040755, b""), ("d/l", 0o120777, b"../a"),
                                    ("d/empty", 0o100644, b"")]:
            info = zipfile.ZipInfo(path, (2023, 11, 14, 22, 13, 20))
            info.create_system, info.external_attr = 3, mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED if content else zipfile.ZIP_STORED
            with file.open(info, "w", force_zip64=name == "wide") as out: out.write(content)
    (corpus / f"zip_{name}").write_bytes(bytes([12]) + archive.getvalue())

# What GitLab says to runners: jobs, and days of a log and of a runner, an answer in each byte.
for path in sorted((ROOT / "Tests/GitLabRunnerTests/Payloads").glob("*.json")):
    body = json.dumps(json.loads(path.read_text()), separators=(",", ":"), ensure_ascii=False).encode()
    (corpus / f"runner_job_{path.stem}").write_bytes(bytes([9]) + body)
for name, day in {"good": [0, 0, 0, 2], "bad": [15, 0x11, 6, 7, 0, 3, 0, 0, 2], "cancelled": [0x20, 0x22], "over": [0x48]}.items():
    (corpus / f"runner_log_{name}").write_bytes(bytes([10, 60, 2, *day]))
for name, day in {"good": [4, 2, 4, 5, 5], "bad": [6, 4, 10, 8, 2, 15, 5], "dead": [4, 8, 8, 4, 5]}.items():
    (corpus / f"runner_life_{name}").write_bytes(bytes([11, 1, *day]))
print(len(list(corpus.iterdir())), "inputs")
