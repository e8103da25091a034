"""Git's smart protocol over HTTP, to fetch by and not to push: for programs that clone from a double as they do from the forge."""

import base64
import gzip

from .request import Answer, Refused

SERVICE = "git-upload-pack"


def credentials(request):
    """User and password; git sends none before it is asked."""
    kind, _, value = (request.header("Authorization") or "").partition(" ")
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        user = password = ""
    if kind != "Basic" or not password:
        raise challenge()
    return user, password


def challenge():
    return Refused(401, "HTTP Basic: Access denied.", WWW_Authenticate='Basic realm="forge"')


def references(request, repository):
    """`GET .../info/refs?service=git-upload-pack`"""
    if request.asked("service") != {"service": SERVICE}:
        raise Refused(403, "You are not allowed to push, and the old protocol is not spoken.")
    protocol = request.header("Git-Protocol")
    told = repository.git("upload-pack", "--stateless-rpc", "--http-backend-info-refs", str(repository.folder), protocol=protocol)
    banner = f"# service={SERVICE}\n"
    return Answer(200, f"{len(banner) + 4:04x}{banner}0000".encode() + told, f"application/x-{SERVICE}-advertisement",
                  Cache_Control="no-cache")


def pack(request, repository):
    """`POST .../git-upload-pack`"""
    request.content_type(f"application/x-{SERVICE}-request")
    # The one body that a client may compress, and git does.
    body = gzip.decompress(request.body) if request.header("Content-Encoding") == "gzip" else request.body
    told = repository.git("upload-pack", "--stateless-rpc", str(repository.folder), stdin=body, protocol=request.header("Git-Protocol"))
    return Answer(200, told, f"application/x-{SERVICE}-result", Cache_Control="no-cache")
