"""N6: what the daemons keep in memory when they have nothing to do."""

import contextlib
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from measure import DAEMONS, OUT, eventually, house, pss, report


@contextlib.contextmanager
def buildbot():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-bench-"))
    tool = OUT / "venv/bin/buildbot"
    try:
        subprocess.run([tool, "create-master", "-r", folder], check=True, capture_output=True)
        (folder / "master.cfg").write_text(
            "from buildbot.plugins import *\nc = BuildmasterConfig = {}\nc['workers'] = [worker.Worker('w', 'p')]\n"
            "c['protocols'] = {'pb': {'port': 'tcp:0:interface=127.0.0.1'}}\n"
            "f = util.BuildFactory([steps.ShellCommand(command=['true'])])\n"
            "c['builders'] = [util.BuilderConfig(name='b', workernames=['w'], factory=f)]\n"
            "c['schedulers'] = [schedulers.ForceScheduler(name='force', builderNames=['b'])]\n"
            "c['title'] = 'x'\nc['buildbotURL'] = 'http://127.0.0.1/'\nc['db'] = {'db_url': 'sqlite:///state.sqlite'}\n"
            "c['buildbotNetUsageData'] = None\n")
        process = subprocess.Popen([tool, "start", "--nodaemon", folder], stdout=open(folder / "out", "wb"), stderr=subprocess.STDOUT)
        try:
            log = folder / "twistd.log"
            eventually("Buildbot runs", lambda: "BuildMaster is running" in (
                (folder / "out").read_text() + (log.read_text() if log.exists() else "")), 60)
            time.sleep(3)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory():
    with house() as standing:
        time.sleep(2)
        daemons = {daemon: round(pss(standing.pid(daemon)), 1) for daemon in DAEMONS}
    total = sum(daemons.values())
    with buildbot() as pid:
        other = pss(pid)
    report("N6", "memory of all daemons, idle / Buildbot master", total / other, "<= 0.5", total / other <= 0.5,
           f"{other:.0f} MiB", {"daemons_mib": daemons, "total_mib": round(total, 1), "buildbot_mib": round(other, 1)})
    largest = max((v, k) for k, v in daemons.items() if k != "bulkhead-apid")
    report("N6", f"largest but apid ({largest[1]}), MiB", largest[0], "<= 8", largest[0] <= 8, "", daemons)
