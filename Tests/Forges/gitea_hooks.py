"""Gitea's and Forgejo's webhooks about what is at the double, with all the headers that they send: their own, those of the forge that
they come from, and GitHub's. Without a secret the signatures are sent all the same, empty."""

import hashlib
import urllib.parse
import uuid

from .deliveries import Delivery, recorded, signature
from .repositories import NONE

# Where the finer name of the event is another one.
TYPES = {("pull_request", "synchronized"): "pull_request_sync", ("pull_request", "label_updated"): "pull_request_label",
         ("issue_comment", "created"): "pull_request_comment", ("issue_comment", "edited"): "pull_request_comment"}


class Hooks:
    def __init__(self, forge):
        self.forge = forge
        self.secret = None
        # As a form, which some hooks are set to: the signature is then over what is in its one field.
        self.form = False

    def delivery(self, event, document, id=None):
        id, kind = id or str(uuid.uuid4()), TYPES.get((event, document.get("action")), event)
        made = Delivery(document, [])
        new = signature(self.secret, made.body) if self.secret else ""
        old = signature(self.secret, made.body, hashlib.sha1) if self.secret else ""
        for family in (*(["Forgejo"] if self.forge.kind == "forgejo" else []), "Gitea", "Gogs"):
            made.headers += [(f"X-{family}-Delivery", id), (f"X-{family}-Event", event), (f"X-{family}-Event-Type", kind),
                             (f"X-{family}-Signature", new)]
        made.headers += [("X-Hub-Signature", f"sha1={old}"), ("X-Hub-Signature-256", f"sha256={new}"), ("X-GitHub-Delivery", id),
                         ("X-GitHub-Event", event), ("X-GitHub-Event-Type", kind)]
        if self.form:
            form = urllib.parse.urlencode({"payload": made.body}).encode()
            return made.with_headers(Content_Type="application/x-www-form-urlencoded").with_body(form)
        return made

    def common(self, repo, person):
        return {"repository": repo.document(), "sender": self.forge.user(person)}

    def push(self, repo, ref, before, after, person, **values):
        """`ref` in full; before and after are None where there is nothing."""
        return self.delivery("push", recorded(
            "gitea", "push_tag" if ref.startswith("refs/tags/") else "push_branch", ref=ref, before=before or NONE, after=after or NONE,
            pusher=self.forge.user(person), **self.common(repo, person), **values))

    def pull_request(self, pull, action, person, **values):
        """`action`: opened, synchronized, closed, reopened, edited, label_updated."""
        document = recorded("gitea", "pull_request_opened_fork", action=action, number=pull.number,
                            **self.common(pull.base, person), **values)
        document["pull_request"] |= pull.document()
        return self.delivery("pull_request", document)

    def issue_comment(self, pull, person, text, action="created", id=None, **values):
        return self.delivery("issue_comment", recorded(
            "gitea", "issue_comment_created", action=action, issue__number=pull.number, issue__title=pull.title,
            issue__user=self.forge.user(pull.author), comment__id=id or self.forge.next() + 800,
            comment__user=self.forge.user(person), comment__body=text, is_pull=True, **self.common(pull.base, person), **values))
