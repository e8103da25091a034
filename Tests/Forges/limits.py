"""How many requests somebody may make in a window of time, by the double's clock."""

import dataclasses
import math


@dataclasses.dataclass
class Standing:
    most: int
    used: int
    # When the window ends, in seconds since 1970.
    reset: int
    refused: bool

    @property
    def left(self):
        return max(0, self.most - self.used)


class Limit:
    def __init__(self, clock, most, seconds):
        self.clock, self.most, self.seconds = clock, most, seconds
        self.windows = {}

    def take(self, key, cost=1):
        """Counts a request. What is refused is not counted further."""
        now = self.clock.now()
        used, reset = self.windows.get(key, (0, 0))
        if now >= reset:
            used, reset = 0, math.ceil(now + self.seconds)
        refused = used + cost > self.most
        if not refused:
            used += cost
        self.windows[key] = (used, reset)
        return Standing(self.most, used, reset, refused)

    def forgive(self, key):
        """A request that turns out to cost nothing (GitHub's 304)."""
        used, reset = self.windows[key]
        self.windows[key] = (used - 1, reset)

    def exhaust(self, key, seconds=None):
        """For a test: nothing is left, until the window ends or for so long."""
        self.windows[key] = (self.most, math.ceil(self.clock.now() + (seconds or self.seconds)))
