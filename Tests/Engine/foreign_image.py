#!/usr/bin/env python3
"""foreign_image.py ARCHITECTURE NAME COMMENT LAYER OUTPUT: an image as `docker save` writes it, of one layer, for another processor.
Its configuration says which: `docker import` has no word for that on older engines."""

import hashlib
import io
import json
import sys
import tarfile


def main(architecture, name, comment, layer, output):
    with open(layer, "rb") as file:
        content = file.read()
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    config = json.dumps({
        "architecture": architecture, "os": "linux", "comment": comment, "created": "1970-01-01T00:00:00Z", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
        "history": [{"created": "1970-01-01T00:00:00Z", "comment": comment}]}).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(output, "w") as archive:
        for member, data in [(config_name, config), ("layer.tar", content), ("manifest.json", manifest)]:
            header = tarfile.TarInfo(member)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))


if __name__ == "__main__":
    main(*sys.argv[1:])
