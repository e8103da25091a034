"""Jobs with secrets through the restarts of others: they go on, and what they hold stays out of their logs, whatever it was replaced by."""

import os
import secrets
import unittest

from house import House, eventually

JOB = """\
name: holds a secret
image: bulkhead/busybox
timeout: 60s
resources: {cpus: 0.25, memory: 64MiB, disk: 16MiB}
steps:
  - run: |
      echo "first $S"
      n=0; while [ $n -lt 60 ]; do echo "still $S"; sleep 0.05; n=$((n+1)); done
    secrets: {S: word}
  - run: |
      n=0; while [ $n -lt 40 ]; do echo "then $S"; sleep 0.05; n=$((n+1)); done
    secrets: {S: word}
"""


@unittest.skipUnless(os.geteuid() == 0, "the grants are on a tmpfs of root's")
class SecretsSurvive(unittest.TestCase):
    def setUp(self):
        self.house = self.enterContext(House("--max-runners", "2"))
        self.value = secrets.token_hex(12).encode()
        self.house.set_secret("word", self.value)

    def begun(self):
        job = self.house.submit_file("holds", JOB)
        eventually("it prints", lambda: b"first ***" in self.house.log(job))
        return job

    def finishes(self, job):
        ended = self.house.wait(job, 90)
        log = self.house.log(job)
        self.assertEqual((ended["state"], ended["reason"]), ("SUCCEEDED", ""), log[-300:])
        self.assertEqual(log.count(b"then ***"), 40)
        self.assertNotIn(self.value, log)

    def test_everything_is_restarted(self):
        """`bulkhead up` ends and starts again, and with it the tmpfs of the grants."""
        job = self.begun()
        self.house.stop()
        self.house.start()
        self.finishes(job)

    def test_those_who_know_it_are_killed(self):
        """The control of the next: nothing was changed, so it goes on and is masked."""
        job = self.begun()
        self.house.kill("bulkhead-brokerd")
        self.house.kill("bulkhead-relayd")
        self.finishes(job)

    def test_a_replaced_value_is_not_shown(self):
        """S7: set anew, or removed and set anew, while a job holds the old value; then all who knew that are killed."""
        for removed in (False, True):
            with self.subTest(removed=removed):
                self.house.set_secret("word", self.value)
                job = self.begun()
                if removed:
                    self.house.bulkhead("secret", "rm", "default", "word", "--state", self.house.state, check=0)
                self.house.set_secret("word", secrets.token_hex(12).encode())
                self.house.kill("bulkhead-brokerd")
                self.house.kill("bulkhead-relayd")
                ended = self.house.wait(job, 90)
                self.assertNotIn(self.value, self.house.log(job))
                self.assertEqual(ended["state"], "LOST")
                self.assertIn("a secret of it was changed", ended["reason"])

    def test_a_rotation_and_a_new_relayd(self):
        """It ends with its reason, instead of waiting for masks until its timeout."""
        job = self.begun()
        self.house.bulkhead("secret", "rotate-master", "--state", self.house.state, check=0)
        self.house.kill("bulkhead-relayd")
        ended = self.house.wait(job, 50)
        self.assertEqual(ended["state"], "LOST")
        self.assertIn("does not stand by its secrets", ended["reason"])
        self.assertNotIn(self.value, self.house.log(job))


if __name__ == "__main__":
    unittest.main(verbosity=2)
