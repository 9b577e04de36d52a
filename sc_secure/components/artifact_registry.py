"""`ArtifactRegistryRepository`: a Google Cloud registry for secured images.

What Google documents decides two of its settings:

- Tags are immutable unless the program says otherwise. Artifact Registry has the referrers API of OCI 1.1, by which
  signatures and attestations in the bundle format are found: they need no tag that is written anew with each of them.
  The legacy format does (`.att`), and so needs `immutable_tags: False`.
- There is no clean-up of untagged images. Those signatures and attestations have no tag either, nor have the images of
  a multi-platform index, and a clean-up policy selects by tag, age and name, not by type or by what refers to what: it
  would take the signature from an image in use. See
  https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview
"""

import re
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from sc_secure.components._google import (
    KMS_KEY,
    KMS_KEY_REASON,
    check_labels,
    check_location,
    cloud_name,
    label_problems,
    members,
)
from sc_secure.components._problems import Problems
from sc_secure.components._validate import validated
from sc_secure.components._wholes import once_known

COMPONENT = "ArtifactRegistryRepository"

MAX_REPOSITORY_ID = 63
"""Characters. https://cloud.google.com/artifact-registry/docs/repositories/create-repos"""

_REPOSITORY_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")

WRITER = "roles/artifactregistry.writer"
READER = "roles/artifactregistry.reader"


class ArtifactRegistryRepositoryArgs(TypedDict):
    """The arguments of `ArtifactRegistryRepository`."""

    location: pulumi.Input[str]
    """The region, as `europe-west1`, or a multi-region, as `europe`."""
    project: NotRequired[pulumi.Input[str]]
    """The project's id. The provider's when not said."""
    repository_id: NotRequired[str]
    """The repository's name in its location. Made from the component's name when not said."""
    description: NotRequired[str]
    """What the repository is for."""
    immutable_tags: NotRequired[bool]
    """A tag that is pushed stays with its image. On when not said: each version needs a tag of its own."""
    kms_key_name: NotRequired[pulumi.Input[str]]
    """The Cloud KMS key that encrypts the images. Google's own when not said."""
    vulnerability_scanning: NotRequired[bool]
    """Google's own scanning, where the project has it switched on. On when not said; off for this repository."""
    push_members: NotRequired[dict[str, pulumi.Input[str]]]
    """Who may push and sign: a name of your own -> an IAM member, as `serviceAccount:<e-mail address>`."""
    pull_members: NotRequired[dict[str, pulumi.Input[str]]]
    """Who may pull: a name of your own -> an IAM member."""
    labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels of the repository, for filters and bills."""
    deletion_protection: NotRequired[bool]
    """Refuse to delete the repository with its images. On when not said: first turn this off with an update."""


class ArtifactRegistryRepository(pulumi.ComponentResource):
    """An Artifact Registry repository for container images, their signatures and attestations.

    Whoever pushes logs in by the docker configuration and its credential helper (`gcloud auth configure-docker`), so no
    token gets into the program or its state.
    """

    repository_url: pulumi.Output[str]
    """`<location>-docker.pkg.dev/<project>/<repository>`: what an image's name starts with."""
    repository_id: pulumi.Output[str]
    """The repository's name in its location."""
    registry_server: pulumi.Output[str]
    """The registry's host name."""

    def __init__(
        self, name: str, args: ArtifactRegistryRepositoryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        given = validated(COMPONENT, ArtifactRegistryRepositoryArgs, args)
        rights = _checked(given)
        super().__init__("sc-secure:index:ArtifactRegistryRepository", name, {}, opts)
        child_opts = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        scanned = given.get("vulnerability_scanning", True)
        repository = gcp.artifactregistry.Repository(
            name,
            format="DOCKER",
            repository_id=given.get("repository_id", cloud_name(name, MAX_REPOSITORY_ID)),
            location=given["location"],
            project=given.get("project"),
            description=given.get("description"),
            docker_config=gcp.artifactregistry.RepositoryDockerConfigArgs(
                immutable_tags=given.get("immutable_tags", True)
            ),
            kms_key_name=given.get("kms_key_name"),
            vulnerability_scanning_config=gcp.artifactregistry.RepositoryVulnerabilityScanningConfigArgs(
                enablement_config="INHERITED" if scanned else "DISABLED"
            ),
            labels=once_known(COMPONENT, given["labels"], label_problems) if "labels" in given else None,
            deletion_policy="PREVENT" if given.get("deletion_protection", True) else "DELETE",
            opts=child_opts,
        )
        for label, role, member in rights:
            gcp.artifactregistry.RepositoryIamMember(
                f"{name}-{label}",
                repository=repository.repository_id,
                location=repository.location,
                project=repository.project,
                role=role,
                member=member,
                opts=child_opts,
            )
        self.repository_url = repository.registry_uri
        self.repository_id = repository.repository_id
        self.registry_server = repository.registry_uri.apply(lambda url: url.split("/")[0])
        self.register_outputs(
            {
                "repositoryUrl": self.repository_url,
                "repositoryId": self.repository_id,
                "registryServer": self.registry_server,
            }
        )


def _checked(given: ArtifactRegistryRepositoryArgs) -> list[tuple[str, str, pulumi.Output[str]]]:
    """Checks the arguments; returns each right: what it's called, its role, and who gets it.

    Raises:
        InvalidArgs: every problem at once.
    """
    problems = Problems(COMPONENT)
    check_location(problems, given["location"])
    id_reason = "at most 63 lower-case letters, digits and hyphens, from a letter to no hyphen"
    problems.matches("repository_id", given.get("repository_id"), _REPOSITORY_ID, id_reason)
    problems.matches("kms_key_name", given.get("kms_key_name"), KMS_KEY, KMS_KEY_REASON)
    check_labels(problems, given.get("labels"))
    rights: list[tuple[str, str, pulumi.Output[str]]] = []
    for kind, role in (("push", WRITER), ("pull", READER)):
        with problems.gathered():
            who = members(COMPONENT, f"{kind}_members", given.get(f"{kind}_members", {}))
            rights += [(f"{kind}-{key}", role, member) for key, member in who.items()]
    problems.stop_if_any()
    return rights
