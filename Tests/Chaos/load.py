"""A round's jobs, and whoever submits them: a request that was not answered is made again, as a client should."""

import http.client
import threading
import time

import house

RESOURCES = {"cpus": 0.25, "memory": "64MiB", "disk": "16MiB"}
SECRET = """\
name: {name}
image: bulkhead/busybox
resources: {{cpus: 0.25, memory: 64MiB, disk: 16MiB}}
steps:
  - name: only
    run: echo "begun $BULKHEAD_ATTEMPT"; sleep {seconds}; test -n "$WORD"
    secrets: {{WORD: word}}
"""


class Load:
    def __init__(self, ours, plan, number):
        self.house, self.number = ours, number
        self.kinds = [plan.choice(["plain", "plain", "plain", "fails", "secret", "group", "needs"]) for _ in range(plan.randint(3, 7))]
        self.pauses = [plan.uniform(0, 1.5) for _ in self.kinds]
        self.lengths = [round(plan.uniform(0, 1.5), 2) for _ in self.kinds]
        self.acknowledged, self.ended, self.cancelled, self.errors = {}, {}, set(), []
        self.begin = int(time.time())

    def start(self):
        self.threads = [threading.Thread(target=self.one, args=[index]) for index in range(len(self.kinds))]
        for thread in self.threads:
            thread.start()

    def one(self, index):
        try:
            time.sleep(self.pauses[index])
            key = f"round-{self.number}-{index}-{self.kinds[index]}"
            self.acknowledged[key] = self.submit(index, key)
        except Exception as error:  # shown by the check, with its job
            self.errors.append((index, self.kinds[index], repr(error)))

    def submit(self, index, key):
        if self.kinds[index] == "secret":
            return self.submit_secret(index, key)
        end = "exit 3" if self.kinds[index] == "fails" else "true"
        job = {"image": "bulkhead/busybox", "name": key, "resources": RESOURCES,
               "steps": [{"run": f'echo "begun $BULKHEAD_ATTEMPT"; sleep {self.lengths[index]}; {end}'}]}
        if self.kinds[index] == "group":
            job["group"] = "deploy"
        if self.kinds[index] == "needs":
            job |= {"needs": [self.insist({**job, "name": f"{key}-first"}, f"{key}-first")], "when": "always"}
        return self.insist(job, key)

    def insist(self, job, key):
        """The id, once it is acknowledged. Asked with the same key until then."""
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                status, answer = self.house.api("POST", "/jobs", job, Idempotency_Key=key)
                if status in (200, 201):
                    self.acknowledged.setdefault(key, answer["id"])
                    assert self.acknowledged[key] == answer["id"], f"{key} is job {self.acknowledged[key]} and {answer['id']}"
                    return answer["id"]
                assert status >= 500 or status == 429, answer
            except (OSError, http.client.HTTPException, ValueError):
                pass
            time.sleep(0.2)
        raise AssertionError(f"{key} was not taken in 90 s")

    def submit_secret(self, index, key):
        file = self.house.state / f"{key}.yaml"
        text = SECRET.format(name=key, seconds=self.lengths[index])
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                file.write_text(text)
                done = self.house.bulkhead("submit", file, "--json", "--request-id", key)
            except OSError:  # the disk is full for us, too
                time.sleep(0.2)
                continue
            if done.returncode == 0:
                return house.json.loads(done.stdout)["id"]
            time.sleep(0.2)
        raise AssertionError(f"{key} was not taken in 90 s: {done.stderr.decode()}")

    def cancel_all(self):
        for job in list(self.acknowledged.values()):
            self.cancelled.add(job)
            try:
                self.house.api("DELETE", f"/jobs/{job}?grace=1")
            except (OSError, http.client.HTTPException, ValueError):
                pass

    def finish(self):
        """Every job that was acknowledged has ended."""
        for thread in self.threads:
            thread.join()
        assert not self.errors, self.errors
        house.eventually("the API answers", lambda: self.house.healthy() and self.house.api("GET", "/jobs")[0] == 200, 60)
        for key, job in self.acknowledged.items():
            self.ended[key] = self.house.wait(job, 180)
