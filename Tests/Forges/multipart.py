"""A form with files (RFC 7578), read strictly."""

import re

from .request import Refused


def parts(request):
    """Name to (file name or None, content); each name once."""
    _, rest = request.content_type("multipart/form-data")
    match = re.fullmatch(r'boundary="?([0-9A-Za-z\'()+_,./:=?-]{1,70})"?', rest)
    if not match:
        raise Refused(400, "Bad Request: no boundary")
    line = b"--" + match[1].encode()
    pieces = (b"\r\n" + request.body).split(b"\r\n" + line)
    if len(pieces) < 3 or pieces[0] or pieces[-1] not in (b"--", b"--\r\n"):
        raise Refused(400, "Bad Request: the form has no end, or something around it")
    found = {}
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        about = re.search(rb'\r\ncontent-disposition: form-data; name="([^"\r\n]{1,64})"(?:; filename="([^"\r\n/\\]{0,255})")?(?:\r\n|$)',
                          head, re.IGNORECASE)
        if not separator or not about:
            raise Refused(400, "Bad Request: a part without a name")
        name = about[1].decode()
        if name in found:
            raise Refused(400, f"Bad Request: {name} is repeated")
        found[name] = (None if about[2] is None else about[2].decode(), content)
    return found
