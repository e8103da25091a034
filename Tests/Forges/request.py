"""A request as it came, read strictly, and what is answered to it."""

import email.errors
import json
import re
import urllib.parse

CONTROL = re.compile(r"[\0-\x1f\x7f]")
# The parser of the headers is one of mail, and misses the parts of a form, which it does not see.
OF_BODIES = (email.errors.StartBoundaryNotFoundDefect, email.errors.CloseBoundaryNotFoundDefect,
             email.errors.NoBoundaryInMultipartDefect, email.errors.MultipartInvariantViolationDefect)


class Refused(Exception):
    """The forge says no. `message` is a text, or a whole document where the forge's own has more in it."""

    def __init__(self, status, message="", **headers):
        super().__init__(status, message)
        self.status, self.message = status, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Answer:
    def __init__(self, status=200, body=b"", content_type="application/json", **headers):
        self.status, self.body = status, body
        self.headers = {} if status in (204, 304) else {"Content-Type": content_type}
        self.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    @staticmethod
    def of(document, status=200, **headers):
        return Answer(status, json.dumps(document, separators=(",", ":")).encode(), **headers)


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.path, _, query = target.partition("?")
        try:
            self.query = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict") if query else []
        except (ValueError, UnicodeDecodeError):
            raise Refused(400, "Bad Request: the query is malformed") from None
        if any(CONTROL.search(text) for pair in self.query for text in pair):
            raise Refused(400, "Bad Request: control characters in the query")
        self.arguments = {}
        # Who it is, and what a forge wants to remember from its first look to its last.
        self.token = None

    def __repr__(self):
        return f"<{self.method} {self.target}>"

    def header(self, name, default=None):
        """The header's one value; a second one is refused, since others would read the other."""
        values = self.headers.get_all(name, [])
        if len(values) > 1:
            raise Refused(400, f"Bad Request: {name} is repeated")
        return values[0] if values else default

    @staticmethod
    def decoded(arguments):
        try:
            decoded = {name: urllib.parse.unquote(value, errors="strict") for name, value in arguments.items()}
        except UnicodeDecodeError:
            raise Refused(400, "Bad Request: the path is not UTF-8") from None
        if any(CONTROL.search(value) for value in decoded.values()):
            raise Refused(400, "Bad Request: control characters in the path")
        return decoded

    def asked(self, *known):
        """The query as a map, where only these names are known and each stands once; `name[]` is a list."""
        found = {}
        for name, value in self.query:
            if name not in known:
                raise Refused(400, f"{name} is unknown")
            if name.endswith("[]"):
                found.setdefault(name, []).append(value)
            elif name in found:
                raise Refused(400, f"{name} is repeated")
            else:
                found[name] = value
        return found

    def content_type(self, *wanted):
        """The one of `wanted` that it is, with its parameters; anything else is a 415."""
        given = self.header("Content-Type", "")
        kind, _, rest = given.partition(";")
        if kind.strip().lower() not in wanted:
            raise Refused(415, f"The provided content-type '{given}' is not supported.")
        return kind.strip().lower(), rest.strip()

    def json(self):
        """The body, which has to be one JSON object in UTF-8, and of which there is one reading only."""
        _, rest = self.content_type("application/json")
        if rest and rest.lower().replace('"', "") != "charset=utf-8":
            raise Refused(415, f"The provided charset '{rest}' is not supported.")

        def once(pairs):
            if len({name for name, _ in pairs}) != len(pairs):
                raise ValueError("a key is repeated")
            return dict(pairs)

        def never(name):
            raise ValueError(f"{name} is no JSON")

        try:
            document = json.loads(self.body.decode("utf-8", "strict"), object_pairs_hook=once, parse_constant=never)
        except (ValueError, RecursionError):
            raise Refused(400, "Problems parsing JSON") from None
        if not isinstance(document, dict):
            raise Refused(400, "Body should be a JSON object")
        return document


def read(handler, authority, most):
    """Reads one request from the connection. What two readers could read in two ways is refused."""
    headers = handler.headers
    if any(not isinstance(defect, OF_BODIES) for defect in headers.defects) or \
            any("\r" in value or "\n" in value for value in headers.values()):
        raise Refused(400, "Bad Request: malformed headers")
    if handler.request_version != "HTTP/1.1":
        raise Refused(505, "HTTP Version Not Supported")
    if headers.get_all("Host") != [authority]:
        raise Refused(400, "Bad Request: not this host")
    # Not `handler.path`, which is already tidied.
    target = handler.requestline.split(" ")[1]
    if not re.fullmatch(r"/[!-\"$-~]*", target):
        raise Refused(400, "Bad Request: not a path of this server")
    lengths, codings = headers.get_all("Content-Length", []), headers.get_all("Transfer-Encoding", [])
    if len(lengths) + len(codings) > 1:
        raise Refused(400, "Bad Request: two lengths")
    if headers.get_all("Content-Encoding") and not target.endswith(".git/git-upload-pack"):
        raise Refused(415, "Unsupported Media Type: compressed")
    if codings:
        body = chunks(handler.rfile, most) if codings[0].lower() == "chunked" else None
    else:
        length = lengths[0] if lengths else "0"
        body = exactly(handler.rfile, int(length), most) if re.fullmatch(r"[0-9]{1,15}", length) else None
    if body is None:
        raise Refused(400, "Bad Request: no length that is one")
    return Request(handler.command, target, headers, body)


def exactly(stream, length, most):
    if length > most:
        raise Refused(413, "Request Entity Too Large")
    body = stream.read(length)
    if len(body) < length:
        raise ConnectionResetError("it ended early")
    return body


def chunks(stream, most):
    parts, total = [], 0
    while True:
        size = stream.readline(32)
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}\r\n", size):
            raise Refused(400, "Bad Request: not a chunk")
        length = int(size, 16)
        total += length
        parts.append(exactly(stream, length, most - total + length))
        if stream.readline(3) != b"\r\n":
            raise Refused(400, "Bad Request: a chunk without an end")
        if length == 0:
            return b"".join(parts)
