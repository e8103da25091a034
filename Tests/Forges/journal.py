"""What came to a double, in the order in which it came. A test asks here what was said, and waits here until it is."""

import fnmatch
import json
import threading


class Entry:
    def __init__(self, request):
        self.method, self.path, self.target, self.body = request.method, request.path, request.target, request.body
        self.query = dict(request.query)
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        pairs = [(name.lower(), value) for name, value in request.headers.items()]
        self.repeated = {name: [value for other, value in pairs if other == name] for name, _ in pairs
                         if sum(other == name for other, _ in pairs) > 1}
        # None until the double has decided; kept also if the answer was lost on the way.
        self.status = None

    @property
    def document(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.method} {self.target} -> {self.status}"


class Journal:
    def __init__(self):
        self.changed = threading.Condition()
        self.entries = []

    def arrived(self, request):
        entry = Entry(request)
        with self.changed:
            self.entries.append(entry)
            self.changed.notify_all()
        return entry

    def answered(self, entry, status):
        with self.changed:
            entry.status = status
            self.changed.notify_all()

    def calls(self, method="*", path="*", status=None):
        """Those with this method, this path (a pattern as of a shell, without the query) and, if it is given, this status."""
        with self.changed:
            return [entry for entry in self.entries
                    if fnmatch.fnmatchcase(entry.method, method) and fnmatch.fnmatchcase(entry.path, path)
                    and status in (None, entry.status)]

    def wait(self, method="*", path="*", status=None, count=1, seconds=30, answered=True):
        """Until there are `count` of them, each with its answer if not otherwise said. The time bounds, it does not measure."""
        def enough():
            return sum(not answered or entry.status is not None for entry in self.calls(method, path, status)) >= count

        with self.changed:
            if not self.changed.wait_for(enough, seconds):
                raise AssertionError(f"waited {seconds} s in vain for {count} of {method} {path} {status or ''}; there were:\n"
                                     + "\n".join(map(repr, self.entries[-20:])))
        return self.calls(method, path, status)

    def forget(self):
        with self.changed:
            self.entries.clear()

    def holds(self, text):
        """Entries in whose target, headers or body this text stands: for secrets that must not leave the house."""
        wanted = text.encode() if isinstance(text, str) else text
        with self.changed:
            return [entry for entry in self.entries if wanted in entry.body or wanted in entry.target.encode()
                    or any(wanted in value.encode() for value in entry.headers.values())]
