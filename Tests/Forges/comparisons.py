"""What a change touches, and what differs between two commits, as each forge says it. A mixin for each double."""

import urllib.parse

from .request import Answer, Refused
from .server import route

# Of a letter that git puts before a file's name.
GITHUB = {"A": "added", "D": "removed", "M": "modified", "R": "renamed"}
GITEA = {"A": "added", "D": "deleted", "M": "changed", "R": "renamed"}


def sides(request, between="..."):
    """`BASE...HEAD`, each a branch or a commit."""
    base, found, head = request.arguments["basehead"].partition(between)
    if not found or not base or not head:
        raise Refused(404, "Not Found")
    return base, head


class OfGitHub:
    # "A maximum of 3000 files"; a comparison has 300 at most.
    compared = 300

    def github_file(self, repo, letter, old, new):
        more = {"previous_filename": old} if letter == "R" else {}
        return {"sha": "0" * 40, "filename": new, "status": GITHUB[letter], "additions": 1, "deletions": 1, "changes": 2,
                "contents_url": f"{repo.url}/contents/{urllib.parse.quote(new)}", "patch": "@@ -1 +1 @@", **more}

    @route("GET", "/repos/:owner/:repo/pulls/:number/files")
    def pull_files(self, request):
        repo = self.found(request, "pull_requests")
        pull = self.pull_of(request, repo)
        base = repo.repository.merge_base(repo.repository.resolve(pull.base_branch), pull.sha)
        return self.listed(request, request.asked("page", "per_page"), [
            self.github_file(repo, *one) for one in repo.repository.changes(base, pull.sha)][:3000])

    @route("GET", "/repos/:owner/:repo/compare/*basehead")
    def compare(self, request):
        repo = self.found(request, "contents")
        request.asked("page", "per_page")
        git = repo.repository
        base, head = (git.resolve(one) for one in sides(request))
        if base is None or head is None:
            raise Refused(404, "Not Found")
        parted = git.merge_base(base, head)
        if parted is None:
            raise Refused(404, "No common ancestor between them")
        ahead, behind = git.between(base, head), git.between(head, base)
        status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
        commit = lambda sha: {"sha": sha, "url": f"{repo.url}/commits/{sha}"}
        return Answer.of({
            "url": f"{repo.url}/compare/{base}...{head}", "base_commit": commit(base), "merge_base_commit": commit(parted),
            "status": status, "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead),
            "commits": [commit(sha) for sha in ahead[-250:]],
            "files": [self.github_file(repo, *one) for one in git.changes(parted, head)][:self.compared]})


class OfGitLab:
    # Above it GitLab stops comparing.
    compared = 1000

    def gitlab_file(self, letter, old, new):
        return {"old_path": old, "new_path": new, "a_mode": "100644", "b_mode": "100644", "diff": "@@ -1 +1 @@\n",
                "new_file": letter == "A", "renamed_file": letter == "R", "deleted_file": letter == "D", "generated_file": False}

    @route("GET", "/api/v4/projects/:project/merge_requests/:iid/diffs")
    def change_files(self, request):
        self.caller(request, "api", "read_api")
        project = self.found(request, 20)
        change, git = self.change(request, project), project.repository
        base = git.merge_base(git.resolve(change.target_branch), change.sha)
        return self.listed(request, request.asked("page", "per_page", "unidiff"), [
            self.gitlab_file(*one) for one in git.changes(base, change.sha)])

    @route("GET", "/api/v4/projects/:project/repository/compare")
    def compare(self, request):
        self.caller(request, "api", "read_api", "read_repository")
        project, asked = self.found(request, 20), request.asked("from", "to", "from_project_id", "straight", "unidiff")
        git = project.repository
        base, head = (git.resolve(asked.get(name, "")) if asked.get(name) else None for name in ("from", "to"))
        if base is None or head is None:
            raise Refused(404, "404 Ref Not Found")
        start = base if asked.get("straight") == "true" else git.merge_base(base, head)
        files, commits = git.changes(start, head), [self.commit(project, sha) for sha in git.between(base, head)]
        return Answer.of({
            "commit": commits[-1] if commits else None, "commits": commits,
            "diffs": [self.gitlab_file(*one) for one in files][:self.compared],
            "compare_timeout": len(files) > self.compared, "compare_same_ref": base == head,
            "web_url": f"{self.url}/{project.path}/-/compare/{base}...{head}"})


class OfGitea:
    @route("GET", "/api/v1/repos/:owner/:repo/pulls/:number/files")
    def pull_files(self, request):
        repo = self.found(request)
        pull, git = self.pull_of(request, repo), repo.repository
        base = git.merge_base(git.resolve(pull.base_branch), pull.sha)
        return self.listed(request, request.asked("page", "limit", "skip-to", "whitespace"), [
            {"filename": new, "status": GITEA[letter], "additions": 1, "deletions": 1, "changes": 2, "html_url": "", "contents_url": "",
             "raw_url": "", **({"previous_filename": old} if letter == "R" else {})}
            for letter, old, new in git.changes(base, pull.sha)])

    @route("GET", "/api/v1/repos/:owner/:repo/compare/*basehead")
    def compare(self, request):
        repo, git = self.found(request), self.found(request).repository
        base, head = (git.resolve(one) for one in sides(request))
        if base is None or head is None:
            raise Refused(404, "The target couldn't be found.")
        commits = git.between(base, head)
        return Answer.of({"total_commits": len(commits), "commits": [
            {"sha": sha, "url": f"{self.url}/{repo.path}/commit/{sha}", "created": git.about(sha)["date"],
             "parents": [{"sha": one, "url": ""} for one in git.about(sha)["parents"]],
             "files": [{"filename": name, "status": GITEA[letter].replace("changed", "modified").replace("deleted", "removed")}
                       for letter, name in git.touched(sha)]}
            for sha in reversed(commits)]})
