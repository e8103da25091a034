"""GitHub's webhooks about what is at the double, signed with X-Hub-Signature-256 (and the old SHA-1, which GitHub still sends)."""

import hashlib
import uuid

from .deliveries import Delivery, recorded, signature
from .repositories import NONE


class Hooks:
    def __init__(self, forge):
        self.forge = forge
        self.secret = None

    def delivery(self, event, document, id=None):
        """The same `id` again is the same delivery, sent again; it may carry anything, since the signature is over the body alone."""
        made = Delivery(document, [
            ("User-Agent", "GitHub-Hookshot/d0ub1e"), ("Accept", "*/*"), ("X-GitHub-Event", event),
            ("X-GitHub-Delivery", id or str(uuid.uuid4())), ("X-GitHub-Hook-ID", "21"),
            ("X-GitHub-Hook-Installation-Target-ID", "300"), ("X-GitHub-Hook-Installation-Target-Type", "integration")])
        if self.secret:
            made.headers += [("X-Hub-Signature", "sha1=" + signature(self.secret, made.body, hashlib.sha1)),
                             ("X-Hub-Signature-256", "sha256=" + signature(self.secret, made.body))]
        return made

    def common(self, repo, person):
        return {"repository": repo.document(), "sender": self.forge.user(person)}

    def push(self, repo, ref, before, after, person, forced=False, **values):
        """`ref` in full; before and after are None where there is nothing."""
        values |= {"head_commit__id": after} if after else {"commits": [], "head_commit": None}
        return self.delivery("push", recorded(
            "github", "push_tag" if ref.startswith("refs/tags/") else "push_branch", ref=ref, before=before or NONE, after=after or NONE,
            created=before is None, deleted=after is None, forced=forced, pusher={"name": person.login, "email": ""},
            **self.common(repo, person), **values))

    def pull_request(self, pull, action, person, before=None, **values):
        """`action`: opened, synchronize (with `before`), closed, reopened, edited, labeled. A pull whose `head` is None comes from a
        fork that is gone."""
        if before:
            values |= {"before": before, "after": pull.sha}
        document = recorded("github", "pull_request_opened_fork", action=action, number=pull.number,
                            **self.common(pull.base, person), **values)
        document["pull_request"] |= pull.document()
        return self.delivery("pull_request", document)

    def issue_comment(self, pull, person, text, action="created", id=None, **values):
        document = recorded("github", "issue_comment_created", action=action, issue__number=pull.number, issue__title=pull.title,
                            issue__user=self.forge.user(pull.author), issue__pull_request__url=pull.document()["url"],
                            comment__id=id or self.forge.next() + 800, comment__user=self.forge.user(person), comment__body=text,
                            **self.common(pull.base, person), **values)
        return self.delivery("issue_comment", document)

    def check_run(self, repo, check, person, action="requested_action", identifier="approve", **values):
        """Somebody has pressed a button of a check run."""
        document = recorded("github", "check_run_requested_action", action=action, **self.common(repo, person), **values)
        document["check_run"] |= {key: check[key] for key in ("id", "name", "head_sha", "external_id", "status", "conclusion", "app")}
        document["check_run"]["check_suite"]["head_sha"] = check["head_sha"]
        document["requested_action"]["identifier"] = identifier
        return self.delivery("check_run", document)

    def ping(self):
        return self.delivery("ping", recorded("github", "ping"))
