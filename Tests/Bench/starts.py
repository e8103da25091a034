"""N1 and N2: from the request to the first byte of output, beside the engine's own create, attach, start with the very
same options."""

import json
import pathlib
import random
import socket
import sqlite3
import statistics
import time

from measure import DAEMONS, EngineConnection, cpu_ms, engine, eventually, house, milliseconds, note, pss, quantiles, report


def raw_start(body):
    """create, attach, start and the first byte, straight at the engine with the very options that Bulkhead uses."""
    begin = time.perf_counter()
    status, created = engine("POST", "/containers/create", body)
    assert status == 201, created
    stream = EngineConnection("engine")
    stream.connect()
    stream.sock.sendall((f"POST /containers/{created['Id']}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: e\r\n"
                         "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += stream.sock.recv(4096)
    status, answer = engine("POST", f"/containers/{created['Id']}/start")
    assert status == 204, answer
    rest = head.split(b"\r\n\r\n", 1)[1]
    while len(rest) < 9:
        piece = stream.sock.recv(4096)
        assert piece, "the container said nothing"
        rest += piece
    took = time.perf_counter() - begin
    stream.close()
    engine("DELETE", f"/containers/{created['Id']}?force=1&v=1")
    return took


class Caller:
    """A client that spends nothing on being one: plain sockets, connected before."""

    def __init__(self, standing):
        self.head = f"Host: b\r\nAuthorization: Bearer {standing.token}\r\n"
        self.submitting, self.following = (socket.create_connection(("127.0.0.1", standing.port)) for _ in range(2))
        for one in (self.submitting, self.following):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.settimeout(60)

    def start(self, image="bulkhead/busybox"):
        """POST /jobs, and the first byte of the followed log: the job's id, and seconds."""
        body = json.dumps({"image": image, "steps": ["echo x"]})
        post = f"POST /jobs HTTP/1.1\r\n{self.head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        begin = time.perf_counter()
        self.submitting.sendall(post.encode())
        answer = b""
        while not answer.endswith(b"}") and not answer.endswith(b"}\n"):
            answer += self.submitting.recv(65536)
        job = json.loads(answer.split(b"\r\n\r\n", 1)[1])["id"]
        self.following.sendall(f"GET /jobs/{job}/log?follow=1 HTTP/1.1\r\n{self.head}\r\n".encode())
        log = b""
        while b"\r\n\r\n" not in log or b"x\n" not in log.split(b"\r\n\r\n", 1)[1]:
            log += self.following.recv(65536)
        took = time.perf_counter() - begin
        assert log.startswith(b"HTTP/1.1 200"), log
        # So that the connection is free for the next.
        while not log.endswith(b"0\r\n\r\n"):
            log += self.following.recv(65536)
        return job, took

    def close(self):
        self.submitting.close(), self.following.close()


def idle(standing):
    return [r["id"] for r in standing.api("GET", "/runners")[1]["runners"] if r["state"] == "IDLE"]


def template(standing):
    """The create body of a container as Bulkhead makes it, with a shell that says one line in place of the runner."""
    job = standing.submit("echo up; sleep 60")
    eventually("the job runs", lambda: standing.log(job) == b"up\n")
    label = engine("GET", "/containers/json")[1]
    mine = {c["Id"] for c in standing.containers()}
    seen = engine("GET", f"/containers/{next(c['Id'] for c in label if c['Id'] in mine)}/json")[1]
    standing.bulkhead("cancel", job, "--grace", "0", check=0)
    standing.wait(job)
    config = {k: v for k, v in seen["Config"].items() if k in (
        "User", "Env", "Image", "WorkingDir", "OpenStdin", "StdinOnce", "Tty", "AttachStdin", "AttachStdout", "AttachStderr",
        "StopSignal", "Healthcheck", "Volumes")}
    # That runner's grant is gone with it; another directory of the same file system is mounted as fast.
    host = seen["HostConfig"]
    for mount in host["Mounts"]:
        if "/run/grants/" in mount.get("Source", ""):
            mount["Source"] = str(pathlib.Path(mount["Source"]).parent)
    return {**config, "Entrypoint": ["/bin/sh", "-c", "echo x"], "Cmd": [], "HostConfig": host,
            "Labels": {"bulkhead.bench": "1"}}


def cold_start(pairs=25):
    with house() as standing:
        body = template(standing)
        ours, raw = [], []
        for index in range(pairs + 3):
            caller = Caller(standing)
            job, took = caller.start()
            caller.close()
            standing.wait(job)
            eventually("the runner is removed", lambda: not standing.containers())
            other = raw_start(body)
            if index >= 3:
                ours.append(took), raw.append(other)
    ratios = [a / b for a, b in zip(ours, raw)]
    report("N2", "cold start: ours / raw engine, p50 of pairs", statistics.median(ratios), "<= 1.03",
           statistics.median(ratios) <= 1.03, "raw create+attach+start, same options",
           {"ours_ms": milliseconds(ours), "raw_ms": milliseconds(raw), "ratio": quantiles(ratios)})


def warm_start(pairs=60):
    """A runner that waits is given the job; another is made while nobody measures."""
    with house(idle=1) as standing:
        body = template(standing)
        ours, raw = [], []
        for index in range(pairs + 3):
            before = eventually("a runner waits, and nothing else goes on", lambda: len(standing.containers()) == 1 and idle(standing))
            caller = Caller(standing)
            job, took = caller.start()
            caller.close()
            assert standing.wait(job)["state"] == "SUCCEEDED"
            assert before[0] not in idle(standing), "a runner was used twice"
            eventually("a runner waits, and nothing else goes on", lambda: len(standing.containers()) == 1 and idle(standing))
            other = raw_start(body)
            if index >= 3:
                ours.append(took), raw.append(other)
        per_runner = idle_memory(standing)
        draining(standing)
    p50 = statistics.median(raw) / statistics.median(ours)
    p99 = quantiles(raw)["p99"] / quantiles(ours)["p99"]
    spread = {"ours_ms": milliseconds(ours), "raw_ms": milliseconds(raw), "ratio": quantiles([b / a for a, b in zip(ours, raw)])}
    against = f"ours {statistics.median(ours) * 1000:.2f} ms"
    report("N1", "warm start: raw engine / ours, p50", p50, ">= 100", p50 >= 100, against, spread)
    report("N1", "warm start: raw engine / ours, p99", p99, ">= 30", p99 >= 30, f"ours {quantiles(ours)['p99'] * 1000:.2f} ms", spread)
    note("N1", "memory of an idle runner and its shim", sum(per_runner.values()), "MiB", per_runner)


def draining(standing):
    """The cooldown is longer than anybody's patience: what waits goes with the house's own containers."""
    for container in standing.containers():
        engine("DELETE", f"/containers/{container['Id']}?force=true&v=true")


def idle_memory(standing):
    pid = engine("GET", f"/containers/{standing.containers()[0]['Id']}/json")[1]["State"]["Pid"]
    shim = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return {"runner_mib": round(pss(pid), 1), "shim_mib": round(pss(shim), 1)}


def pool(jobs=40, idle_runners=2):
    """Jobs that come when they come: how many find a runner, and what the others wait."""
    chance = random.Random(7)
    with house(idle=idle_runners) as standing:
        standing.wait(standing.submit("echo x"))
        eventually("runners wait", lambda: len(idle(standing)) == idle_runners)
        began = {daemon: cpu_ms(standing.pid(daemon)) for daemon in DAEMONS}
        took = {}
        for _ in range(jobs):
            # On the mean a little more than a container takes to be made and removed.
            time.sleep(chance.expovariate(1 / 1.0))
            caller = Caller(standing)
            job, seconds = caller.start()
            took[job] = seconds
            caller.close()
        for job in took:
            standing.wait(job)
        eventually("runners wait", lambda: len(idle(standing)) == idle_runners)
        spent = {daemon: (cpu_ms(standing.pid(daemon)) - began[daemon]) / jobs for daemon in DAEMONS}
        database = sqlite3.connect(f"file:{standing.state}/schedulerd/scheduler.sqlite?mode=ro", uri=True)
        waiting = {row[0] for row in database.execute("SELECT job FROM happenings WHERE text LIKE '%on a runner that was waiting%'")}
        database.close()
        draining(standing)
    hits = [s for job, s in took.items() if int(job) in waiting]
    misses = [s for job, s in took.items() if int(job) not in waiting]
    spread = {"hits_ms": milliseconds(hits) if hits else None, "misses_ms": milliseconds(misses) if misses else None}
    note("N1", f"hit rate, {idle_runners} idle, one job a second (Poisson)", len(hits) / len(took), "of the jobs", spread)
    if misses:
        note("N1", "first output of a job that finds none, p50", statistics.median(misses) * 1000, "ms", spread)
    note("N1", "CPU of all daemons for a job and its runner", sum(spent.values()), "ms", {k: round(v, 2) for k, v in spent.items()})
