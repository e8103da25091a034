"""Doubles of the forges: strict servers on loopback, written from the forges' documentation, which refuse what the real ones refuse.

What a real forge lets pass and we should never send (a field that nobody knows, a wrong content type) they refuse as well: a double that
is kinder than the original would be a test that cannot fail.

    sys.path.insert(0, str(ROOT / "Tests"))
    from Forges import faults
    from Forges.gitlab import MAINTAINER, GitLab
    from Forges.gitlab_jobs import Job
    from Forges.repositories import Repository

    with GitLab() as forge, Repository({"README.md": "ship"}) as repository:
        ada = forge.person("ada")
        project = forge.project("harbour/yard/ship", repository, ada=MAINTAINER)
        runner = forge.make_runner("project_type", project, tag_list=["bulkhead"])
        forge.faults.next("PATCH", "*/trace", faults.lost())    # the first piece of the log arrives, and its answer does not
        ...                                                     # start what is tested, at forge.url, with runner.token
        pipeline = forge.pipeline(project, "main", [Job("build", tags=["bulkhead"], script=["make"])], ada)
        forge.hooks.signing_token = "whsec_..."
        forge.hooks.job(pipeline.jobs[0]).send(webhook)
        pipeline.wait_over()
        assert pipeline.job("build").status == "success" and forge.faults.left == 0
        assert not forge.journal.holds(secret)

`github.GitHub` and `gitea.Gitea` are made and asked in the same way; `store.Store` is another host, which must be shown no credentials."""
