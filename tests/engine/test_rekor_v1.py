"""`SecuredImage` with a Rekor 1: the output is the log's own name for the entry, and the report links it."""

import json
import shutil
import subprocess
from collections.abc import Callable

import pytest

from devtools.sigstore.rekor_v1 import RekorV1
from tests.engine.secured_project import PROGRAM, SECURITY, SecuredProject
from tests.keyless import DEV
from tests.tags import tag_of

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("counted_entries")]

LOGGED = """
security = {
    "scan": {"fail_on": "critical"},
    "sbom": {},
    "signing": {
        "key": "cosign.key",
        "password_env": "SIGNING_PASSWORD",
        "transparency_log": True,
        "signing_config": "sigstore/signing_config.json",
        "trusted_root": "sigstore/trusted_root.json",
        "verify": {"key": "cosign.pub"},
    },
}
"""


OLDER = """
security = {
    "sbom": {},
    "signing": {
        "keyless": True,
        "format": "legacy",
        "signing_config": "sigstore/signing_config.json",
        "trusted_root": "sigstore/trusted_root.json",
        "verify": {"identity_regexp": config.require("identity"), "oidc_issuer": config.require("issuer")},
    },
}
"""


def copy_sigstore(project: SecuredProject, rekor_v1: RekorV1) -> None:
    (project.folder / "sigstore").mkdir()
    for file in (rekor_v1.signing_config, rekor_v1.trusted_root):
        shutil.copy(file, project.folder / "sigstore" / file.name)


def test_the_uuid_is_the_log_s_own(new_project: Callable[..., SecuredProject], rekor_v1: RekorV1) -> None:
    project = new_project(
        PROGRAM.replace(SECURITY, LOGGED).replace('"rekor_log_index",', '"rekor_log_index", "rekor_log_id",')
    )
    copy_sigstore(project, rekor_v1)
    before = rekor_v1.size()
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["app_status"] == "secured"
    key, entry = rekor_v1.entry(outputs["app_rekor_uuid"])
    assert key == outputs["app_rekor_uuid"]
    assert (str(entry["logIndex"]), entry["logID"]) == (outputs["app_rekor_log_index"], outputs["app_rekor_log_id"])
    attached = len(project.attached(outputs["app_deployable_ref"]))
    assert rekor_v1.size() == before + attached
    again = project.up()
    assert (again.code, set(again.steps.values())) == (0, {"same"}), again.text
    assert rekor_v1.size() == before + attached

    made = subprocess.run(
        [".sc/bin/sc-secure", "report", "--output", "json"],
        input=project.export(),
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    page = (project.folder / json.loads(made.stdout)["reports"]["html"]).read_text()
    assert f'href="{rekor_v1.urls["rekor"]}/api/v1/log/entries/{key}"' in page


def test_without_a_key_in_the_older_form(new_project: Callable[..., SecuredProject], rekor_v1: RekorV1) -> None:
    project = new_project(PROGRAM.replace(SECURITY, OLDER))
    copy_sigstore(project, rekor_v1)
    project.configure("identity", r"dev@acme\.test")
    project.configure("issuer", rekor_v1.issuer())
    project.environment |= {"SIGSTORE_ID_TOKEN": rekor_v1.token(DEV)}
    before = rekor_v1.size()
    run = project.up()
    assert run.code == 0, run.text
    outputs = project.stack_outputs()
    assert outputs["app_status"] == "secured"
    ref = outputs["app_deployable_ref"]
    assert [len(tag_of(ref, kind).layers) for kind in ("sig", "att")] == [1, 1]
    _, entry = rekor_v1.entry(outputs["app_rekor_uuid"])
    assert str(entry["logIndex"]) == outputs["app_rekor_log_index"]
    again = project.up()
    assert (again.code, set(again.steps.values())) == (0, {"same"}), again.text
    assert rekor_v1.size() == before + 2
