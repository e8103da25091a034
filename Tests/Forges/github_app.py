"""A GitHub App: its key, what it signs to say who it is (RFC 7519, RS256), and its installations."""

import base64
import dataclasses
import json
import pathlib
import tempfile

from .authority import openssl
from .people import Person
from .request import Refused

LONGEST = 600


@dataclasses.dataclass(eq=False)
class Installation:
    id: int
    app: object
    account: str
    permissions: dict
    # Paths of repositories.
    repositories: set
    suspended: bool = False


class App:
    def __init__(self, id, slug, bot: Person):
        self.id, self.slug, self.bot = id, slug, bot
        self.client_id = f"Iv23li{slug[:8]}{id:06d}"
        self.private_key = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048").decode()
        self.public_key = openssl("pkey", "-pubout", stdin=self.private_key.encode())
        self.installations = {}

    def install(self, account, *repositories, **permissions):
        """At an account, for these repositories (their paths): `checks="write", contents="read"`."""
        installation = Installation(1000 * self.id + len(self.installations) + 1, self, account, {"metadata": "read"} | permissions,
                                    set(repositories))
        self.installations[installation.id] = installation
        return installation

    def document(self):
        return {"id": self.id, "client_id": self.client_id, "slug": self.slug, "name": self.slug.title(), "node_id": f"A_{self.id}",
                "permissions": {}, "events": []}

    def statement(self, now, **changes):
        """A statement as it has to be; `changes` are for those that have to be refused. None takes a claim away."""
        header = {"alg": changes.pop("alg", "RS256"), "typ": "JWT"}
        body = {"iat": int(now) - 60, "exp": int(now) + 540, "iss": self.client_id} | changes
        text = b".".join(sealed(json.dumps({key: value for key, value in part.items() if value is not None}).encode())
                         for part in (header, body))
        with tempfile.NamedTemporaryFile(suffix=".pem") as key:
            key.write(self.private_key.encode())
            key.flush()
            return (text + b"." + sealed(openssl("dgst", "-sha256", "-sign", key.name, stdin=text))).decode()


def sealed(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def opened(text):
    if not text or set(text) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(statement, apps, now):
    """The app that a statement comes from. In GitHub's order: form, who, signature, times."""
    try:
        head, body, signature = statement.split(".")
        header, said = json.loads(opened(head)), json.loads(opened(body))
        signature = opened(signature)
        if header.get("alg") != "RS256" or not isinstance(said, dict):
            raise ValueError("not RS256")
    except (ValueError, AttributeError):
        raise Refused(401, "A JSON web token could not be decoded") from None
    issuer = said.get("iss")
    app = next((app for app in apps.values() if issuer in (app.client_id, app.id, str(app.id)) and issuer is not True), None)
    if app is None:
        raise Refused(404, "Integration not found")
    with tempfile.TemporaryDirectory() as folder:
        key, sign = pathlib.Path(folder, "key.pem"), pathlib.Path(folder, "signature")
        key.write_bytes(app.public_key)
        sign.write_bytes(signature)
        try:
            openssl("dgst", "-sha256", "-verify", key, "-signature", sign, stdin=f"{head}.{body}".encode())
        except RuntimeError:
            raise Refused(401, "A JSON web token could not be decoded") from None
    issued, ends = said.get("iat"), said.get("exp")
    if type(issued) is not int or issued > now:
        raise Refused(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
    if type(ends) is not int or ends <= now:
        raise Refused(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the "
                           "assertion expires")
    if ends > now + LONGEST:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
    return app
