"""N3: Buildbot with DockerLatentWorker on the same engine. It runs where Bulkhead runs, with the same number of workers, and each
of its containers is used once, too (build_wait_timeout=0). Its worker shares the host's network and user namespace, since it
has to call its master; ours has neither."""

import contextlib
import http.client
import json
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

from measure import EngineConnection, ENGINE, OUT, engine, eventually, house, milliseconds, note, report
from starts import Caller, draining, idle, template

IMAGE = "bulkhead/buildbot-worker"
WORKERS = 2

MASTER = """
import time
from buildbot.plugins import *
from buildbot.process.buildstep import BuildStep

class Mark(BuildStep):
    # The first step begins: the worker is there.
    def run(self):
        with open({marks!r}, 'a') as marks:
            marks.write('%r\\n' % time.monotonic())
        return util.SUCCESS

class Done(BuildStep):
    def run(self):
        with open({done!r}, 'a') as done:
            done.write('%r\\n' % time.monotonic())
        return util.SUCCESS

c = BuildmasterConfig = {{}}
c['workers'] = [worker.DockerLatentWorker(
    'w%d' % n, 'password', docker_host={engine!r}, image={image!r}, masterFQDN='127.0.0.1:{port}', build_wait_timeout=0,
    hostconfig={{'network_mode': 'host', 'userns_mode': 'host'}}) for n in range({workers})]
c['protocols'] = {{'pb': {{'port': 'tcp:{port}:interface=127.0.0.1'}}}}
f = util.BuildFactory([Mark(), steps.ShellCommand(command=['echo', 'x']), Done()])
c['builders'] = [util.BuilderConfig(name='b', workernames=['w%d' % n for n in range({workers})], factory=f)]
c['schedulers'] = [schedulers.ForceScheduler(name='force', builderNames=['b'])]
c['collapseRequests'] = False
c['title'] = 'x'
c['buildbotURL'] = 'http://127.0.0.1:{web}/'
c['www'] = {{'port': 'tcp:{web}:interface=127.0.0.1'}}
c['db'] = {{'db_url': 'sqlite:///state.sqlite'}}
c['buildbotNetUsageData'] = None
"""


def image():
    """Debian's Python and buildbot-worker; made once by bench.sh as a tarball."""
    if engine("GET", f"/images/{IMAGE}:latest/json")[0] == 200:
        return
    with open(OUT / "worker.tar", "rb") as tarball:
        connection = EngineConnection("engine")
        connection.connect()
        connection.sock.settimeout(300)
        connection.request("POST", f"/images/create?fromSrc=-&repo={IMAGE}&tag=latest&changes=CMD%20%5B%22%2Fworker%2Fworker.run%22%5D",
                           tarball, {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}, encode_chunked=True)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Master:
    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-bench-"))
        tool, self.web = OUT / "venv/bin/buildbot", port()
        self.marks, self.ends = self.folder / "marks", self.folder / "ends"
        subprocess.run([tool, "create-master", "-r", self.folder], check=True, capture_output=True)
        (self.folder / "master.cfg").write_text(MASTER.format(
            marks=str(self.marks), done=str(self.ends), engine=f"unix://{ENGINE}", image=IMAGE, port=port(), workers=WORKERS,
            web=self.web) + self.configuration())
        self.log = open(self.folder / "out", "wb")
        self.process = subprocess.Popen([tool, "start", "--nodaemon", self.folder], stdout=self.log, stderr=subprocess.STDOUT)
        eventually("Buildbot runs", self.answers, 60)
        return self

    def configuration(self):
        """What else is asked of it."""
        return ""

    def answers(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/api/v2/forceschedulers")[0] == 200

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=30)
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def force(self):
        status, answer = self.ask("POST", "/api/v2/forceschedulers/force",
                                  {"jsonrpc": "2.0", "id": 1, "method": "force", "params": {"builderid": "1"}})
        assert status == 200, answer

    @staticmethod
    def times(path):
        return [float(line) for line in path.read_text().split()] if path.exists() else []

    def __exit__(self, kind, *_):
        if kind is not None:
            print((self.folder / "out").read_text(errors="replace")[-4000:])
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.kill()
        self.log.close()
        for container in engine("GET", "/containers/json?all=1&filters=" + '{"ancestor":["' + IMAGE + '"]}')[1]:
            engine("DELETE", f"/containers/{container['Id']}?force=true&v=true")
        shutil.rmtree(self.folder, ignore_errors=True)


def their_starts(count):
    took = []
    with Master() as master:
        for _ in range(count):
            before = len(master.times(master.marks))
            begin = time.monotonic()
            master.force()
            eventually("the first step", lambda: len(master.times(master.marks)) > before, 120)
            took.append(master.times(master.marks)[-1] - begin)
            eventually("the build ends", lambda: len(master.times(master.ends)) > before, 60)
            time.sleep(1)
    return took


def their_burst(jobs):
    """Jobs per minute, from the first trigger to the last end."""
    with Master() as master:
        begin = time.monotonic()
        for _ in range(jobs):
            master.force()
        eventually("all builds end", lambda: len(master.times(master.ends)) >= jobs, 600)
        return jobs / (master.times(master.ends)[-1] - begin) * 60


def our_burst(jobs):
    """Ours, and the raw engine's with the very same options, while the house is there whose folders they mount."""
    with house(runners=WORKERS) as standing:
        body = template(standing)
        eventually("nothing goes on", lambda: not standing.containers())
        begin = time.monotonic()
        all_jobs = [standing.submit("echo x") for _ in range(jobs)]
        for job in all_jobs:
            standing.wait(job, 600)
        ours = jobs / (time.monotonic() - begin) * 60
        eventually("nothing goes on", lambda: not standing.containers())
        return ours, raw_burst(jobs, body)


def raw_burst(jobs, body):
    """create, attach, start, wait and remove by as many at once; no more than that many containers live."""
    left = iter(range(jobs))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if next(left, None) is None:
                    return
            status, created = engine("POST", "/containers/create", body)
            assert status == 201, created
            container = created["Id"]
            stream = EngineConnection("engine")
            stream.connect()
            stream.sock.sendall((f"POST /containers/{container}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: e\r\n"
                                 "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n").encode())
            engine("POST", f"/containers/{container}/start")
            engine("POST", f"/containers/{container}/wait")
            engine("DELETE", f"/containers/{container}?force=1&v=1")
            stream.close()

    begin = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return jobs / (time.monotonic() - begin) * 60


def our_starts(count):
    """To the first output, which is later than the first step's beginning: one figure cold, one warm."""
    cold, warm = [], []
    with house() as standing:
        for _ in range(count):
            cold.append(one_start(standing))
            eventually("nothing goes on", lambda: not standing.containers())
    with house(idle=1) as standing:
        standing.wait(standing.submit("echo x"))
        for _ in range(count):
            eventually("a runner waits", lambda: len(standing.containers()) == 1 and idle(standing))
            warm.append(one_start(standing))
        eventually("a runner waits", lambda: len(standing.containers()) == 1 and idle(standing))
        draining(standing)
    return cold, warm


def one_start(standing):
    caller = Caller(standing)
    job, took = caller.start()
    caller.close()
    standing.wait(job)
    return took


def against_buildbot(starts=8, jobs=24):
    image()
    cold, warm = our_starts(starts)
    theirs = their_starts(starts)
    spread = {"buildbot_ms": milliseconds(theirs), "cold_ms": milliseconds(cold), "warm_ms": milliseconds(warm)}
    for name, ours, target in (("warm", warm, 150), ("cold", cold, 2.5)):
        ratio = statistics.median(theirs) / statistics.median(ours)
        report("N3", f"trigger to first step: Buildbot / ours, {name}", ratio, f">= {target}", ratio >= target,
               f"Buildbot {statistics.median(theirs) * 1000:.0f} ms", spread)
    ours, raw, other = [], [], []
    for _ in range(3):
        one, alone = our_burst(jobs)
        ours.append(one), raw.append(alone), other.append(their_burst(jobs))
    spread = {"ours": ours, "raw": raw, "buildbot": other}
    ratio = statistics.median(a / b for a, b in zip(ours, other))
    report("N3", f"jobs per minute in a burst of {jobs}: ours / Buildbot", ratio, ">= 3", ratio >= 3,
           f"ours {statistics.median(ours):.0f}, Buildbot {statistics.median(other):.0f}", spread)
    ratio = statistics.median(a / b for a, b in zip(ours, raw))
    report("N3", "jobs per minute: ours / the raw engine's containers", ratio, ">= 0.95", ratio >= 0.95,
           f"raw {statistics.median(raw):.0f}, {WORKERS} at once", spread)
