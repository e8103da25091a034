#!/usr/bin/env python3
"""Writes the vectors of every edge anew: accept_* from the hand-written vectors/EDGE/values.json, reject_* from these by
rule. Encodes with decode.py only, never with the Swift code that the vectors are to judge."""
import copy, json, re, sys

sys.dont_write_bytecode = True
from decode import Raw, encode, encode_frame, vector_text
from schema import EDGES, HERE, message, scope

def snake(name): return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def frame(kind, name, request, deadline, body):
    return {"kind": kind, "message": name, "id": request, "deadline_ms": deadline, "body": body}


def accepts(edge, values):
    """(file name, side, frame, what it is)"""
    e = EDGES[edge].edge
    for side in ("client", "server"):
        hello = {"magic": b"BULKHEAD-WIRE-1\n".hex(), "major": int(e["version"]), "minor_lowest": 0,
                 "minor_highest": int(e["minor"]), "role": e[side], "frame_limit": int(e["limit"]), "window": 64}
        yield f"hello_{side}", side, frame("control", "Hello", 0, 0, hello), "the first frame"
    yield "goodbye", "server", frame("control", "Goodbye", 0, 0, {"code": 5, "text": "GetJob before Hello"}), "the last frame"
    yield "abandon", "client", frame("control", "Abandon", 0, 0, {"request_id": 7}), "request 7 is no longer wanted"
    yield "abandon_2", "server", frame("control", "Abandon", 0, 0, {"request_id": 2**64 - 1}), "the highest id"
    number = 0
    for name, bodies in values.items():
        op = EDGES[edge].decls[name][2]
        asks, answers = op["from"], "server" if op["from"] == "client" else "client"
        for kind, list_ in bodies.items():
            for index, body in enumerate(list_):
                number += 1
                side, deadline = (asks, 30000) if kind == "request" else (answers, 0)
                suffix = "" if index == 0 else f"_{index + 1}"
                yield f"{snake(name)}_{kind}{suffix}", side, frame(kind, name, number, deadline, body), f"{kind} of {name}"
        failure = {"code": 13, "place": "" if number % 2 else "spec.steps[0].run", "text": "cannot do it: größer als erlaubt"}
        yield f"{snake(name)}_error", answers, frame("error", name, number, 0, failure), f"error in answer to {name}"
        if "item" in bodies:
            yield f"{snake(name)}_end", answers, frame("end", name, 2**64 - 1, 0, {}), f"end of the items of {name}"


def length(kind, count): return count.to_bytes(2 if kind[2] <= 65535 else 4, "big")


def wrong_values(kind, value, decls):
    """(what, reason, Raw) for one place of a type; whatever follows it in the frame stays as it was."""
    word = kind[0]
    if word in ("text", "bytes"):
        fill = b"a" if word == "text" else b"\0"
        yield "above_bound", "out_of_bounds", Raw(length(kind, kind[2] + 1) + fill * (kind[2] + 1))
        if kind[1] > 0: yield "below_bound", "out_of_bounds", Raw(length(kind, kind[1] - 1) + fill * (kind[1] - 1))
    if word == "text" and kind[2] >= 8:
        for what, reason, data in (("nul", "nul_in_text", b"a\0b"), ("utf8_stray", "bad_utf8", b"a\x80"),
                                   ("utf8_overlong", "bad_utf8", b"\xc0\xaf"), ("utf8_surrogate", "bad_utf8", b"\xed\xa0\x80"),
                                   ("utf8_above", "bad_utf8", b"\xf4\x90\x80\x80"), ("utf8_cut", "bad_utf8", b"a\xe2\x82")):
            yield what, reason, Raw(length(kind, len(data)) + data)
    if word == "list":
        element = b"".join(part for _, part in encode(kind[3], value[0], decls, "")) if value else b"\0" * 64
        yield "above_bound", "out_of_bounds", Raw(length(kind, kind[2] + 1) + element * (kind[2] + 1))
        if kind[1] > 0: yield "below_bound", "out_of_bounds", Raw(length(kind, kind[1] - 1))
    if word == "bool": yield "two", "bad_bool", Raw(b"\2")
    if word == "option": yield "two", "bad_option", Raw(b"\2")
    if word in decls and decls[word][0] in ("enum", "union"):
        for number in (0, max(decls[word][2]) + 1):
            yield f"case_{number}", "unknown_case", Raw(number.to_bytes(decls[word][1], "big"))


def places(kind, value, decls, path, owner, lead=b""):
    """(owner: the field's type and name, path, type, value, bytes to stand before it) of every place in a value."""
    yield owner, path, kind, value, lead
    word = kind[0]
    if word == "list" and value: yield from places(kind[3], value[0], decls, path + [0], owner)
    if word == "option" and value is not None: yield from places(kind[1], value, decls, path, owner, b"\1")
    if word in decls and decls[word][0] == "struct":
        for name, field in decls[word][2]:
            yield from places(field, value[name], decls, path + [name], f"{word}.{name}")
    if word in decls and decls[word][0] == "union":
        (case, inner), = value.items()
        struct = next(s for c, s in decls[word][2].values() if c == case)
        yield from places((struct,), inner, decls, path + [case], struct)


def put(body, path, raw):
    body = copy.deepcopy(body)
    at = body
    for key in path[:-1]: at = at[key]
    at[path[-1]] = raw
    return body


def rejects(edge, accepted):
    """(file name, side, fds, bytes, reason, what)"""
    decls, done = scope(edge), set()
    for name, side, value, _ in accepted:
        fields = message(edge, value["kind"], decls[value["message"]][1])[1]
        top = "Failure" if value["kind"] == "error" else value["message"] + "." + value["kind"]
        for field, kind in fields:
            if kind[0] == "fd": continue
            for owner, path, inner, at, lead in places(kind, value["body"][field], decls, [field], f"{top}.{field}"):
                for what, reason, raw in wrong_values(inner, at, decls):
                    # Wrong UTF-8 once an edge; bounds and cases once for every field.
                    key = what if reason in ("bad_utf8", "nul_in_text") else (owner, inner, what)
                    if key in done: continue
                    done.add(key)
                    wrong = {**value, "body": put(value["body"], path, Raw(lead + raw))}
                    parts = encode_frame(edge, wrong)
                    data = b"".join(part for _, part in parts)
                    place = ".".join(str(p) for p in path)
                    yield f"{name}_{place.replace('.', '_')}_{what}", side, parts[0][1][7], data, reason, f"{owner}: {what}"
    yield from broken_frames(edge, accepted)


def broken_frames(edge, accepted):
    limit = int(EDGES[edge].edge["limit"])
    control = [a for a in accepted if a[0] == "hello_client"][0]
    request = [a for a in accepted if a[0].endswith("_request")][0]
    reply = [a for a in accepted if a[0].endswith(("_reply", "_item"))][0]
    called = reply[0].endswith("_reply")
    def data(a): return b"".join(part for _, part in encode_frame(edge, a[2]))
    def patch(a, at, new): return data(a)[:at] + new + data(a)[at + len(new):]
    r, side, fds = data(request), request[1], data(request)[7]
    other = "server" if side == "client" else "client"
    for length_, reason in ((0, "frame_length"), (15, "frame_length"), (limit + 1, "frame_too_large"), (2**32 - 1, "frame_too_large")):
        yield f"frame_length_{length_}", side, fds, patch(request, 0, length_.to_bytes(4, "big")), reason, f"length {length_}"
    for kind in (0, 7, 255):
        yield f"frame_kind_{kind}", side, fds, patch(request, 6, bytes([kind])), "frame_kind", f"reserved kind {kind}"
    for number in (0, 999, 65535):
        yield f"frame_type_{number}", side, fds, patch(request, 4, number.to_bytes(2, "big")), "unknown_message", f"no message {number}"
    yield "frame_control_type_3", "client", 0, patch(control, 4, b"\0\3"), "unknown_message", "Failure is no control message"
    yield "frame_control_type_5", "client", 0, patch(control, 4, b"\0\5"), "unknown_message", "no control message 5"
    yield "frame_request_from_wrong_side", other, fds, r, "unknown_message", "a request from the side that answers it"
    yield "frame_reply_from_wrong_side", side, data(reply)[7], data(reply), "unknown_message", "an answer from the side that asks"
    if called: yield "frame_item_of_call", other, 0, patch(reply, 6, b"\4"), "unknown_message", "an item in answer to a call"
    else: yield "frame_reply_of_stream", other, data(reply)[7], patch(reply, 6, b"\2"), "unknown_message", "a reply in answer to a stream"
    yield "frame_request_id_0", side, fds, patch(request, 8, bytes(8)), "bad_request_id", "a request without an id"
    yield "frame_control_request_id_1", "client", 0, patch(control, 8, bytes(7) + b"\1"), "bad_request_id", "a control frame with an id"
    yield "frame_reply_deadline", other, data(reply)[7], patch(reply, 16, b"\0\0\0\1"), "bad_deadline", "a deadline on a reply"
    yield "frame_fd_count_above", side, fds + 1, patch(request, 7, bytes([fds + 1])), "wrong_fds", "one descriptor too many, as announced"
    yield "frame_fd_count_255", side, fds, patch(request, 7, b"\xff"), "wrong_fds", "255 descriptors announced"
    yield "frame_fd_unannounced", side, fds + 1, r, "wrong_fds", "one descriptor more than announced"
    for a in accepted:
        if data(a)[7]:
            yield f"{a[0]}_without_fd", a[1], 0, data(a), "wrong_fds", "the announced descriptor did not come"
            yield f"{a[0]}_fd_count_0", a[1], 0, patch(a, 7, b"\0"), "wrong_fds", "the message needs a descriptor"
    yield "frame_empty", side, 0, b"", "truncated", "nothing at all"
    yield "frame_header_cut", side, fds, r[:19], "truncated", "the header lacks a byte"
    yield "frame_body_cut", side, fds, r[:-1], "truncated", "the body lacks a byte"
    yield "frame_trailing", side, fds, (len(r) - 3).to_bytes(4, "big") + r[4:] + b"\0", "trailing_bytes", "a byte behind the last field"


def hex_words(data):
    """Runs of 24 equal bytes and more as `hh*N`."""
    words = []
    for run in re.finditer(rb"(.)\1{23,}|(?:(?!(.)\2{23}).)+", data, re.DOTALL):
        part = run.group()
        words += [f"{part[0]:02x}*{len(part)}"] if run.group(1) else [part[i:i + 48].hex() for i in range(0, len(part), 48)]
    return "\n".join(words)


def main():
    for edge in EDGES:
        folder = HERE / "vectors" / edge
        accepted = list(accepts(edge, json.loads((folder / "values.json").read_text())))
        for old in folder.glob("*.hex"): old.unlink()
        for name, side, value, says in accepted:
            (folder / f"accept_{name}.hex").write_text(vector_text(edge, side, value, says))
        for name, side, fds, data, reason, says in rejects(edge, accepted):
            text = f"# frame from {side}; fds {fds}\n# {says}\n# reject {reason}\n{hex_words(data)}\n"
            (folder / f"reject_{name}.hex").write_text(text)
        print(edge, len(list(folder.glob("accept_*"))), "accept,", len(list(folder.glob("reject_*"))), "reject")


if __name__ == "__main__": sys.exit(main())
