#!/usr/bin/env python3
"""An independent reader of Bulkhead's wire protocol: it reads the .wire files itself and shares nothing with the Swift code.

  decode.py check              all vectors: decode, encode again, compare; rejects must fail for the reason they name;
                               every accept cut at every offset must fail; versions.lock must hold
  decode.py show EDGE SIDE     frames as hex on standard input -> JSON, one line a frame (SIDE: client or server sent it)
  decode.py make EDGE          a frame as JSON on standard input -> a vector (see vectors/README.md)
"""
import json, re, sys

sys.dont_write_bytecode = True
from schema import CONTROL, EDGES, HERE, INTS, KINDS, canonical_hash, descriptors, message, scope


class Bad(Exception):
    """Bytes that are no frame; the text is the reason, a word of GRAMMAR.md."""


class Raw(bytes):
    """Stands in a value for bytes to be written as they are: how wrong vectors are made."""


# ---- values ------------------------------------------------------------------------------------------------------

class Reader:
    def __init__(self, data): self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data): raise Bad("truncated")
        self.at += count
        return self.data[self.at - count:self.at]

    def int(self, size): return int.from_bytes(self.take(size), "big")


def length(reader, kind):
    count = reader.int(2 if kind[2] <= 65535 else 4)
    if not kind[1] <= count <= kind[2]: raise Bad("out_of_bounds")
    return count


def least(kind, decls):
    """The fewest bytes that a value of this type takes."""
    word = kind[0]
    if word == "fd": return 0
    if word in INTS: return INTS[word]
    if word in ("i64", "bool", "option"): return 8 if word == "i64" else 1
    if word == "fixed": return kind[1]
    if word in ("bytes", "text"): return (2 if kind[2] <= 65535 else 4) + kind[1]
    if word == "list": return 2 + kind[1] * least(kind[3], decls)
    form, width, body, _ = decls[word]
    if form == "struct": return sum(least(field, decls) for _, field in body)
    return width + (min(least((struct,), decls) for _, struct in body.values()) if form == "union" else 0)


def decode(kind, reader, decls):
    word = kind[0]
    if word in INTS: return reader.int(INTS[word])
    if word == "i64": return int.from_bytes(reader.take(8), "big", signed=True)
    if word == "fixed": return reader.take(kind[1]).hex()
    if word == "bytes": return reader.take(length(reader, kind)).hex()
    if word in ("bool", "option"):
        flag = reader.int(1)
        if flag > 1: raise Bad("bad_" + word)
        return flag == 1 if word == "bool" else decode(kind[1], reader, decls) if flag else None
    if word == "text":
        data = reader.take(length(reader, kind))
        if b"\0" in data: raise Bad("nul_in_text")
        try: return data.decode("utf-8", "strict")
        except UnicodeDecodeError: raise Bad("bad_utf8") from None
    if word == "list":
        count = length(reader, kind)
        if count * least(kind[3], decls) > len(reader.data) - reader.at: raise Bad("truncated")
        return [decode(kind[3], reader, decls) for _ in range(count)]
    form, width, body, _ = decls[word]
    if form == "struct": return decode_fields(body, reader, decls)
    value = reader.int(width)
    if value not in body: raise Bad("unknown_case")
    case, struct = body[value]
    return case if form == "enum" else {case: decode((struct,), reader, decls)}


def decode_fields(fields, reader, decls):
    return {name: decode(kind, reader, decls) for name, kind in fields if kind[0] != "fd"}


def encode(kind, value, decls, path):
    """A list of (path, bytes)."""
    word = kind[0]
    if isinstance(value, Raw): return [(path, bytes(value))]
    if word in INTS: return [(path, value.to_bytes(INTS[word], "big"))]
    if word == "i64": return [(path, value.to_bytes(8, "big", signed=True))]
    if word == "fixed": return [(path, bytes.fromhex(value))]
    if word in ("bytes", "text"):
        data = bytes.fromhex(value) if word == "bytes" else value.encode()
        return [(path, len(data).to_bytes(2 if kind[2] <= 65535 else 4, "big") + data)]
    if word == "bool": return [(path, bytes([value]))]
    if word == "option":
        return [(path, b"\0")] if value is None else [(path, b"\1")] + encode(kind[1], value, decls, path)
    if word == "list":
        parts = [encode(kind[3], item, decls, f"{path}[{i}]") for i, item in enumerate(value)]
        return sum(parts, [(path, len(value).to_bytes(2, "big"))])
    form, width, body, _ = decls[word]
    if form == "struct": return encode_fields(body, value, decls, path + ".")
    name = value if form == "enum" else next(iter(value))
    number, struct = next((n, struct) for n, (case, struct) in body.items() if case == name)
    head = [(path, number.to_bytes(width, "big"))]
    return head if form == "enum" else head + encode((struct,), value[name], decls, f"{path}.{name}")


def encode_fields(fields, value, decls, prefix=""):
    names = {name for name, kind in fields if kind[0] != "fd"}
    if set(value) != names: raise ValueError(f"fields are {sorted(names)}, not {sorted(value)}")
    return sum((encode(kind, value[name], decls, prefix + name) for name, kind in fields if name in names), [])


# ---- frames ------------------------------------------------------------------------------------------------------

def decode_frame(edge, side, data, fds):
    """One frame, all of `data`, with `fds` descriptors -> a dict. The order of the checks is the spec's."""
    reader = Reader(data)
    size = reader.int(4)
    if size < 16: raise Bad("frame_length")
    if size > int(EDGES[edge].edge["limit"]): raise Bad("frame_too_large")
    number, raw, count, request, deadline = (reader.int(n) for n in (2, 1, 1, 8, 4))
    if raw not in KINDS: raise Bad("frame_kind")
    found = message(edge, KINDS[raw], number)
    if not found or found[2] not in (None, side): raise Bad("unknown_message")
    if (request == 0) != (raw == 6): raise Bad("bad_request_id")
    if deadline and raw != 1: raise Bad("bad_deadline")
    if not count == descriptors(found[1]) == fds: raise Bad("wrong_fds")
    body = Reader(reader.take(size - 16))
    if reader.at != len(data): raise Bad("trailing_bytes")
    value = decode_fields(found[1], body, scope(edge))
    if body.at != len(body.data): raise Bad("trailing_bytes")
    return {"kind": KINDS[raw], "message": found[0], "id": request, "deadline_ms": deadline, "body": value}


def encode_frame(edge, frame):
    """The opposite; a list of (what, bytes), the first is the header."""
    decls, name = scope(edge), frame["message"]
    raw = next(n for n, kind in KINDS.items() if kind == frame["kind"])
    number = decls[name][1]
    fields = message(edge, frame["kind"], number)[1]
    body = encode_fields(fields, frame["body"], decls)
    size = 16 + sum(len(data) for _, data in body)
    parts = ((size, 4), (number, 2), (raw, 1), (descriptors(fields), 1), (frame["id"], 8), (frame["deadline_ms"], 4))
    return [("header", b"".join(n.to_bytes(width, "big") for n, width in parts))] + body


# ---- vectors -----------------------------------------------------------------------------------------------------

def read_vector(path):
    """(comment lines, side, fds, bytes). `hh*N` is N times the byte."""
    lines = path.read_text().splitlines()
    head = re.fullmatch(r"# frame from (client|server); fds (\d+)", lines[0])
    if not head: sys.exit(f"{path}: the first line is not `# frame from SIDE; fds N`")
    data = b""
    for word in " ".join(re.sub(r"#.*", "", line) for line in lines).split():
        byte, _, count = word.partition("*")
        data += bytes.fromhex(byte) * int(count or 1)
    return [line for line in lines if line.startswith("#")], head[1], int(head[2]), data


def refusal(edge, side, data, fds):
    try: decode_frame(edge, side, data, fds)
    except Bad as bad: return str(bad)
    return None


def check_accept(edge, comments, side, fds, data):
    frame = decode_frame(edge, side, data, fds)
    if b"".join(part for _, part in encode_frame(edge, frame)) != data: return "encodes to other bytes"
    values = [json.loads(line[8:]) for line in comments if line.startswith("# value ")]
    if values != [frame]: return f"is {json.dumps(frame)}"
    for cut in range(len(data)):
        if refusal(edge, side, data[:cut], fds) != "truncated": return f"cut at {cut} is not refused as truncated"
        if cut < 20: continue
        body = (cut - 4).to_bytes(4, "big") + data[4:cut]
        if refusal(edge, side, body, fds) != "truncated": return f"body cut at {cut} is not refused"
    longer = (len(data) - 3).to_bytes(4, "big") + data[4:] + b"\0"
    if refusal(edge, side, longer, fds) != "trailing_bytes": return "a trailing byte is not refused"
    if refusal(edge, side, data, fds + 1) != "wrong_fds": return "one descriptor more is not refused"
    return None


def check():
    problems, seen, count = [], set(), 0
    for path in sorted((HERE / "vectors").glob("*/*.hex")):
        edge, count = path.parent.name, count + 1
        comments, side, fds, data = read_vector(path)
        if path.name.startswith("accept_"):
            try: problem = check_accept(edge, comments, side, fds, data)
            except Bad as bad: problem = f"refused: {bad}"
            seen.add((edge, data[6:7], data[4:6]))
        else:
            reason = [line[9:] for line in comments if line.startswith("# reject ")]
            found = refusal(edge, side, data, fds)
            problem = None if [found] == reason else f"refused for {found}, not for {reason}"
        if problem: problems.append(f"{path}: {problem}")
    for edge, file in EDGES.items():
        numbers = [d[1] for d in file.decls.values() if d[0] in ("call", "stream")]
        for raw, kind in KINDS.items():
            for number in numbers if kind != "control" else CONTROL:
                if message(edge, kind, number) and (edge, bytes([raw]), number.to_bytes(2, "big")) not in seen:
                    problems.append(f"{edge}: no accept vector for {kind} {number}")
    locks = [line.split() for line in re.sub(r"#.*", "", (HERE / "versions.lock").read_text()).splitlines() if line.strip()]
    for edge, version, digest in locks:
        major, minor = version.split(".")
        if edge in EDGES and EDGES[edge].edge["version"] == major and canonical_hash(edge, int(minor)) != digest:
            problems.append(f"versions.lock: {edge} {version} is released and has changed")
    print("\n".join(problems) or f"{count} vectors, {len(locks)} released versions: as the schemas say")
    return 1 if problems or not count else 0


def vector_text(edge, side, frame, says):
    parts = encode_frame(edge, frame)
    fds = parts[0][1][7]
    head = parts[0][1]
    lines = [f"# frame from {side}; fds {fds}", f"# {says}", f"# value {json.dumps(frame, ensure_ascii=False)}",
             " ".join((head[a:b]).hex() for a, b in ((0, 4), (4, 6), (6, 7), (7, 8), (8, 16), (16, 20)))
             + "  # length type kind fd_count request_id deadline_ms"]
    return "\n".join(lines + [f"{data.hex()}  # {what}" for what, data in parts[1:]]) + "\n"


def main(arguments):
    if arguments == ["check"]: return check()
    if len(arguments) == 3 and arguments[0] == "show":
        data = bytes.fromhex(re.sub(r"#.*", "", sys.stdin.read()))
        while data:
            size = 4 + int.from_bytes(data[:4], "big")
            print(json.dumps(decode_frame(arguments[1], arguments[2], data[:size], data[7] if len(data) > 7 else 0)))
            data = data[size:]
        return 0
    if len(arguments) == 2 and arguments[0] == "make":
        frame = json.load(sys.stdin)
        print(vector_text(arguments[1], frame.pop("side"), frame, frame.pop("says")), end="")
        return 0
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    try: sys.exit(main(sys.argv[1:]))
    except Bad as bad: sys.exit(f"refused: {bad}")
