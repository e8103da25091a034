"""Deliveries: what forges send on their own. Bodies are the recorded ones of Tests/ForgesTests/Payloads, with other values at some
places, so that the doubles and the tests of the parsers speak of the same documents."""

import concurrent.futures
import copy
import hashlib
import hmac
import http.client
import json
import pathlib
import urllib.parse

PAYLOADS = pathlib.Path(__file__).resolve().parents[1] / "ForgesTests/Payloads"


def recorded(forge, name, **values):
    """The recorded document with other values at paths, which are written `object_attributes__iid`. The path has to be there already,
    but for its last name."""
    document = json.loads((PAYLOADS / forge / f"{name}.json").read_text(encoding="utf-8"))
    for path, value in values.items():
        *folders, last = path.split("__")
        place = document
        for folder in folders:
            place = place[int(folder) if isinstance(place, list) else folder]
        place[last] = value
    return document


class Delivery:
    """One delivery, ready to be sent; everything in it can be changed before, which is how forgeries are made."""

    def __init__(self, document, headers):
        self.document = document
        self.body = json.dumps(document, ensure_ascii=False).encode()
        # Pairs, since an attack may repeat a header.
        self.headers = [("Content-Type", "application/json"), *headers]

    def with_headers(self, **values):
        """A copy with these headers in place of its own (`X_Hub_Signature_256`); None takes one away."""
        other = copy.copy(self)
        names = {name.replace("_", "-").lower() for name in values}
        other.headers = [pair for pair in self.headers if pair[0].lower() not in names]
        other.headers += [(name.replace("_", "-"), value) for name, value in values.items() if value is not None]
        return other

    def with_more(self, *pairs):
        """A copy with these headers besides its own."""
        other = copy.copy(self)
        other.headers = [*self.headers, *pairs]
        return other

    def with_body(self, body):
        """A copy with another body under the same signature."""
        other = copy.copy(self)
        other.body = body
        return other

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def send(self, address, timeout=30):
        """Posts it; returns the status and the answer's body."""
        place = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=timeout)
        try:
            connection.putrequest("POST", place.path or "/", skip_accept_encoding=True)
            for name, value in self.headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(self.body)))
            connection.endheaders(self.body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def storm(deliveries, address, threads=64):
    """All of them, many at a time, as at-least-once delivery and its attackers do it; their statuses in the order of the deliveries."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda delivery: delivery.send(address)[0], deliveries))


def signature(key, body, kind=hashlib.sha256):
    return hmac.new(key.encode() if isinstance(key, str) else key, body, kind).hexdigest()
