"""Grants made by hand at the broker of a running house, for the attacks on it."""

import os
import pathlib
import secrets
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from seal import open_grant  # noqa: E402
from wire import decoded  # noqa: E402

ALPHA, BETA = secrets.token_hex(16).encode(), secrets.token_hex(16).encode()
# A job that tells its token backwards, which no mask knows, and then waits.
TELLS_TOKEN = """\
name: token
image: bulkhead/busybox
resources: {cpus: 0.25, memory: 64MiB, disk: 16MiB}
steps:
  - name: tells
    run: |
      echo "$TOKEN" | rev
      while [ ! -e /tmp/never ]; do sleep 0.1; done
    secrets: {TOKEN: bulkhead-job-token}
"""


def audit(house):
    return (house.state / "brokerd/audit.log").read_text().splitlines()


class Granted:
    """A grant made by hand: prepared for a runner of ours, whose key only root can read for us."""

    def __init__(self, house, broker):
        self.broker, self.runner = broker, os.urandom(16).hex()
        self.grant = broker.call("Prepare", runner=self.runner)["grant"]
        self.directory = house.state / "run/grants" / self.grant
        self.key = (self.directory / "key").read_bytes()

    def ask(self, ticket, attempt, runner=None):
        return self.broker.code("Grant", ticket=ticket, grant=self.grant, runner=runner or self.runner, attempt=attempt, taken=False,
                                values=None)

    def body(self):
        """What the runner would read; None: nothing that its key opens."""
        file = self.directory / "grant"
        plain = open_grant(self.key, bytes.fromhex(self.runner), file.read_bytes()) if file.exists() else None
        return decoded("GrantBody", plain) if plain else None

    def discard(self):
        self.broker.call("Discard", grant=self.grant)


def attempt(job, number=1):
    return {"job": job, "attempt": number, "epoch": 1}
