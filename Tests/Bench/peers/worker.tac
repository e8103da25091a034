# Buildbot's worker in a container, as its own image starts it: where the master is says the environment.
import os

from buildbot_worker.bot import Worker
from twisted.application import service

os.makedirs("/tmp/worker", exist_ok=True)
application = service.Application("worker")
Worker(os.environ["BUILDMASTER"], int(os.environ["BUILDMASTER_PORT"]), os.environ["WORKERNAME"], os.environ["WORKERPASS"],
       "/tmp/worker", 60).setServiceParent(application)
