"""The plainest client there is, for tests that say every header themselves."""

import http.client
import json
import urllib.parse


class Reply:
    def __init__(self, answer):
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    @property
    def document(self):
        return json.loads(self.body)


def call(double, method, path, document=None, body=None, timeout=30, context=None, **headers):
    """One request on a connection of its own. A `document` is sent as JSON; headers are written `Job_Token`, and None leaves one out."""
    place = urllib.parse.urlsplit(double if isinstance(double, str) else double.url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname, place.port, timeout=timeout, **({"context": context} if context else {}))
    wanted = {"User-Agent": "bulkhead/1"}
    if document is not None:
        body = json.dumps(document).encode()
        wanted["Content-Type"] = "application/json"
    wanted |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, {name: value for name, value in wanted.items() if value is not None})
        return Reply(connection.getresponse())
    finally:
        connection.close()


def form(*files):
    """A form of (name, file name, content), and its type."""
    edge = "b0undary"
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
             f"Content-Type: application/octet-stream\r\n\r\n".encode() + content + b"\r\n" for name, file, content in files]
    return b"".join(parts) + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"
