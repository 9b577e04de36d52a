"""`artifactregistry.Repository`, as `google_artifact_registry_repository` does it. Standard repositories only.

The registry itself can't be had here. With SC_SECURE_TEST_ARTIFACT_REGISTRY=host:port, that one stands for it:
`registryUri` is `host:port/<project>/<repository>`, so that images get there by `docker push`.
"""

import os
import re
from typing import Any, ClassVar

from conversion import Names, document_of, message_of
from gcp_resource import CLIENT_SIDE, UNSETTLED, GcpResource, Labels
from google.protobuf import field_mask_pb2
from google_api import Google, told
from libraries import library
from properties import Properties
from resources import Operation

_NAMES = Names()
_CHANGEABLE = {
    "cleanupPolicies": "cleanup_policies",
    "cleanupPolicyDryRun": "cleanup_policy_dry_run",
    "description": "description",
    "dockerConfig": "docker_config",
    "labels": "labels",
    "vulnerabilityScanningConfig": "vulnerability_scanning_config",
}
_FIXED = ("format", "kmsKeyName", "mode")
_AGE = re.compile(r"(?P<number>\d+)(?P<unit>[dhms])")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


class Repository(GcpResource):
    """A repository for packages, of which images are one kind."""

    token = "gcp:artifactregistry/repository:Repository"
    what = "Repository"
    computed = frozenset({"location", "project"})
    replace_on = frozenset({"format", "kmsKeyName", "location", "mode", "project", "repositoryId"})
    sets = frozenset({"cleanupPolicies"})
    unsettled = UNSETTLED
    defaults: ClassVar = {"deletionPolicy": "DELETE", "mode": "STANDARD_REPOSITORY"}
    choices: ClassVar = {
        "cleanupPolicies.action": ("DELETE", "KEEP"),
        "cleanupPolicies.condition.tagState": ("TAGGED", "UNTAGGED", "ANY"),
        "mode": ("STANDARD_REPOSITORY",),
        "vulnerabilityScanningConfig.enablementConfig": ("INHERITED", "DISABLED"),
    }
    unsupported = frozenset({"mavenConfig", "remoteRepositoryConfig", "virtualRepositoryConfig"})

    def __init__(self, google: Google) -> None:
        super().__init__(google)
        self._labels = Labels(google)

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        parent = f"projects/{self.project(inputs)}/locations/{inputs.get('location') or self.google.required('region')}"
        repository = self._message(inputs, *_CHANGEABLE, *_FIXED)
        with told("creating Repository"):
            running = self._client.create_repository(
                parent=parent, repository=repository, repository_id=inputs["repositoryId"]
            )
            made = running.result()
        return made.name, self._outputs(inputs, made)

    def look(self, name: str, state: Properties) -> Properties:
        return self._outputs(state, self._client.get_repository(name=name))

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        changed = [key for key in _CHANGEABLE if news.get(key) != olds.get(key)]
        repository = self._message(news, *changed)
        repository.name = name
        mask = field_mask_pb2.FieldMask(paths=[_CHANGEABLE[key] for key in changed])
        with told(f'updating Repository "{name}"'):
            if changed:
                self._client.update_repository(repository=repository, update_mask=mask)
            return self.look(name, news)

    def remove(self, name: str, state: Properties) -> None:
        self._client.delete_repository(name=name).result()

    @property
    def _client(self) -> Any:
        return self.google.client("artifact_registry")

    def _message(self, inputs: Properties, *keys: str) -> Any:
        document = {key: inputs[key] for key in keys if key in inputs}
        if "labels" in keys:
            document["labels"] = self._labels.sent(inputs)
        if "cleanupPolicies" in document:
            document["cleanupPolicies"] = {policy["id"]: _aged(policy) for policy in document["cleanupPolicies"]}
        return message_of(library("artifactregistry_v1").Repository, _NAMES.to_google(document))

    def _outputs(self, inputs: Properties, repository: Any) -> Properties:
        document = document_of(repository)
        _, project, _, location, _, name = document["name"].split("/")
        given = {policy["id"]: policy for policy in inputs.get("cleanupPolicies", ())}
        if registry := os.environ.get("SC_SECURE_TEST_ARTIFACT_REGISTRY"):
            document["registryUri"] = f"{registry}/{project}/{name}"
        policies = [_as_written(policy, given.get(key)) for key, policy in document["cleanupPolicies"].items()]
        return {
            **{key: document[key] for key in (*_CHANGEABLE, *_FIXED, "registryUri") if key in document},
            "cleanupPolicies": policies,
            "createTime": document["createTime"],
            "location": location,
            "name": name,
            "project": project,
            "repositoryId": name,
            "updateTime": document["updateTime"],
            **{key: inputs[key] for key in CLIENT_SIDE if key in inputs},
            **self._labels.outputs(inputs, document["labels"]),
        }


def _aged(policy: Properties) -> Properties:
    """Return a policy with its ages in seconds: in a program they may be in days."""
    if "condition" not in policy:
        return policy
    ages = {key: _seconds(policy["condition"][key]) for key in ("newerThan", "olderThan") if key in policy["condition"]}
    return policy | {"condition": policy["condition"] | ages}


def _seconds(age: str) -> str:
    match = _AGE.fullmatch(age)
    return f"{int(match['number']) * _SECONDS[match['unit']]}s" if match else age


def _as_written(policy: Properties, given: Properties | None) -> Properties:
    """Return a policy as the program wrote it, if that means the same."""
    library_kind = library("artifactregistry_v1").CleanupPolicy
    same = given is not None and message_of(library_kind, _aged(given)) == message_of(library_kind, policy)
    return given if given is not None and same else policy
