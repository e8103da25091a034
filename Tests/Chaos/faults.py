"""What goes wrong: faults with a moment, from a seed, and how each is done to real processes."""

import contextlib
import dataclasses
import errno
import http.client
import os
import secrets
import signal
import subprocess
import threading
import time

from house import DAEMONS, engine, eventually

WINDOW = 2.0  # seconds in which a round's faults begin
KILLS = ["kill apid", "kill schedulerd", "kill spawnerd", "kill brokerd", "kill relayd"]
STOPS = ["stop apid", "stop schedulerd", "stop spawnerd", "stop brokerd", "stop relayd"]
# As often as they stand here.
ALL = KILLS * 4 + ["kill schedulerd", "kill spawnerd"] * 3 + STOPS + ["kill several"] * 4 + [
    "kill engine", "kill containerd", "full disk", "plant", "plant", "spoof", "cancel storm", "cancel storm"]
ENGINE = ("kill engine", "kill containerd")


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    at: float
    seconds: float
    several: tuple

    def __str__(self):
        return f"{self.name} at {self.at * 1000:.0f} ms"


def plan(random, names=ALL):
    chosen = []
    for _ in range(random.randint(1, 4)):
        name = random.choice(names)
        if name in ENGINE and any(fault.name in ENGINE for fault in chosen):
            continue
        several = tuple(random.sample(DAEMONS, random.randint(2, 5)))
        chosen.append(Fault(name, random.uniform(0, WINDOW), random.uniform(1, 5), several))
    return sorted(chosen, key=lambda fault: fault.at)


class Place:
    """Our house, its neighbours on the same engine, the engine, and the disk below both houses."""

    def __init__(self, ours, neighbours, own_engine, disk):
        self.house, self.neighbours, self.engine, self.disk = ours, neighbours, own_engine, disk
        self.spoofed, self.planted, self.engine_was_killed = [], [], False
        self.engine_is_whole = True

    def settle_neighbours(self):
        """A job of theirs that runs for ever, in a container that nobody of ours may touch."""
        self.neighbours_job = self.neighbours.submit("sleep 100000", timeout=86400, retries=0)
        self.neighbours.wait_state(self.neighbours_job, "RUNNING", 60)
        self.neighbours_container = self.look_at_neighbours()

    def look_at_neighbours(self):
        found = self.neighbours.containers()
        assert len(found) == 1, f"the neighbours have {len(found)} containers, not one"
        state = engine("GET", f"/containers/{found[0]['Id']}/json")[1]["State"]
        return found[0]["Id"], state["StartedAt"], state["Running"]

    def dismiss_neighbours(self):
        self.neighbours.api("DELETE", f"/jobs/{self.neighbours_job}")
        self.neighbours.wait(self.neighbours_job)

    def container(self, name):
        """One that says it is of this house's making."""
        labels = {"bulkhead.instance": self.house.instance(), "bulkhead.runner": secrets.token_hex(16), "bulkhead.epoch": "1"}
        name = name or f"bulkhead-{labels['bulkhead.instance']}-{labels['bulkhead.runner']}"
        status, made = engine("POST", f"/containers/create?name={name}", {
            "Image": "bulkhead/busybox", "Cmd": ["sleep", "100000"], "Labels": labels, "HostConfig": {"NetworkMode": "none"}})
        assert status == 201, made
        status, answer = engine("POST", f"/containers/{made['Id']}/start")
        if status != 204:
            engine("DELETE", f"/containers/{made['Id']}?force=true")
        assert status == 204, answer
        return made["Id"]


def signalled(place, daemon, number):
    """The process that got the signal; None: it is just being started again."""
    pid = place.house.pid(daemon)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            return pid
    return None


def stopped(place, daemon, seconds):
    pid = signalled(place, daemon, signal.SIGSTOP)
    time.sleep(seconds)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    return pid


def fill(place, seconds):
    ballast = place.disk / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC, error
    time.sleep(seconds)
    ballast.unlink()


def do(place, load, fault):
    """True if it was done: nobody can be killed who is just being started again."""
    word, _, daemon = fault.name.partition(" ")
    match fault.name:
        case "kill several":
            return any([signalled(place, one, signal.SIGKILL) for one in fault.several])
        case "kill containerd":
            place.engine.kill_containerd()
        case "kill engine":
            place.engine_was_killed = True
            place.engine.stop(signal.SIGKILL)
            time.sleep(fault.seconds / 5)
            place.engine.start()
        case "full disk":
            fill(place, fault.seconds / 2)
        case "plant":
            return planted(place, place.planted, None)
        case "spoof":
            return planted(place, place.spoofed, f"spoof-{secrets.token_hex(4)}")
        case "cancel storm":
            load.cancel_all()
        case _ if word == "kill":
            return signalled(place, f"bulkhead-{daemon}", signal.SIGKILL)
        case _:
            return stopped(place, f"bulkhead-{daemon}", fault.seconds)
    return True


def planted(place, where, name):
    """An engine that is being killed, or a part of it, may not take it; any other time it has to."""
    try:
        where.append(place.container(name))
    except (OSError, http.client.HTTPException, AssertionError):
        if place.engine_is_whole:
            raise
        return False
    return True


def happen(place, load, chosen, counts):
    """Each in its own time, and some at once; returns when the last is over. What was done is counted, not what was planned."""
    errors, done = [], []
    place.engine_is_whole = not any(fault.name in ENGINE for fault in chosen)

    def later(fault):
        time.sleep(fault.at)
        try:
            done.append(f"fault {fault.name}" if do(place, load, fault) else f"not done: {fault.name}")
        except Exception as error:  # in a thread: shown when all are over
            errors.append((fault, repr(error)))

    threads = [threading.Thread(target=later, args=[fault]) for fault in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    counts.update(done)
    eventually("all daemons run", lambda: all(place.house.pid(daemon) for daemon in DAEMONS))
