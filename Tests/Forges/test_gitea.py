"""The doubles of Gitea and Forgejo: what they answer, and what they refuse."""

import base64
import io
import tarfile
import unittest

from .client import call
from .gitea import Gitea
from .repositories import NONE, Repository

ROOT = "/api/v1/repos/harbour/ship"


class Rest(unittest.TestCase):
    def setUp(self):
        self.forge = self.enterContext(Gitea())
        self.repository = self.enterContext(Repository({"README.md": "ship\n", ".ci/job.yaml": "steps: []\n"}))
        self.ada, self.bob, self.harbour = (self.forge.person(login) for login in ("ada", "bob", "harbour"))
        self.repo = self.forge.repo("harbour/ship", self.repository, ada="write", bob="read")
        self.sha = self.repository.resolve("main")
        self.token = self.forge.token(self.ada, "write:repository", "write:issue", "read:user")

    def call(self, method, path, document=None, token=None, **named):
        return call(self.forge, method, path, document, **{"Authorization": f"token {token or self.token}"} | named)

    def test_who_am_i(self):
        self.assertEqual(self.call("GET", "/api/v1/user").document["login"], "ada")
        self.assertEqual(self.call("GET", "/api/v1/user", Authorization=None).status, 401)
        self.assertEqual(self.call("GET", "/api/v1/user", token="0" * 40).status, 401)
        self.assertEqual(self.call("GET", "/api/v1/user", Authorization=f"Bearer {self.token}").status, 200)
        self.assertEqual(self.call("GET", "/api/v1/user", token=self.forge.token(self.ada, "read:repository")).status, 403)
        self.assertEqual(self.call("GET", ROOT, token=self.forge.token(self.forge.person("eve"), "all")).status, 404)
        self.assertEqual(self.call("GET", "/repos/harbour/ship").status, 404)
        with Gitea(kind="forgejo") as forgejo:
            self.assertIn("+gitea-", call(forgejo, "GET", "/api/v1/version").document["version"])

    def test_state_goes_out_and_status_comes_back(self):
        made = self.call("POST", f"{ROOT}/statuses/{self.sha}", {"state": "warning", "context": "bulkhead"})
        self.assertEqual((made.status, made.document["status"], made.document["context"]), (201, "warning", "bulkhead"))
        self.assertNotIn("state", made.document)
        self.assertEqual([one["status"] for one in self.call("GET", f"{ROOT}/statuses/{self.sha}").document], ["warning"])

    def test_statuses_refused(self):
        path = f"{ROOT}/statuses/{self.sha}"
        for document in ({"status": "success"}, {"state": "running"}, {"state": "success", "target_url": "x"}, {}, {"state": None}):
            self.assertEqual(self.call("POST", path, document).status, 422, document)
        self.assertEqual(self.call("POST", f"{ROOT}/statuses/{NONE}", {"state": "success"}).status, 404)
        self.assertEqual(self.call("POST", path, body=b"state=success", Content_Type="application/x-www-form-urlencoded").status, 415)
        for person, scope in ((self.ada, "read:repository"), (self.bob, "write:repository")):
            self.assertEqual(self.call("POST", path, {"state": "success"}, self.forge.token(person, scope)).status, 403)

    def test_comments(self):
        self.repository.commit({"README.md": "better\n"}, branch="patch-1")
        pull = self.forge.pull(self.repo, self.bob, "patch-1")
        self.assertEqual(self.call("GET", f"{ROOT}/pulls/{pull.number}").document["head"]["sha"], pull.sha)
        made = self.call("POST", f"{ROOT}/issues/{pull.number}/comments", {"body": "running"})
        self.assertEqual(made.status, 201)
        path = f"{ROOT}/issues/comments/{made.document['id']}"
        self.assertEqual(self.call("PATCH", path, {"body": "done"}).document["body"], "done")
        self.assertEqual([one["body"] for one in self.call("GET", f"{ROOT}/issues/{pull.number}/comments").document], ["done"])
        self.assertEqual(self.call("PATCH", path, {"body": "x"}, self.forge.token(self.bob, "write:issue")).status, 403)
        self.assertEqual(self.call("PATCH", path, {"body": ""}).status, 422)
        self.assertEqual(self.call("PATCH", f"{ROOT}/issues/comments/1", {"body": "x"}).status, 404)

    def test_permission_of_an_approver(self):
        path, owner = f"{ROOT}/collaborators/{{}}/permission", self.forge.token(self.harbour, "read:repository")
        self.assertEqual(self.call("GET", path.format("bob"), token=owner).document["permission"], "read")
        self.assertEqual(self.call("GET", path.format("harbour"), token=owner).document["permission"], "owner")
        self.assertEqual(self.call("GET", path.format("nobody"), token=owner).status, 404)
        self.assertEqual(self.call("GET", path.format("ada")).document["permission"], "write", "of oneself")
        self.assertEqual(self.call("GET", path.format("bob")).status, 403)

    def test_sources_at_a_commit(self):
        self.repository.commit({"README.md": "later\n"})
        with tarfile.open(fileobj=io.BytesIO(self.call("GET", f"{ROOT}/archive/{self.sha}.tar.gz").body)) as tar:
            self.assertEqual(tar.extractfile("ship/README.md").read(), b"ship\n")
        self.assertEqual(self.call("GET", f"{ROOT}/raw/.ci/job.yaml?ref={self.sha}").body, b"steps: []\n")
        document = self.call("GET", f"{ROOT}/contents/README.md?ref={self.sha}").document
        self.assertEqual(base64.b64decode(document["content"]), b"ship\n")
        for path, status in (("raw/none", 404), ("raw/README.md?ref=main~1", 404), ("raw/.ci/../README.md", 404), ("archive/gone.zip", 404),
                             (f"archive/{self.sha}.rar", 400), (f"git/commits/{NONE}", 404)):
            self.assertEqual(self.call("GET", f"{ROOT}/{path}").status, status, path)

    def test_pages(self):
        for number in range(60):
            self.repository.git("update-ref", f"refs/heads/b{number:02}", self.sha)
        first = self.call("GET", f"{ROOT}/branches?limit=100")
        self.assertEqual((len(first.document), first.headers["X-Total-Count"]), (50, "61"))
        self.assertIn('page=2&limit=50>; rel="next"', first.headers["Link"])
        self.assertEqual(self.call("GET", f"{ROOT}/branches?per_page=10").status, 400)
        self.repository.git("update-ref", "refs/heads/feature/x", self.sha)
        self.assertEqual(self.call("GET", f"{ROOT}/branches/feature/x").document["commit"]["id"], self.sha)
        self.assertEqual(self.call("GET", f"{ROOT}/branches/feature").status, 404)
        self.repository.tag("v1", self.sha)
        self.assertEqual([one["name"] for one in self.call("GET", f"{ROOT}/tags").document], ["v1"])


if __name__ == "__main__":
    unittest.main()
