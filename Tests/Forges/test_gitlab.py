"""The double of GitLab's REST: python-gitlab reads what it says, and what GitLab refuses it refuses."""

import io
import tarfile
import unittest

import gitlab

from . import faults
from .client import call
from .gitlab import DEVELOPER, MAINTAINER, REPORTER, GitLab
from .gitlab_jobs import Job
from .limits import Limit
from .repositories import NONE, Repository


class Rest(unittest.TestCase):
    def setUp(self):
        self.forge = self.enterContext(GitLab())
        self.repository = self.enterContext(Repository({"README.md": "ship\n", ".ci/job.yaml": "steps: []\n"}))
        self.ada, self.bob, self.eve = (self.forge.person(login) for login in ("ada", "bob", "eve"))
        self.project = self.forge.project("harbour/yard/ship", self.repository, ada=MAINTAINER, bob=REPORTER)
        self.sha = self.repository.resolve("main")
        self.client = self.login(self.ada, "api")
        self.ship = self.client.projects.get("harbour/yard/ship")

    def login(self, person, *scopes):
        client = gitlab.Gitlab(self.forge.url, private_token=self.forge.token(person, *scopes), retry_transient_errors=False)
        self.addCleanup(client.session.close)
        return client

    def refused(self, status, what, *arguments, **named):
        with self.assertRaises(gitlab.GitlabError) as raised:
            what(*arguments, **named)
        self.assertEqual(raised.exception.response_code, status, raised.exception)
        return str(raised.exception)

    def test_who_am_i(self):
        self.client.auth()
        self.assertEqual((self.client.user.username, self.client.version()[0]), ("ada", "18.5.0"))
        self.assertEqual((self.ship.id, self.ship.path_with_namespace), (self.project.id, "harbour/yard/ship"))

    def test_tokens(self):
        self.refused(401, gitlab.Gitlab(self.forge.url, private_token="glpat-nobody").auth)
        self.assertIn("insufficient_scope", self.refused(403, self.login(self.ada, "read_user").projects.get, self.project.id))
        self.refused(404, self.login(self.eve, "api").projects.get, self.project.id)
        self.refused(404, self.client.projects.get, 4711)
        value = self.forge.token(self.ada, "api", seconds=60)
        bearer = {"Authorization": f"Bearer {value}"}
        self.assertEqual(call(self.forge, "GET", "/api/v4/user", **bearer).status, 200)
        self.assertEqual(call(self.forge, "GET", "/api/v4/user", PRIVATE_TOKEN=value, **bearer).status, 400)
        self.assertEqual(call(self.forge, "GET", f"/api/v4/user?private_token={value}").status, 401, "never in an address")
        self.forge.clock.advance(61)
        expired = call(self.forge, "GET", "/api/v4/user", **bearer)
        self.assertEqual((expired.status, expired.document["error"]), (401, "invalid_token"))

    def test_statuses(self):
        commit = self.ship.commits.get(self.sha)
        made = commit.statuses.create({"state": "pending", "name": "bulkhead", "target_url": "https://ci.example/1", "ref": "main"})
        self.assertEqual((made.status, made.sha, made.ref), ("pending", self.sha, "main"))
        for state in ("running", "success"):
            self.assertEqual(commit.statuses.create({"state": state, "name": "bulkhead", "ref": "main"}).id, made.id)
        self.assertEqual([one.status for one in commit.statuses.list(get_all=True)], ["success"])
        self.assertNotEqual(commit.statuses.create({"state": "pending", "name": "bulkhead", "ref": "main"}).id, made.id, "begins anew")

    def test_statuses_refused(self):
        create = self.ship.commits.get(self.sha).statuses.create
        create({"state": "running", "name": "x"})
        self.assertIn("Cannot transition status via :run from :running", self.refused(400, create, {"state": "running", "name": "x"}))
        self.assertIn("state does not have a valid value", self.refused(400, create, {"state": "failure"}))
        self.assertIn("is too long", self.refused(400, create, {"state": "failed", "description": "x" * 256}))
        self.refused(400, create, {"state": "failed", "target_url": "javascript:alert(1)"})
        self.refused(400, create, {"state": "failed", "status": "failed"})
        self.refused(403, self.login(self.bob, "api").projects.get(self.project.id).commits.get(self.sha).statuses.create,
                     {"state": "success"})
        dan = self.forge.person("dan")
        self.project.members[dan.id] = (dan, DEVELOPER)
        theirs = self.login(dan, "api").projects.get(self.project.id).commits.get(self.sha).statuses.create
        self.refused(403, theirs, {"state": "success", "ref": "main"})
        theirs({"state": "success", "ref": "topic"})
        path, token = f"/api/v4/projects/{self.project.id}/statuses", self.forge.token(self.ada, "api")
        missing = call(self.forge, "POST", f"{path}/{self.sha}", {"name": "x"}, PRIVATE_TOKEN=token)
        self.assertEqual((missing.status, missing.document), (400, {"error": "state is missing"}))
        self.assertEqual(call(self.forge, "POST", f"{path}/{NONE}", {"state": "success"}, PRIVATE_TOKEN=token).status, 404)
        self.assertEqual(call(self.forge, "POST", f"{path}/{self.sha}", body=b"state=success", PRIVATE_TOKEN=token,
                              Content_Type="application/x-www-form-urlencoded").status, 415)

    def test_notes(self):
        self.repository.commit({"README.md": "better\n"}, branch="patch-1")
        change = self.forge.merge_request(self.project, self.bob, "patch-1")
        request = self.ship.mergerequests.get(change.iid)
        self.assertEqual((request.sha, request.source_branch), (self.repository.resolve("patch-1"), "patch-1"))
        note = request.notes.create({"body": "running"})
        note.body = "done"
        note.save()
        self.assertEqual([one.body for one in request.notes.list(get_all=True)], ["done"])
        foreign = self.login(self.bob, "api").projects.get(self.project.id).mergerequests.get(change.iid).notes
        self.refused(403, foreign.update, note.id, {"body": "mine"})
        self.refused(400, request.notes.create, {"body": ""})
        self.refused(400, request.notes.create, {"body": "x" * 1_000_001})
        self.refused(404, request.notes.update, 999999, {"body": "x"})
        self.refused(404, self.ship.mergerequests.get, 77)

    def test_access_level_of_an_approver(self):
        self.assertEqual(self.ship.members_all.get(self.bob.id).access_level, REPORTER)
        self.refused(404, self.ship.members_all.get, self.eve.id)

    def test_branches_by_pages(self):
        for number in range(45):
            self.repository.git("update-ref", f"refs/heads/b{number:02}", self.sha)
        self.assertEqual(len(self.ship.branches.list(get_all=True, per_page=20)), 46)
        self.assertEqual(len(self.forge.journal.calls("GET", "*/branches")), 3)
        self.assertTrue(self.ship.branches.get("main").protected)
        self.repository.tag("v1", self.sha)
        self.assertEqual([(tag.name, tag.target) for tag in self.ship.tags.list(get_all=True)], [("v1", self.sha)])
        reply = call(self.forge, "GET", f"/api/v4/projects/{self.project.id}/repository/branches?per_page=200",
                     PRIVATE_TOKEN=self.forge.token(self.ada, "api"))
        self.assertEqual(reply.headers["X-Per-Page"], "100")

    def test_pending_jobs_by_keyset(self):
        self.forge.pipeline(self.project, "main", [Job(f"j{n}", tags=["bulkhead"]) for n in range(7)], self.ada)
        found = self.ship.jobs.list(scope=["pending"], pagination="keyset", order_by="id", sort="desc", per_page=3, iterator=True)
        self.assertEqual([job.name for job in found], ["j6", "j5", "j4", "j3", "j2", "j1", "j0"])
        self.assertEqual(self.ship.jobs.get(self.forge.jobs()[0].id).tag_list, ["bulkhead"])
        self.assertEqual(len(self.forge.journal.calls("GET", "*/jobs")), 3)
        token, path = self.forge.token(self.ada, "read_api"), f"/api/v4/projects/{self.project.id}/jobs"
        for query, status in (("scope[]=pending&scope[]=running", 200), ("scope[]=success", 200), ("scope[]=waiting", 400),
                              ("pagination=keyset&order_by=name", 405), ("pagination=keyset&cursor=MQ==", 400),
                              ("pagination=keyset&cursor=%25", 400), ("scope=pending", 400), ("page=0", 400)):
            self.assertEqual(call(self.forge, "GET", f"{path}?{query}", PRIVATE_TOKEN=token).status, status, query)

    def test_sources_at_a_commit(self):
        later = self.repository.commit({"README.md": "later\n"})
        archive = self.ship.repository_archive(sha=self.sha, format="tar.gz")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            folder = f"ship-{self.sha}-{self.sha}"
            self.assertEqual(tar.extractfile(f"{folder}/README.md").read(), b"ship\n")
        self.assertEqual(self.ship.files.raw(".ci/job.yaml", ref=self.sha), b"steps: []\n")
        self.assertEqual(self.ship.files.raw("README.md", ref="main"), b"later\n")
        self.assertEqual(self.ship.commits.get(later).parent_ids, [self.sha])
        for path in ("none", "../README.md", ".ci", ".ci/../README.md"):
            self.refused(404, self.ship.files.raw, path, ref="main")
        for ref in ("main~1", "@", "-h", "HEAD", NONE):
            self.refused(404, self.ship.files.raw, "README.md", ref=ref)
        self.assertEqual(call(self.forge, "GET", f"/api/v4/projects/{self.project.id}/repository/files/.ci/job.yaml/raw?ref=main",
                              PRIVATE_TOKEN=self.forge.token(self.ada, "api")).status, 404, "a path is one segment")

    def test_limits(self):
        token = self.forge.token(self.ada, "api")
        self.forge.limit.exhaust(token, 40)
        limited = call(self.forge, "GET", "/api/v4/user", PRIVATE_TOKEN=token)
        self.assertEqual((limited.status, limited.body, limited.headers["RateLimit-Remaining"]), (429, b"Retry later\n", "0"))
        self.assertIn(int(limited.headers["Retry-After"]), range(1, 41))
        self.forge.clock.advance(20)
        self.assertEqual(call(self.forge, "GET", "/api/v4/user", PRIVATE_TOKEN=token).status, 429)
        self.forge.clock.advance(21)
        self.assertEqual(call(self.forge, "GET", "/api/v4/user", PRIVATE_TOKEN=token).headers["RateLimit-Observed"], "1")
        self.forge.archives = Limit(self.forge.clock, 1, 60)
        self.ship.repository_archive(sha=self.sha)
        self.refused(429, self.ship.repository_archive, sha=self.sha, obey_rate_limit=False)

    def test_runners_are_made_and_unmade(self):
        made = self.login(self.ada, "api")
        made.auth()
        runner = made.user.runners.create({"runner_type": "project_type", "project_id": self.project.id, "tag_list": ["bulkhead"],
                                           "run_untagged": False, "description": "house"})
        self.assertTrue(runner.token.startswith("glrt-"))
        self.assertEqual(made.runners.get(runner.id).tag_list, ["bulkhead"])
        create = made.user.runners.create
        self.refused(403, create, {"runner_type": "instance_type"})
        self.refused(400, create, {"runner_type": "project_type"})
        self.refused(400, create, {"runner_type": "shared"})
        self.refused(400, create, {"runner_type": "project_type", "project_id": self.project.id, "run_untagged": False})
        made.runners.delete(runner.id)
        self.refused(404, made.runners.get, runner.id)

    def test_registration_tokens_are_gone(self):
        self.refused(410, self.client.runners.create, {"token": "GR1348941"})
        self.forge.registration_token = "GR1348941"
        self.assertTrue(self.client.runners.create({"token": "GR1348941"}).token.startswith("glrt-"))
        self.refused(403, self.client.runners.create, {"token": "GR"})

    def test_faults_reach_the_client(self):
        self.forge.faults.next("GET", "/api/v4/user", faults.status(502, b"<html>bad gateway</html>", "text/html"))
        self.refused(502, self.client.auth)
        self.client.auth()


if __name__ == "__main__":
    unittest.main()
