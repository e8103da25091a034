"""An object store to which a forge sends downloads, on a port of its own. Its addresses are signed; whoever shows it a forge's
credentials, or anybody's, has leaked them, and is refused."""

import secrets

from .request import Answer, Refused
from .server import Double, route

CREDENTIALS = ("JOB-TOKEN", "PRIVATE-TOKEN", "RUNNER-TOKEN", "Authorization", "Cookie")


class Store(Double):
    # How long an address holds.
    seconds = 300

    def __init__(self, tls=None):
        super().__init__(tls)
        self.objects = {}
        # Headers that nobody should have sent.
        self.leaks = []

    def put(self, name, content):
        key = secrets.token_urlsafe(24)
        self.objects[key] = (name, content, self.clock.now() + self.seconds)
        return f"{self.url}/bucket/{key}?X-Signature={key[::-1]}"

    def admit(self, request):
        leaked = [name for name in CREDENTIALS if request.header(name) is not None]
        self.leaks += leaked
        if leaked:
            raise Refused(400, f"{leaked[0]} has no business here")

    @route("GET", "/bucket/:key")
    def get(self, request):
        key, asked = request.arguments["key"], request.asked("X-Signature")
        if key not in self.objects or asked.get("X-Signature") != key[::-1]:
            raise Refused(403, "SignatureDoesNotMatch")
        name, content, end = self.objects[key]
        if self.clock.now() >= end:
            raise Refused(403, "AccessDenied: the request has expired")
        return Answer(200, content, "application/octet-stream", Content_Disposition=f'attachment; filename="{name}"')
