"""The senders of deliveries: signed as the forges sign, about what is at the doubles. A receiver here checks by itself what arrives."""

import base64
import hashlib
import hmac
import unittest

from .deliveries import recorded, storm
from .gitea import Gitea
from .github import GitHub
from .gitlab import MAINTAINER, GitLab
from .gitlab_jobs import Job
from .repositories import NONE, Repository
from .request import Answer
from .server import Double, route

SECRET = "It's a Secret to Everybody"


class Receiver(Double):
    @route("POST", "/webhook/:forge")
    def take(self, request):
        return Answer(202, b"taken", "text/plain")


class Hooks(unittest.TestCase):
    def setUp(self):
        self.receiver = self.enterContext(Receiver())
        self.repository = self.enterContext(Repository({"README.md": "ship\n"}))
        self.before = self.repository.resolve("main")
        self.after = self.repository.commit({"README.md": "better\n"})
        self.repository.commit({"README.md": "best\n"}, branch="patch-1")

    def arrived(self, delivery, forge="x"):
        self.assertEqual(delivery.send(f"{self.receiver.url}/webhook/{forge}"), (202, b"taken"))
        entry = self.receiver.journal.calls()[-1]
        self.assertEqual(entry.body, delivery.body)
        return entry

    def hex(self, body, kind=hashlib.sha256):
        return hmac.new(SECRET.encode(), body, kind).hexdigest()

    def same_shape(self, document, kept):
        """What was recorded has no key that the double's delivery lacks."""
        if isinstance(kept, dict) and isinstance(document, dict):
            for key, value in kept.items():
                self.assertIn(key, document)
                self.same_shape(document[key], value)

    def test_github(self):
        forge = self.enterContext(GitHub())
        forge.hooks.secret = SECRET
        ada, repo = forge.person("ada"), forge.repo("harbour/ship", self.repository, ada="write")
        push = self.arrived(forge.hooks.push(repo, "refs/heads/main", self.before, self.after, ada))
        self.assertEqual(push.headers["x-hub-signature-256"], "sha256=" + self.hex(push.body))
        self.assertEqual(push.headers["x-hub-signature"], "sha1=" + self.hex(push.body, hashlib.sha1))
        self.assertEqual((push.headers["x-github-event"], push.document["after"], push.document["repository"]["id"]),
                         ("push", self.after, repo.id))
        gone = self.arrived(forge.hooks.push(repo, "refs/heads/old", self.after, None, ada)).document
        self.assertEqual((gone["deleted"], gone["after"], gone["head_commit"]), (True, NONE, None))
        pull = forge.pull(repo, ada, "patch-1")
        opened = self.arrived(forge.hooks.pull_request(pull, "opened", ada)).document
        self.same_shape(opened, recorded("github", "pull_request_opened_fork"))
        self.assertEqual(opened["pull_request"]["head"]["sha"], pull.sha)
        before = pull.sha
        self.repository.commit({"README.md": "evil\n"}, branch="patch-1")
        pull.refresh()
        again = self.arrived(forge.hooks.pull_request(pull, "synchronize", ada, before=before)).document
        self.assertEqual((again["before"], again["after"], again["pull_request"]["head"]["sha"]), (before, pull.sha, pull.sha))
        self.assertNotEqual(before, pull.sha)
        pull.head = None
        self.assertIsNone(self.arrived(forge.hooks.pull_request(pull, "closed", ada)).document["pull_request"]["head"]["repo"])
        comment = self.arrived(forge.hooks.issue_comment(pull, ada, "/bulkhead approve")).document
        self.assertEqual((comment["comment"]["body"], comment["issue"]["number"]), ("/bulkhead approve", pull.number))
        check = {"id": 4, "name": "x", "head_sha": pull.sha, "external_id": "", "status": "completed", "conclusion": "action_required",
                 "app": {"id": 3}}
        pressed = self.arrived(forge.hooks.check_run(repo, check, ada)).document
        self.assertEqual((pressed["action"], pressed["requested_action"]["identifier"]), ("requested_action", "approve"))

    def test_gitlab(self):
        forge = self.enterContext(GitLab())
        ada = forge.person("ada")
        project = forge.project("harbour/yard/ship", self.repository, ada=MAINTAINER)
        push = self.arrived(forge.hooks.push(project, "refs/heads/main", self.before, self.after, ada))
        self.assertNotIn("x-gitlab-token", push.headers)
        self.assertEqual((push.headers["x-gitlab-event"], push.document["project"]["id"]), ("Push Hook", project.id))
        forge.hooks.token = SECRET
        forge.hooks.signing_token = "whsec_" + base64.b64encode(b"k" * 32).decode()
        change = forge.merge_request(project, ada, "patch-1")
        pipeline = forge.pipeline(project, "main", [Job("only")], ada)
        for event, delivery in (("Tag Push Hook", forge.hooks.push(project, "refs/tags/v1", None, self.after, ada)),
                                ("Merge Request Hook", forge.hooks.merge_request(change, "open", ada)),
                                ("Note Hook", forge.hooks.note(change, ada, "/bulkhead approve")),
                                ("Job Hook", forge.hooks.job(pipeline.jobs[0])),
                                ("Pipeline Hook", forge.hooks.pipeline(pipeline))):
            entry = self.arrived(delivery)
            self.assertEqual((entry.headers["x-gitlab-event"], entry.headers["x-gitlab-token"]), (event, SECRET))
            text = f"{entry.headers['webhook-id']}.{entry.headers['webhook-timestamp']}.".encode() + entry.body
            code = base64.b64encode(hmac.digest(b"k" * 32, text, "sha256")).decode()
            self.assertEqual(entry.headers["webhook-signature"], f"v1,{code}")
            self.assertEqual(entry.headers["webhook-id"], entry.headers["idempotency-key"])
        update = forge.hooks.merge_request(change, "update", ada, oldrev=self.before).document["object_attributes"]
        self.assertEqual((update["oldrev"], update["last_commit"]["id"], update["iid"]), (self.before, change.sha, 1))
        change.source = None
        gone = forge.hooks.merge_request(change, "close", ada).document["object_attributes"]
        self.assertEqual((gone["source_project_id"], gone["source"], gone["state"]), (None, None, "closed"))
        self.assertIsNone(forge.hooks.note(change, ada, "x").document["merge_request"]["source_project_id"])
        self.assertEqual(forge.hooks.job(pipeline.jobs[0]).document["build_status"], "pending")
        self.assertEqual(forge.hooks.delivery(push.document, id="again").header("webhook-id"), "again")

    def test_gitea_and_forgejo(self):
        for kind in ("gitea", "forgejo"):
            forge = self.enterContext(Gitea(kind=kind))
            forge.hooks.secret = SECRET
            ada, repo = forge.person("ada"), forge.repo("harbour/ship", self.repository, ada="write")
            pull = forge.pull(repo, ada, "patch-1")
            entry = self.arrived(forge.hooks.pull_request(pull, "synchronized", ada))
            self.assertEqual(entry.headers["x-gitea-signature"], self.hex(entry.body))
            self.assertEqual(entry.headers["x-hub-signature-256"], "sha256=" + self.hex(entry.body))
            self.assertEqual(entry.headers.get("x-forgejo-signature"), self.hex(entry.body) if kind == "forgejo" else None)
            self.assertEqual((entry.headers["x-github-event"], entry.headers["x-gitea-event-type"]), ("pull_request", "pull_request_sync"))
            self.assertEqual(entry.document["pull_request"]["head"]["sha"], pull.sha)
            self.same_shape(entry.document, recorded("gitea", "pull_request_synchronized"))
            comment = self.arrived(forge.hooks.issue_comment(pull, ada, "/bulkhead approve")).document
            self.same_shape(comment, recorded("gitea", "issue_comment_created"))
            pull.head = None
            gone = forge.hooks.pull_request(pull, "closed", ada).document["pull_request"]["head"]
            self.assertEqual(gone, recorded("gitea", "pull_request_fork_gone")["pull_request"]["head"])
            push = self.arrived(forge.hooks.push(repo, "refs/heads/main", self.before, self.after, ada)).document
            self.same_shape(push, recorded("gitea", "push_branch"))
            forge.hooks.secret = None
            self.assertEqual(self.arrived(forge.hooks.push(repo, "refs/heads/main", self.before, self.after, ada)).headers
                             ["x-gitea-signature"], "", "without a secret it is there, and empty")
            forge.hooks.secret, forge.hooks.form = SECRET, True
            form = forge.hooks.push(repo, "refs/heads/main", self.before, self.after, ada)
            self.assertEqual(form.header("Content-Type"), "application/x-www-form-urlencoded")
            self.assertTrue(form.body.startswith(b"payload=%7B"))

    def test_forgeries(self):
        forge = self.enterContext(GitHub())
        forge.hooks.secret = SECRET
        ada, repo = forge.person("ada"), forge.repo("harbour/ship", self.repository)
        good = forge.hooks.push(repo, "refs/heads/main", self.before, self.after, ada)
        other = self.arrived(good.with_body(b"{}"))
        self.assertNotEqual(other.headers["x-hub-signature-256"], "sha256=" + self.hex(other.body))
        self.assertNotIn("x-hub-signature-256", self.arrived(good.with_headers(X_Hub_Signature_256=None)).headers)
        self.assertIn("x-hub-signature-256", self.arrived(good).headers, "the original is as it was")
        twice = self.arrived(good.with_more(("X-Hub-Signature-256", "sha256=0")))
        self.assertEqual(twice.repeated, {"x-hub-signature-256": [good.header("X-Hub-Signature-256"), "sha256=0"]})

    def test_storm(self):
        forge = self.enterContext(GitHub())
        ada, repo = forge.person("ada"), forge.repo("harbour/ship", self.repository)
        good = forge.hooks.push(repo, "refs/heads/main", self.before, self.after, ada)
        self.assertEqual(storm([good] * 200, f"{self.receiver.url}/webhook/x"), [202] * 200)
        self.assertEqual(len({entry.headers["x-github-delivery"] for entry in self.receiver.journal.calls()}), 1)


if __name__ == "__main__":
    unittest.main()
