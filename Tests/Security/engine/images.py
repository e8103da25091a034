"""Images made by hand, with any configuration and any tree: what an author of images can do, and `docker build` would not."""

import hashlib
import io
import json
import tarfile

from spawnerd import PLATFORM, engine


def busybox_tree():
    """The members of bulkhead/busybox: (TarInfo, content)."""
    made = engine("POST", "/containers/create", {"Image": "bulkhead/busybox", "Cmd": ["true"]})[1]["Id"]
    exported = engine("GET", f"/containers/{made}/export")[1]
    engine("DELETE", f"/containers/{made}?force=true")
    members = []
    with tarfile.open(fileobj=io.BytesIO(exported)) as tar:
        for member in tar:
            # What the engine itself has put into every container is not the image's.
            if member.name.rstrip("/") in {"dev", "dev/console", "dev/pts", "dev/shm", ".dockerenv", "etc/hosts",
                                           "etc/hostname", "etc/resolv.conf", "etc/mtab"}:
                continue
            file = tar.extractfile(member) if member.isfile() else None
            members.append((member, file.read() if file else None))
    return members


def link(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
    return info, None


def plain(name, content=b"an image's file\n", mode=0o755):
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    return info, content


def folder(name, mode=0o755):
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    return info, None


def pack(members):
    """A tar of the members; what is below a path that another member takes for something else is left out."""
    taken = {info.name.strip("/"): info for info, _ in members if not info.isdir()}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            parts = info.name.strip("/").split("/")
            if any("/".join(parts[:n]) in taken for n in range(1, len(parts))) or (
                    info.isdir() and info.name.strip("/") in taken):
                continue
            tar.addfile(info, io.BytesIO(content) if content is not None else None)
    return out.getvalue()


def load(name, members=None, **config):
    """Gives the engine the image `name`:latest."""
    layer = pack(members if members is not None else TREE())
    architecture = PLATFORM.removeprefix("linux_")
    description = json.dumps({"architecture": architecture, "os": "linux", "config": config, "history": [{"created_by": name}],
                              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}})
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [f"{name}:latest"], "Layers": ["layer.tar"]}])
    archive = pack([plain("config.json", description.encode()), plain("manifest.json", manifest.encode()),
                    plain("layer.tar", layer)])
    status, answer = engine("POST", "/images/load?quiet=1", archive, "application/x-tar")
    assert status == 200 and b"error" not in (answer if isinstance(answer, bytes) else json.dumps(answer).encode()), answer


def remove(name):
    engine("DELETE", f"/images/{name}?force=true")


_tree = []


def TREE():
    if not _tree:
        _tree.extend(busybox_tree())
    return list(_tree)
