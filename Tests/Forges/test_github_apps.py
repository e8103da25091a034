"""What only GitHub's apps may do: sign in with their key, get tokens for an installation, report check runs."""

import unittest

import github

from .client import call
from .github import GitHub
from .repositories import NONE, Repository


class Apps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.forge = cls.enterClassContext(GitHub())
        cls.repository = cls.enterClassContext(Repository({"README.md": "ship\n"}))
        cls.repo = cls.forge.repo("harbour/ship", cls.repository)
        cls.forge.repo("harbour/boat", cls.repository)
        cls.app = cls.forge.app()
        cls.installation = cls.app.install("harbour", "harbour/ship", checks="write", statuses="write", contents="read")
        cls.sha = cls.repository.resolve("main")
        cls.tokens = f"/app/installations/{cls.installation.id}/access_tokens"

    def call(self, method, path, document=None, token=None, **named):
        return call(self.forge, method, path, document, **{"Authorization": f"Bearer {token}"} | named)

    def statement(self, **changes):
        return self.app.statement(self.forge.clock.now(), **changes)

    def token(self, **wanted):
        reply = self.call("POST", self.tokens, wanted, self.statement())
        self.assertEqual(reply.status, 201, reply.body)
        return reply.document["token"]

    def test_pygithub_signs_in_as_app(self):
        integration = github.GithubIntegration(auth=github.Auth.AppAuth(self.app.client_id, self.app.private_key), base_url=self.forge.url,
                                               retry=None)
        self.addCleanup(integration.close)
        self.assertEqual(integration.get_repo_installation("harbour", "ship").id, self.installation.id)
        token = integration.get_access_token(self.installation.id, permissions={"checks": "write", "contents": "read"})
        client = github.Github(auth=github.Auth.Token(token.token), base_url=self.forge.url, retry=None)
        self.addCleanup(client.close)
        ship = client.get_repo("harbour/ship")
        check = ship.create_check_run("by PyGithub", self.sha, status="in_progress", external_id="j-1", details_url="https://ci.example/1")
        check.edit(conclusion="action_required", output={"title": "Waits", "summary": "for an approval"},
                   actions=[{"label": "Approve", "description": "Runs this commit", "identifier": "approve"}])
        self.assertEqual((check.status, check.conclusion, check.output.title), ("completed", "action_required", "Waits"))
        self.assertEqual(self.forge.actions[check.id][0]["identifier"], "approve")
        self.assertEqual([one.id for one in ship.get_commit(self.sha).get_check_runs(check_name="by PyGithub")], [check.id])
        with self.assertRaises(github.GithubException) as raised:
            ship.get_commit(self.sha).create_status("success")
        self.assertEqual(raised.exception.status, 403, "statuses were not asked for")

    def test_statements_that_are_refused(self):
        now = int(self.forge.clock.now())
        self.assertEqual(self.call("GET", "/app", token=self.statement()).document["slug"], "bulkhead")
        self.assertEqual(self.call("GET", "/app", token=self.statement(iss=self.app.id)).status, 200)
        for changes, status in (({"exp": now + 700}, 401), ({"exp": now - 1}, 401), ({"exp": None}, 401), ({"iat": now + 60}, 401),
                                ({"iat": None}, 401), ({"iat": str(now)}, 401), ({"exp": float(now + 60)}, 401), ({"alg": "HS256"}, 401),
                                ({"alg": "none"}, 401), ({"iss": "Iv23linobody"}, 404), ({"iss": None}, 404)):
            self.assertEqual(self.call("GET", "/app", token=self.statement(**changes)).status, status, changes)
        head, body, signature = self.statement().split(".")
        for token in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.{signature[:-4]}AAAA", "x", f"{head}.{body}.{signature}="):
            self.assertEqual(self.call("GET", "/app", token=token).status, 401, token[-20:])
        other = self.forge.app("other")
        self.assertEqual(self.call("POST", self.tokens, {}, other.statement(now)).status, 404, "another app's installation")
        self.assertEqual(self.call("GET", "/repos/harbour/ship", token=self.statement()).status, 401, "a statement opens no repository")
        self.assertEqual(self.call("GET", "/app", token=self.token()).status, 401, "and a token is no statement")

    def test_tokens_have_their_bounds(self):
        for wanted in ({"permissions": {"contents": "write"}}, {"permissions": {"issues": "read"}}, {"repositories": ["boat"]},
                       {"repository_ids": [1]}, {"repositories": "ship"}, {"repos": ["ship"]}):
            self.assertEqual(self.call("POST", self.tokens, wanted, self.statement()).status, 422, wanted)
        token = self.token(repositories=["ship"], permissions={"contents": "read"})
        self.assertEqual(self.call("GET", "/repos/harbour/ship/branches", token=token).status, 200)
        self.assertEqual(self.call("GET", "/repos/harbour/boat/branches", token=token).status, 404)
        self.assertEqual(self.call("GET", "/repos/harbour/ship/pulls", token=token).status, 403)
        self.assertEqual(self.call("GET", "/user", token=token).status, 403)
        me = self.call("GET", "/users/bulkhead%5Bbot%5D", token=token)
        self.assertEqual((me.status, me.document["type"]), (200, "Bot"))
        self.forge.clock.advance(3601)
        self.assertEqual(self.call("GET", "/repos/harbour/ship/branches", token=token).status, 401)
        self.installation.suspended = True
        self.addCleanup(setattr, self.installation, "suspended", False)
        self.assertEqual(self.call("POST", self.tokens, {}, self.statement()).status, 403)

    def test_checks_refused(self):
        token, path = self.token(), "/repos/harbour/ship/check-runs"
        good = {"name": "bulkhead", "head_sha": self.sha}
        output = {"title": "t", "summary": "s"}
        note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}
        action = {"label": "Approve", "description": "d", "identifier": "approve"}
        made = self.call("POST", path, good | {"output": output | {"annotations": [note] * 50}, "actions": [action] * 3}, token)
        self.assertEqual((made.status, made.document["output"]["annotations_count"]), (201, 50))
        for changes in ({"head_sha": NONE}, {"head_sha": "main"}, {"status": "running"}, {"status": "completed"},
                        {"status": "queued", "conclusion": "success"}, {"conclusion": "canceled"}, {"started_at": "now"},
                        {"details_url": "x"}, {"title": "x"}, {"output": {"title": "t"}}, {"output": output | {"summary": "x" * 65536}},
                        {"output": output | {"annotations": [note] * 51}},
                        {"output": output | {"annotations": [note | {"start_line": "1"}]}},
                        {"actions": [action] * 4}, {"actions": [action | {"label": "x" * 21}]},
                        {"actions": [action | {"identifier": "x" * 21}]}, {"actions": [action | {"description": "x" * 41}]}):
            self.assertEqual(self.call("POST", path, good | changes, token).status, 422, changes)
        self.assertEqual(self.call("PATCH", f"{path}/{made.document['id']}", {"head_sha": self.sha}, token).status, 422)
        ended = self.call("POST", path, good | {"name": "ended", "conclusion": "action_required"}, token).document["id"]
        for changes in ({"status": "queued"}, {"conclusion": "success"}):
            self.assertEqual(self.call("PATCH", f"{path}/{ended}", changes, token).status, 422, changes)
        again = self.call("POST", path, good | {"name": "ended"}, token).document["id"]
        listed = f"/repos/harbour/ship/commits/{self.sha}/check-runs?check_name=ended"
        for query, found in (("", [again]), ("&filter=all", [ended, again]), ("&app_id=1", [])):
            self.assertEqual([one["id"] for one in self.call("GET", listed + query, token=token).document["check_runs"]], found)
        self.assertEqual(self.call("PATCH", f"{path}/1", {"status": "queued"}, token).status, 404)
        person = self.forge.token(self.forge.person("harbour"), checks="write")
        self.assertEqual(self.call("POST", path, good, person).status, 403, "apps only")
        other = self.forge.app("other").install("harbour", "harbour/ship", checks="write")
        theirs = self.call("POST", f"/app/installations/{other.id}/access_tokens", {}, other.app.statement(self.forge.clock.now())).document
        self.assertEqual(self.call("PATCH", f"{path}/{made.document['id']}", {"status": "queued"}, theirs["token"]).status, 403)


if __name__ == "__main__":
    unittest.main()
