"""kill -9 anywhere: what was acknowledged is not lost, what was written is not repeated, and nothing is left behind."""

import hashlib
import threading
import time
import unittest

from house import House, eventually

LINES = 3_500_000  # `seq` of these is 26.9 MB; twice makes more than 50 MB


class Recovery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "4"))

    def test_kill_relayd_ten_times_in_a_long_log(self):
        expected = hashlib.sha256()
        size = 0
        for _ in range(2):
            text = "".join(f"{n}\n" for n in range(1, LINES + 1)).encode()
            expected.update(text)
            size += len(text)
        self.assertGreater(size, 50_000_000)
        job = self.house.submit(f"seq 1 {LINES}; seq 1 {LINES}", resources={"cpus": 1})
        for kill in range(10):
            # Spread over the log by what is stored, so that each kill falls in the middle of it on any machine.
            eventually(f"the log reaches its part {kill + 1}", lambda: self.stored(job) >= (kill + 0.5) * size / 11, 120)
            self.house.kill("bulkhead-relayd")
        ended = self.house.wait(job, 180)
        self.assertEqual(ended["state"], "SUCCEEDED", ended)
        log = self.house.log(job)
        self.assertEqual(len(log), size)
        self.assertEqual(hashlib.sha256(log).hexdigest(), expected.hexdigest())

    def stored(self, job):
        return sum(f.stat().st_size for f in self.house.state.glob(f"relayd/jobs/{job}/*/log"))

    def test_kill_apid_loses_nothing_acknowledged(self):
        acknowledged, refused = {}, 0
        stop = threading.Event()

        def killer():
            while not stop.is_set():
                time.sleep(0.15)
                self.house.kill("bulkhead-apid")

        thread = threading.Thread(target=killer)
        thread.start()
        try:
            for number in range(60):
                key = f"apid-{number}"
                try:
                    status, answer = self.house.api(
                        "POST", "/jobs", {"image": "bulkhead/busybox", "steps": ["true"], "name": key}, Idempotency_Key=key)
                    self.assertIn(status, (201, 503))
                    if status == 201:
                        acknowledged[key] = answer["id"]
                except OSError:
                    refused += 1
                except Exception as error:  # a connection cut in the middle of an answer
                    self.assertIn(type(error).__name__, ["RemoteDisconnected", "IncompleteRead", "BadStatusLine"])
                    refused += 1
                time.sleep(0.02)
        finally:
            stop.set()
            thread.join()
        self.assertTrue(acknowledged)
        eventually("the API is back", self.house.healthy)
        for key, job in acknowledged.items():
            self.assertEqual(self.house.job(job)["name"], key)
        for key, job in acknowledged.items():
            self.assertEqual(self.house.wait(job, 240)["state"], "SUCCEEDED")

    def test_kill_schedulerd_while_a_job_runs(self):
        job = self.house.submit("echo begun; sleep 3; echo done")
        eventually("the job runs", lambda: self.house.log(job) == b"begun\n")
        self.house.kill("bulkhead-schedulerd")
        eventually("the API is back", lambda: self.house.api("GET", "/jobs")[0] == 200)
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"begun\ndone\n")

    def test_kill_spawnerd_while_a_job_runs(self):
        job = self.house.submit("echo begun; sleep 3; echo done")
        eventually("the job runs", lambda: self.house.log(job) == b"begun\n")
        self.house.kill("bulkhead-spawnerd")
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"begun\ndone\n")

    def test_stop_and_start_again_keeps_jobs(self):
        job = self.house.submit("echo kept")
        self.house.wait(job)
        self.house.stop()
        self.house.start()
        self.assertEqual(self.house.job(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"kept\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
