"""N4 and N5: schedulerd's database. What it costs to lose no job, and what it costs that a million wait."""

import contextlib
import pathlib
import shutil
import statistics
import subprocess
import tempfile

from measure import BINARIES, OUT, note, numbers, pss, quantiles, report

BENCH = BINARIES / "store-bench"
WAITING, PROJECTS = 1_000_000, 500


@contextlib.contextmanager
def folder():
    """On the disk that is measured, not in memory."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="durable-", dir=OUT))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def dispatch_per_commit(rounds=9, share=64):
    """Insert, claim and finish: through Store as schedulerd does it, and in a C loop that commits each."""
    with folder() as at:
        ours, alone, c = [], [], []
        for _ in range(rounds + 1):
            c += numbers(OUT / "sqlite_loop", at / "c.sqlite", 500)
            ours += numbers(BENCH, "durable", at / "ours.sqlite", 64 * share, share)
            alone += numbers(BENCH, "durable", at / "alone.sqlite", 100, 1)
        # The first of each makes the tables.
        c, ours, alone = c[1:], ours[1:], alone[1:]
    ratios = [a / b for a, b in zip(c, ours)]
    spread = {"c_us": quantiles([n / 1000 for n in c]), "ours_us": quantiles([n / 1000 for n in ours]), "ratio": quantiles(ratios)}
    report("N4", f"durable jobs/s, {share} share a commit / C loop", statistics.median(ratios), ">= 3",
           statistics.median(ratios) >= 3, f"C: {statistics.median(c) / 1000:.0f} us a job", spread)
    note("N4", "the same, one job a commit", statistics.median(a / b for a, b in zip(c, alone)), "",
         {"ours_us": quantiles([n / 1000 for n in alone])})


class Dispatcher:
    def __init__(self, path, pool=0):
        self.process = subprocess.Popen([BENCH, "dispatch", path, "50", str(pool)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def round(self):
        """Nanoseconds of fifty claims, and of the same with their commits."""
        self.process.stdin.write("\n"), self.process.stdin.flush()
        lines = iter(self.process.stdout.readline, "done\n")
        return zip(*(map(int, line.split()) for line in lines))

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def compare(small, large, pool=0, rounds=60):
    """In turn, fifty at a time."""
    pair = Dispatcher(small, pool), Dispatcher(large, pool)
    claims, commits = ([], []), ([], [])
    for number in range(rounds + 2):
        for one, claim, commit in zip(pair, claims, commits):
            claimed, committed = one.round()
            # The first fill the caches.
            if number >= 2:
                claim.append(statistics.median(claimed)), commit.append(statistics.median(committed))
    memory = [pss(one.process.pid) for one in pair]
    for one in pair:
        one.close()
    return claims, commits, memory


def million():
    with folder() as at:
        for name, jobs, pools in (("small", 1000, 1), ("large", WAITING, 1), ("small8", 8000, 8), ("large8", WAITING, 8)):
            subprocess.run([BENCH, "fill", at / name, str(jobs), str(PROJECTS), str(pools)], check=True)
        claims, commits, memory = compare(at / "small", at / "large")
        ratios = [b / a for a, b in zip(*claims)]
        whole = [b / a for a, b in zip(*commits)]
        against = f"{statistics.median(claims[0]) / 1000:.0f} us without, {statistics.median(commits[0]) / 1000:.0f} us with commit"
        spread = {"claim_ratio": quantiles(ratios), "with_commit_ratio": quantiles(whole),
                  "small_us": quantiles([n / 1000 for n in claims[0]]), "large_us": quantiles([n / 1000 for n in claims[1]])}
        report("N5", "dispatch, 1,000,000 wait / 1,000 wait", statistics.median(whole), "<= 1.10",
               statistics.median(whole) <= 1.10, against, spread)
        report("N5", "the same without the commit", statistics.median(ratios), "<= 1.10", statistics.median(ratios) <= 1.10,
               "queries and triggers alone", spread)
        growth = memory[1] - memory[0]
        report("N5", "memory growth, MiB", growth, "<= 32", growth <= 32, f"{memory[0]:.1f} MiB with 1,000", {"mib": memory})
        # Who is served has to be looked for: the pool of the runner is the last in the order of the lines.
        claims, _, _ = compare(at / "small8", at / "large8", pool=7, rounds=20)
        note("N5", "8 pools, 4,000 lines, the last pool: 1,000,000 / 8,000",
             statistics.median(b / a for a, b in zip(*claims)), f"{statistics.median(claims[0]) / 1000:.0f} us, a claim without commit",
             {"small_us": quantiles([n / 1000 for n in claims[0]]), "large_us": quantiles([n / 1000 for n in claims[1]])})
        served = numbers(BENCH, "fair", at / "large", 5000)
        missing = PROJECTS - len(served)
        note("N5", "5,000 dispatches, 500 projects: most - least served", max(served) - (min(served) if not missing else 0),
             "jobs; one project has half of all that wait", {"served": quantiles(served), "never": missing})
        paging(at / "large")


def paging(path):
    rows = list(zip(*[iter(numbers(BENCH, "pages", path, 300))] * 3))
    for name, rows in (("all", rows[:300]), ("QUEUED", rows[300:])):
        newest, middle, old = (statistics.median(column) for column in zip(*rows))
        note("N5", f"GET /jobs, {name}: a page in the middle / the newest", middle / newest, f"{newest / 1000:.0f} us a page of 100",
             {"newest_us": newest / 1000, "middle_us": middle / 1000, "old_us": old / 1000})
