"""A clock that a test can turn, for what expires."""

import datetime
import time


class Clock:
    def __init__(self):
        self.ahead = 0

    def advance(self, seconds):
        self.ahead += seconds

    def now(self):
        """Seconds since 1970, as a float."""
        return time.time() + self.ahead

    def text(self, seconds=0):
        """ISO 8601, in UTC."""
        return datetime.datetime.fromtimestamp(int(self.now() + seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
