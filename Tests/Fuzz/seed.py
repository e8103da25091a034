#!/usr/bin/env python3
"""Writes Tests/Fuzz/corpus from the accept vectors, each as a whole frame, as a body, and as a stream of frames; and from the recorded
deliveries of Tests/ForgesTests, each as a document and as a delivery of its event."""
import json, pathlib, re, sys

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
print(len(list(corpus.iterdir())), "inputs")
