"""Reads the .wire files for decode.py and vectors.py; knows nothing of the Swift generator. GRAMMAR.md is the rule."""
import hashlib, pathlib, re, sys

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {1: "request", 2: "reply", 3: "error", 4: "item", 5: "end", 6: "control"}
INTS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


class File:
    """One .wire file: `edge` (a dict or None) and `decls`, name -> (keyword, number, body, canonical text)."""

    def __init__(self, path):
        text = re.sub(r"#.*", "", path.read_text()) if path.stem != "errors" else ""
        self.name, self.edge, self.decls = path.stem, None, {}
        self.tok = re.findall(r"[A-Za-z]\w*|\d+|\.\.|->|[{}<>\[\]:=.,]", text) + [""]
        self.at = 0
        while self.tok[self.at]:
            start, word = self.at, self.take()
            if word == "use": self.take()
            elif word == "edge": self.edge = self.header()
            elif word not in ("types", "link"):
                name = self.take()
                number, body = self.declaration(word)
                self.decls[name] = (word, number, body, " ".join(self.tok[start:self.at]))

    def take(self, want=None):
        token = self.tok[self.at]
        if want not in (None, token): sys.exit(f"{self.name}.wire: expected {want}, found {token}")
        self.at += 1
        return token

    def header(self):
        edge = {"name": self.take()}
        self.take("{")
        for key in ("number", "version", "limit", "client", "server"):
            self.take(key)
            edge[key] = self.take()
            if key == "version": edge["minor"] = (self.take("."), self.take())[1]
        self.take("phases")
        edge["phases"] = []
        while self.tok[self.at] != "}": edge["phases"].append(self.take())
        self.take("}")
        return edge

    def declaration(self, word):
        if word == "struct": return 0, self.fields()
        if word == "message": return (self.take("="), int(self.take()))[1], self.fields()
        if word in ("enum", "union"):
            self.take(":")
            width, body = INTS[self.take()], {}
            self.take("{")
            while self.tok[self.at] != "}":
                case, value = self.take(), (self.take("="), int(self.take()))[1]
                body[value] = (case, (self.take(":"), self.take())[1] if word == "union" else None)
            self.take("}")
            return width, body
        number = (self.take("="), int(self.take()))[1]
        op = {"since": int((self.take(), self.take())[1]) if self.tok[self.at] == "since" else 0}
        op["from"] = (self.take("from"), self.take())[1]
        while self.take() != "{": pass
        for part in ("request", "item" if word == "stream" else "reply"):
            self.take(part)
            op[part] = self.fields()
        self.take("}")
        return number, op

    def fields(self):
        self.take("{")
        fields = []
        while self.tok[self.at] != "}": fields.append((self.take(), (self.take(":"), self.type())[1]))
        self.take("}")
        return fields

    def type(self):
        word = self.take()
        if word == "bytes" and self.tok[self.at] == "[":
            self.take("[")
            size = int(self.take())
            self.take("]")
            return ("fixed", size)
        inner = None
        if word in ("list", "option", "fd"):
            self.take("<")
            inner = self.take() if word == "fd" else self.type()
            self.take(">")
        if word in ("bytes", "text", "list"):
            self.take("<")
            low, high = int(self.take()), (self.take(".."), int(self.take()))[1]
            self.take(">")
            return (word, low, high, inner)
        return (word, inner)


FILES = {path.stem: File(path) for path in sorted(HERE.glob("*.wire"))}
EDGES = {name: file for name, file in FILES.items() if file.edge}
# Control messages by number: all of link.wire but the error frame's payload.
CONTROL = {d[1]: name for name, d in FILES["link"].decls.items() if d[0] == "message" and name != "Failure"}
SHARED = {**FILES["types"].decls, **FILES["link"].decls}


def scope(edge): return {**SHARED, **EDGES[edge].decls}


def reach(fields, decls, seen):
    """Names that these fields mention, and what those mention."""
    for _, kind in fields:
        while kind[0] in ("list", "option"): kind = kind[-1]
        if kind[0] in decls and kind[0] not in seen:
            seen.add(kind[0])
            word, _, body, _ = decls[kind[0]]
            if word == "struct": reach(body, decls, seen)
            if word == "union": reach([(case, (struct,)) for case, struct in body.values()], decls, seen)
    return seen


def canonical_hash(edge, minor):
    e, decls = EDGES[edge].edge, scope(edge)
    control = [d for d in FILES["link"].decls.values() if d[0] == "message"]
    ops = sorted((d for d in EDGES[edge].decls.values() if d[0] in ("call", "stream")), key=lambda d: d[1])
    ops = [d for d in ops if d[2]["since"] <= minor]
    seen = set()
    for d in control: reach(d[2], decls, seen)
    for d in ops:
        for part in ("request", "reply", "item"): reach(d[2].get(part, []), decls, seen)
    lines = [f"edge {edge} {e['number']} {e['version']}.{minor} limit {e['limit']} client {e['client']} "
             f"server {e['server']} phases {' '.join(e['phases'])}"]
    lines += [decls[name][3] for name in sorted(seen)] + [d[3] for d in control + ops]
    return hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest()


def message(edge, kind, number):
    """(declaration's name, body fields, who sends it), or None."""
    if kind == "control":
        found = CONTROL.get(number)
        return found and (found, SHARED[found][2], None)
    for name, (word, n, op, _) in EDGES[edge].decls.items():
        if word in ("call", "stream") and n == number:
            other = {"client": "server", "server": "client"}[op["from"]]
            if kind == "error": return name, SHARED["Failure"][2], other
            if kind == "end": return (name, [], other) if word == "stream" else None
            return (name, op[kind], op["from"] if kind == "request" else other) if kind in op else None
    return None


def descriptors(fields): return sum(kind[0] == "fd" for _, kind in fields)
