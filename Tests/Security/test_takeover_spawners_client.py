"""What a taken-over schedulerd can ask of spawnerd: no container of another shape, nobody else's, no grant twice. None gets a secret of a
trusted job for code of its own choice, a container of another shape, another job's log, or the engine."""

import json
import os
import pathlib
import socket
import struct
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from house import engine  # noqa: E402
from takeover import container, Takeover, Scheduling  # noqa: E402
from wire import Refused, decode, shape  # noqa: E402


class SpawnersClient(Takeover, Scheduling):
    """The spawner's socket in the hands of somebody who wants a container of another shape."""

    daemon = "bulkhead-schedulerd"
    # What a request may choose: the limits, the image, and which grant.
    CHOSEN = {"Memory", "MemoryReservation", "MemorySwap", "NanoCpus", "PidsLimit", "ShmSize", "Tmpfs", "Mounts", "Ulimits", "Binds",
              "CpuQuota", "CpuPeriod"}

    def setUp(self):
        self.begin()

    def test_other_shapes(self):
        """P4: whatever is said at the spawner's socket, no container is made but one of the house's shape: nothing else can be said, or it
        is refused. The control: a privileged container that root makes at the engine is seen to differ."""
        runner, grant = self.runner()
        model = container(self.house, runner)["HostConfig"]
        mib = 1 << 20
        for what, asked in {
                "the build profile, which this site does not allow": {"profile": "build"},
                "options in the name of the image": {"image": "bulkhead/busybox --privileged"},
                "a way out of the URL": {"image": "../../containers/json"}, "an empty place": {"image": "a//b"},
                "another processor": {"platform": "linux_riscv64"},
                "all of the memory": {"memory_bytes": 2**64 - 1}, "no memory": {"memory_bytes": 0}, "no limit of processes": {"pids": 0},
                "all processes": {"pids": 2**32 - 1}, "no processor": {"cpu_millis": 0}, "all processors": {"cpu_millis": 2**32 - 1},
                "no disk": {"disk_bytes": 0}, "a disk beyond its memory": {"disk_bytes": 65 * mib}}.items():
            other, its_grant = self.prepare()
            wanted = shape(**{k: v for k, v in asked.items() if k != "platform"}) | {k: v for k, v in asked.items() if k == "platform"}
            self.assertIn(self.create(other, its_grant, wanted), {"denied_by_policy", "invalid", "image_missing", "image_refused"}, what)
            self.assertIsNone(container(self.house, other), what)
        for device in ["/dev/mem", "../sda", "/dev/dri/renderD128", "all", "GPU-00000000-0000-0000-0000-000000000000"]:
            other, its_grant = self.prepare()
            for gpus in (None, {"count": 1, "vendor": None}):
                code = self.create(other, its_grant, shape() | {"gpus": gpus}, devices=[device])
                self.assertEqual(code, "denied_by_policy", f"R17: the device {device}")
            self.assertIsNone(container(self.house, other), device)
        for what, asked in {"another image": shape("bulkhead/debian"), "small": shape(memory_bytes=20 * mib, pids=9, disk_bytes=2 * mib),
                            "untrusted": shape()}.items():
            other, its_grant = self.runner(shape=asked, trust="untrusted" if what == "untrusted" else "trusted")
            seen = container(self.house, other)
            self.assertEqual(self.differences(model, seen["HostConfig"]), set(), what)
            places = {m["Source"]: m["RW"] for m in seen["Mounts"] if m["Type"] == "bind"}
            self.assertEqual(set(places.values()), {False}, what)
            self.assertEqual({pathlib.Path(place).name for place in places}, {its_grant, "bulkhead-runner"}, what)
        status, made = engine("POST", "/containers/create", {"Image": "bulkhead/busybox", "Cmd": ["true"], "HostConfig": {
            "Privileged": True, "UsernsMode": "host", "NetworkMode": "host", "Binds": ["/:/host"]}})
        self.assertEqual(status, 201)
        self.addCleanup(engine, "DELETE", f"/containers/{made['Id']}?force=true")
        seen = engine("GET", f"/containers/{made['Id']}/json")[1]["HostConfig"]
        self.assertLessEqual({"Privileged", "NetworkMode", "SecurityOpt", "ReadonlyRootfs"}, self.differences(model, seen), "the control")

    def differences(self, model, seen):
        return {key for key in model.keys() | seen.keys() if model.get(key) != seen.get(key)} - self.CHOSEN

    def test_words_that_do_not_exist(self):
        """P4: a profile, a platform, a field that the language does not have: goodbye, and spawnerd lives. The control is the same frame
        with the words that it has."""
        runner, grant = self.prepare()
        body = {"runner": runner, "epoch": 1 << 40, "shape": shape(), "trust": "trusted", "grant": grant,
                "devices": []}
        frame = b"".join(data for _, data in decode.encode_frame(
            "spawner", {"kind": "request", "message": "CreateRunner", "id": 1, "deadline_ms": 0, "body": body}))
        profile = frame.index(b"bulkhead/busybox") + len(b"bulkhead/busybox") + 1
        for what, data in {"another profile": frame[:profile] + b"\3" + frame[profile + 1:],
                           "another platform": frame[:profile - 1] + b"\7" + frame[profile:],
                           "more fields": struct.pack(">L", len(frame)) + frame[4:] + b"\1\0\0\0"}.items():
            other = self.taken.peer("spawner")
            with self.assertRaises(Refused, msg=what) as refused:
                other.send_raw(data)
                other.receive()
            self.assertIn(refused.exception.code, {"malformed"}, what)
            self.assertIsNone(container(self.house, runner), what)
        other = self.taken.peer("spawner")
        other.send_raw(frame)
        self.assertEqual(other.receive()[0]["kind"], "reply", "the control")

    def test_containers_of_others(self):
        """P4: and P5: a container that is not of this house is not attached or removed, whatever it is called; a grant is in one
        container; a grant that brokerd did not make is in none; an older epoch makes none. The controls: with our labels it is removed,
        and with a grant of its own it is made."""
        runner, grant = self.prepare()
        name = f"bulkhead-{self.house.instance()}-{runner}"
        labels = {"bulkhead.instance": self.house.instance(), "bulkhead.runner": runner}
        for what, own in {"a stranger's": {}, "another house's": labels | {"bulkhead.instance": "0" * 16}, "the control": labels}.items():
            plan = {"Image": "bulkhead/busybox", "Cmd": ["true"], "Labels": own}
            status, made = engine("POST", f"/containers/create?name={name}", plan)
            self.assertEqual(status, 201, made)
            self.addCleanup(engine, "DELETE", f"/containers/{made['Id']}?force=true")
            if what == "the control":
                self.assertEqual(self.spawner.code("RemoveRunner", runner=runner), "ok")
                self.assertEqual(engine("GET", f"/containers/{made['Id']}/json")[0], 404, what)
                continue
            for message in ("RemoveRunner", "AttachRunner"):
                self.assertEqual(self.spawner.code(message, runner=runner), "conflict", f"{message}: {what}")
            self.assertNotEqual(self.create(runner, grant), "ok", what)
            self.assertEqual(engine("GET", f"/containers/{made['Id']}/json")[0], 200, what)
            engine("DELETE", f"/containers/{made['Id']}?force=true")
        first, its_grant = self.runner()
        second, unused = self.prepare()
        self.assertEqual(self.create(second, its_grant), "conflict", "a grant in two containers")
        made_up = os.urandom(16).hex()
        self.assertNotEqual(self.create(second, made_up), "ok", "a grant that nobody prepared")
        self.assertFalse((self.house.state / "run/grants" / made_up).exists())
        self.assertEqual(self.create(second, unused, epoch=(1 << 40) - 1), "conflict", "an older epoch")
        self.assertIsNone(container(self.house, second))
        self.assertEqual(self.create(second, unused), "ok", "the control")


if __name__ == "__main__":
    unittest.main(verbosity=2)
