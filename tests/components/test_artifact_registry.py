"""What `ArtifactRegistryRepository` declares, and how it plugs into `SecuredImage`."""

from typing import Any

import pulumi
import pytest

from sc_secure import ArtifactRegistryRepository, SecuredImage
from tests.components.google import google
from tests.components.mocked import Mocks, run

KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
SIGNER = "serviceAccount:ci@a-project.iam.gserviceaccount.com"


def repository(**args: Any) -> tuple[Mocks, Any]:
    mocks = google()

    def program() -> pulumi.Output[Any]:
        made = ArtifactRegistryRepository("images", {"location": "europe-west1", **args})  # type: ignore[typeddict-item]
        return pulumi.Output.all(made.repository_url, made.repository_id, made.registry_server)

    return mocks, run(program, mocks)


def test_a_repository_with_little_said() -> None:
    mocks, outputs = repository()
    (inputs,) = mocks.of("gcp:").values()
    identifier = inputs["repositoryId"]
    assert inputs == {
        "format": "DOCKER",
        "repositoryId": identifier,
        "location": "europe-west1",
        "dockerConfig": {"immutableTags": True},
        "vulnerabilityScanningConfig": {"enablementConfig": "INHERITED"},
        "deletionPolicy": "PREVENT",
    }
    assert identifier.startswith("images-")
    assert len(identifier) == len("images-1234567")
    assert outputs == [
        "europe-west1-docker.pkg.dev/a-project/images",
        identifier,
        "europe-west1-docker.pkg.dev",
    ]


def test_a_repository_with_everything_said() -> None:
    mocks, _ = repository(
        project="b-project",
        repository_id="shop",
        description="The shop's",
        immutable_tags=False,
        kms_key_name=KEY,
        vulnerability_scanning=False,
        push_members={"ci": SIGNER},
        pull_members={"staff": "group:staff@example.com", "run": pulumi.Output.from_input(SIGNER)},
        labels={"team": "shop"},
        deletion_protection=False,
    )
    right = {"repository": "shop", "location": "europe-west1", "project": "a-project"}
    assert mocks.of("gcp:") == {
        "Repository images": {
            "format": "DOCKER",
            "repositoryId": "shop",
            "location": "europe-west1",
            "project": "b-project",
            "description": "The shop's",
            "dockerConfig": {"immutableTags": False},
            "kmsKeyName": KEY,
            "vulnerabilityScanningConfig": {"enablementConfig": "DISABLED"},
            "labels": {"team": "shop"},
            "deletionPolicy": "DELETE",
        },
        "RepositoryIamMember images-push-ci": right | {"role": "roles/artifactregistry.writer", "member": SIGNER},
        "RepositoryIamMember images-pull-run": right | {"role": "roles/artifactregistry.reader", "member": SIGNER},
        "RepositoryIamMember images-pull-staff": right
        | {"role": "roles/artifactregistry.reader", "member": "group:staff@example.com"},
    }


def test_images_go_there_without_a_token() -> None:
    mocks = google()

    def program() -> pulumi.Output[Any]:
        made = ArtifactRegistryRepository("images", {"location": "europe-west1"})
        name = made.repository_url.apply(lambda url: f"{url}/app:1")
        return SecuredImage("app", {"image_name": name, "build": {"context": "app"}}).image_ref

    run(program, mocks)
    (image,) = mocks.of("docker:").values()
    assert image["imageName"] == "europe-west1-docker.pkg.dev/a-project/images/app:1"
    assert "registry" not in image


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"location": "Europe"}, "location: a region's name is needed"),
        ({"repository_id": "Images"}, "repository_id: at most 63 lower-case letters"),
        ({"kms_key_name": "k"}, "kms_key_name: a key's full name is needed"),
        ({"labels": {"A": "b"}}, "labels.A: a key is at most 63"),
        ({"push_members": {"a": "allUsers"}}, "push_members.a: allUsers is everybody"),
        ({"pull_members": {"a": "me"}}, "pull_members.a: an IAM member is needed"),
        ({"untagged_expiry_days": 14}, "untagged_expiry_days: unknown argument"),
    ],
)
def test_refused_before_anything_is_registered(args: dict[str, Any], said: str) -> None:
    mocks = google()
    given: Any = {"location": "europe-west1", **args}
    with pytest.raises(pulumi.RunError, match="ArtifactRegistryRepository: the arguments aren't valid") as raised:
        run(lambda: ArtifactRegistryRepository("images", given).urn, mocks)
    assert said in str(raised.value)
    assert mocks.resources == {}
