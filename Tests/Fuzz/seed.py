#!/usr/bin/env python3
"""Writes Tests/Fuzz/corpus from the accept vectors: each as a whole frame, as a body, and as a stream of frames."""
import pathlib, re, sys

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
print(len(list(corpus.iterdir())), "inputs")
