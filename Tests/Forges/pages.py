"""Long lists in pieces, and the Link header that leads from one to the next."""

import base64
import hashlib
import hmac
import re
import secrets
import urllib.parse

from .request import Refused

# A client that makes up a cursor instead of following the link is refused.
KEY = secrets.token_bytes(16)


def link(address, request, changes, relations):
    """`relations`: name to the parameters that lead there. What the request asked for stays in it."""
    parts = []
    for relation, parameters in relations.items():
        kept = [(name, value) for name, value in request.query if name not in changes]
        query = urllib.parse.urlencode(kept + list(parameters.items()))
        parts.append(f'<{address}{request.path}?{query}>; rel="{relation}"')
    return {"Link": ", ".join(parts)} if parts else {}


def whole(asked, name, usual, most=None):
    """A number from the query, at least 1 and capped as forges cap it."""
    text = asked.get(name, str(usual))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise Refused(400, f"{name} is invalid")
    return min(int(text), most) if most else int(text)


def numbered(address, request, asked, items, usual, most, size_name="per_page"):
    """By the number of the page. Returns the piece, and its headers."""
    page, size = whole(asked, "page", 1), whole(asked, size_name, usual, most)
    last = max(1, -(-len(items) // size))
    relations = {}
    if page > 1:
        relations["prev"] = page - 1
    if page < last:
        relations["next"] = page + 1
        relations["last"] = last
    if page > 1:
        relations["first"] = 1
    headers = link(address, request, {"page", size_name},
                   {name: {"page": number, size_name: size} for name, number in relations.items()})
    return items[(page - 1) * size:page * size], headers, (page, size, last)


def keyset(address, request, asked, items, usual, most):
    """By the last element that was seen, newest first: what comes or goes between two pages moves nothing. Items have an `id`."""
    size = whole(asked, "per_page", usual, most)
    items = sorted(items, key=lambda item: -item["id"])
    if "cursor" in asked:
        before = opened(asked["cursor"])
        items = [item for item in items if item["id"] < before]
    piece = items[:size]
    relations = {"next": {"cursor": sealed(piece[-1]["id"]), "per_page": size}} if len(items) > size else {}
    return piece, link(address, request, {"cursor", "per_page"}, relations)


def sealed(number):
    text = str(number).encode()
    return base64.urlsafe_b64encode(hmac.digest(KEY, text, hashlib.sha256)[:8] + text).decode()


def opened(cursor):
    try:
        whole = base64.urlsafe_b64decode(cursor)
    except ValueError:
        whole = b""
    if not hmac.compare_digest(hmac.digest(KEY, whole[8:], hashlib.sha256)[:8], whole[:8]):
        raise Refused(400, "cursor is invalid")
    return int(whole[8:])
