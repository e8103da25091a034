"""The double of GitHub's REST: PyGithub reads what it says, and what GitHub refuses it refuses."""

import io
import tarfile
import unittest

import github

from .client import call
from .github import GitHub
from .limits import Limit
from .repositories import NONE, Repository
from .store import Store

EVERYTHING = {"contents": "read", "statuses": "write", "issues": "write", "pull_requests": "read", "checks": "write"}


class Rest(unittest.TestCase):
    def setUp(self):
        self.forge = self.enterContext(GitHub())
        self.repository = self.enterContext(Repository({"README.md": "ship\n", ".ci/job.yaml": "steps: []\n"}))
        self.ada = self.forge.person("ada")
        self.repo = self.forge.repo("harbour/ship", self.repository, ada="write", bob="read")
        self.sha = self.repository.resolve("main")
        self.token = self.forge.token(self.ada, **EVERYTHING)
        self.ship = self.login(self.token).get_repo("harbour/ship")

    def login(self, token):
        client = github.Github(auth=github.Auth.Token(token), base_url=self.forge.url, retry=None, seconds_between_requests=None,
                               seconds_between_writes=None)
        self.addCleanup(client.close)
        return client

    def refused(self, status, what, *arguments, **named):
        with self.assertRaises(github.GithubException) as raised:
            what(*arguments, **named)
        self.assertEqual(raised.exception.status, status, raised.exception)
        return str(raised.exception)

    def call(self, method, path, document=None, token=None, **named):
        return call(self.forge, method, path, document, **{"Authorization": f"Bearer {token or self.token}"} | named)

    def test_who_am_i(self):
        self.assertEqual(self.login(self.token).get_user().login, "ada")
        self.refused(401, self.login("github_pat_x").get_repo, "harbour/ship")
        self.refused(404, self.login(self.token).get_repo, "harbour/other")
        self.refused(404, self.login(self.forge.token(self.forge.person("eve"), **EVERYTHING)).get_repo, "harbour/ship")

    def test_headers_that_are_needed(self):
        self.assertEqual(self.call("GET", "/user").status, 200)
        self.assertEqual(self.call("GET", "/user", User_Agent=None).status, 403)
        self.assertEqual(self.call("GET", "/user", Accept="application/vnd.github+json").status, 200)
        self.assertEqual(self.call("GET", "/user", Accept="text/html").status, 415)
        self.assertEqual(self.call("GET", "/user", X_GitHub_Api_Version="2022-11-28").status, 200)
        self.assertEqual(self.call("GET", "/user", X_GitHub_Api_Version="1999-01-01").status, 400)
        self.assertEqual(self.call("GET", "/user", Authorization=None).status, 401)
        self.assertEqual(self.call("GET", "/user", Authorization=f"Basic {self.token}").status, 401)
        self.assertEqual(self.call("DELETE", "/user").status, 404)

    def test_statuses(self):
        made = self.ship.get_commit(self.sha).create_status("pending", "https://ci.example/1", "x" * 140, "bulkhead")
        self.assertEqual((made.state, made.context, made.creator.login), ("pending", "bulkhead", "ada"))
        self.ship.get_commit(self.sha).create_status("success", context="bulkhead")
        self.assertEqual([one.state for one in self.ship.get_commit(self.sha).get_statuses()], ["success", "pending"])

    def test_statuses_refused(self):
        path = f"/repos/harbour/ship/statuses/{self.sha}"
        for document in ({"state": "running"}, {}, {"state": "success", "description": "x" * 141}, {"state": "success", "status": "x"},
                         {"state": "success", "target_url": "ftp://x"}, {"state": None}):
            refused = self.call("POST", path, document)
            self.assertEqual((refused.status, refused.document["message"]), (422, "Validation Failed"), document)
        self.assertEqual(self.call("POST", f"/repos/harbour/ship/statuses/{NONE}", {"state": "success"}).status, 422)
        self.assertEqual(self.call("POST", f"/repos/harbour/ship/statuses/{self.sha[:8]}", {"state": "success"}).status, 422)
        self.assertEqual(self.call("POST", path, body=b"{}", Content_Type="text/plain").status, 415)
        self.assertEqual(self.call("POST", path, body=b"{", Content_Type="application/json").status, 400)
        self.assertEqual(self.call("POST", path, {"state": "success"}, self.forge.token(self.ada, statuses="read")).status, 403)
        self.assertEqual(self.call("POST", path, {"state": "success"}, self.forge.token(self.forge.person("bob"), statuses="write")).status,
                         403)
        self.forge.statuses_limit = 2
        codes = [self.call("POST", path, {"state": "success", "context": "full"}).status for _ in range(3)]
        self.assertEqual(codes, [201, 201, 422])
        self.assertEqual(self.call("POST", path, {"state": "success", "context": "other"}).status, 201)

    def test_comments(self):
        self.repository.commit({"README.md": "better\n"}, branch="patch-1")
        pull = self.forge.pull(self.repo, self.ada, "patch-1")
        shown = self.ship.get_pull(pull.number)
        self.assertEqual((shown.head.sha, shown.head.ref, shown.base.repo.id), (pull.sha, "patch-1", self.repo.id))
        comment = shown.create_issue_comment("running")
        comment.edit("done")
        self.assertEqual([one.body for one in shown.get_issue_comments()], ["done"])
        path = f"/repos/harbour/ship/issues/comments/{comment.id}"
        other = self.forge.token(self.forge.person("harbour"), **EVERYTHING)
        self.assertEqual(self.call("PATCH", path, {"body": "mine"}, other).status, 403)
        self.assertEqual(self.call("PATCH", "/repos/harbour/ship/issues/comments/1", {"body": "x"}).status, 404)
        comments = f"/repos/harbour/ship/issues/{pull.number}/comments"
        self.assertEqual(self.call("POST", comments, {"body": ""}).status, 422)
        self.assertEqual(self.call("POST", comments, {"body": "x" * 65537}).status, 422)
        self.assertEqual(self.call("POST", "/repos/harbour/ship/issues/7/comments", {"body": "x"}).status, 404)
        # Of a pull request the one permission is as good as the other.
        for permission in ("issues", "pull_requests"):
            for level, status in (("write", 201), ("read", 403)):
                token = self.forge.token(self.ada, **{permission: level})
                self.assertEqual(self.call("POST", comments, {"body": "x"}, token).status, status, (permission, level))

    def test_fork_that_is_gone(self):
        with Repository() as fork:
            fork.take(self.repository, "main", "refs/heads/main")
            fork.commit({"evil": "x"}, branch="patch-1")
            other = self.forge.repo("mallory/ship", fork, fork_of=self.repo, private=False)
            pull = self.forge.pull(self.repo, self.forge.person("mallory"), "patch-1", head=other)
            self.assertEqual(self.ship.get_pull(pull.number).head.repo.full_name, "mallory/ship")
        pull.head = None
        self.assertIsNone(self.ship.get_pull(pull.number).raw_data["head"]["repo"])
        self.assertEqual(self.repository.resolve(f"refs/pull/{pull.number}/head"), pull.sha, "the commit stays")

    def test_permission_of_an_approver(self):
        self.assertEqual(self.ship.get_collaborator_permission("ada"), "write")
        self.forge.person("bob")
        self.assertEqual(self.ship.get_collaborator_permission("bob"), "read")
        self.refused(404, self.ship.get_collaborator_permission, "nobody")
        reader = self.login(self.forge.token(self.forge.person("bob"), contents="read")).get_repo("harbour/ship")
        self.refused(403, reader.get_collaborator_permission, "ada")

    def test_sources_at_a_commit(self):
        self.repository.commit({"README.md": "later\n"})
        link = self.ship.get_archive_link("tarball", self.sha)
        content = call(self.forge, "GET", link.removeprefix(self.forge.url)).body
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            self.assertEqual(tar.extractfile(f"harbour-ship-{self.sha[:7]}/README.md").read(), b"ship\n")
        self.assertEqual(call(self.forge, "GET", link.removeprefix(self.forge.url)[:-1]).status, 404)
        later = self.repository.resolve("main")
        other = link.removeprefix(self.forge.url).replace(self.sha, later)
        self.assertEqual(call(self.forge, "GET", other).status, 404, "another commit")
        self.forge.clock.advance(301)
        self.assertEqual(call(self.forge, "GET", link.removeprefix(self.forge.url)).status, 404)
        self.assertEqual(self.ship.get_contents(".ci/job.yaml", ref=self.sha).decoded_content, b"steps: []\n")
        raw = self.call("GET", f"/repos/harbour/ship/contents/README.md?ref={self.sha}", Accept="application/vnd.github.raw+json")
        self.assertEqual(raw.body, b"ship\n")
        self.assertEqual([one.name for one in self.ship.get_contents(".ci", ref="main")], ["job.yaml"])
        for path, ref in (("none", "main"), ("README.md", "main~1"), ("README.md", "gone"), (".ci/../README.md", "main")):
            self.assertEqual(self.call("GET", f"/repos/harbour/ship/contents/{path}?ref={ref}").status, 404, (path, ref))
        with Store() as store:
            self.forge.codeload = store
            link = self.ship.get_archive_link("tarball", self.sha)
            self.assertTrue(link.startswith(store.url), "another host")
            self.assertEqual(call(store, "GET", link.removeprefix(store.url)).status, 200)
            self.assertEqual(call(store, "GET", link.removeprefix(store.url), Authorization="Bearer x").status, 400)

    def test_large_files_are_raw_only(self):
        self.repository.commit({"big": "x" * ((1 << 20) + 1)})
        self.assertEqual(self.call("GET", "/repos/harbour/ship/contents/big").document["encoding"], "none")
        raw = self.call("GET", "/repos/harbour/ship/contents/big", Accept="application/vnd.github.raw+json")
        self.assertEqual(len(raw.body), (1 << 20) + 1)

    def test_pages(self):
        for number in range(65):
            self.repository.git("update-ref", f"refs/heads/b{number:02}", self.sha)
        self.assertEqual(len(list(self.ship.get_branches())), 66)
        self.assertEqual(len(self.forge.journal.calls("GET", "*/branches")), 3)
        self.repository.git("update-ref", "refs/heads/feature/x", self.sha)
        self.assertEqual(self.ship.get_branch("feature/x").commit.sha, self.sha)
        self.refused(404, self.ship.get_branch, "feature")
        self.repository.tag("v1", self.sha)
        self.assertEqual([(tag.name, tag.commit.sha) for tag in self.ship.get_tags()], [("v1", self.sha)])
        first = self.call("GET", "/repos/harbour/ship/branches?per_page=50")
        self.assertIn('rel="next"', first.headers["Link"])
        self.assertEqual(self.call("GET", "/repos/harbour/ship/branches?per_page=0").status, 400)

    def test_what_is_unchanged_costs_nothing(self):
        first = self.call("GET", "/repos/harbour/ship/branches")
        again = self.call("GET", "/repos/harbour/ship/branches", If_None_Match=first.headers["ETag"])
        self.assertEqual((again.status, again.body, again.headers["ETag"]), (304, b"", first.headers["ETag"]))
        self.assertEqual(again.headers["X-RateLimit-Used"], first.headers["X-RateLimit-Used"])
        third = self.call("GET", "/repos/harbour/ship/branches", If_None_Match=first.headers["ETag"])
        self.assertEqual(third.headers["X-RateLimit-Used"], first.headers["X-RateLimit-Used"])
        self.repository.commit({"README.md": "new\n"})
        self.assertEqual(self.call("GET", "/repos/harbour/ship/branches", If_None_Match=first.headers["ETag"]).status, 200)

    def test_primary_limit(self):
        self.forge.limit.exhaust(self.token, 90)
        limited = self.call("GET", "/user")
        self.assertEqual((limited.status, limited.headers["X-RateLimit-Remaining"]), (403, "0"))
        self.assertIn("API rate limit exceeded", limited.document["message"])
        self.assertGreater(int(limited.headers["X-RateLimit-Reset"]), self.forge.clock.now())
        self.forge.clock.advance(91)
        self.assertEqual(self.call("GET", "/user").status, 200)

    def test_secondary_limit(self):
        self.forge.creating = Limit(self.forge.clock, 1, 60)
        path = f"/repos/harbour/ship/statuses/{self.sha}"
        self.assertEqual(self.call("POST", path, {"state": "success"}).status, 201)
        limited = self.call("POST", path, {"state": "success"})
        self.assertEqual((limited.status, limited.headers["Retry-After"]), (403, "60"))
        self.assertNotEqual(limited.headers["X-RateLimit-Remaining"], "0")
        self.assertIn("secondary", limited.document["message"])


if __name__ == "__main__":
    unittest.main()
