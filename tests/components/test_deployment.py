"""What the services share: who must have signed, when it is verified again, and that everything waits for it."""

from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown
from pulumi_command import local

from sc_secure import ScanCommand
from sc_secure.components._deployment import Deployment, deployed_image, physical_name, unique_name
from sc_secure.components._validate import InvalidArgs
from tests.components.mocked import REFERENCE, Mocks, run, unknown

BY_KEY = {"key": "cosign.pub"}
POLICY: dict[str, Any] = {
    "scan": {},
    "sbom": {"format": "spdx-json"},
    "signing": {"key": "cosign.key"},
    "provenance": {},
}
VERIFY = f".sc/bin/sc-secure image verify --image {REFERENCE}"


class Service(pulumi.ComponentResource):
    """A service of one resource."""

    def __init__(
        self, image: pulumi.Input[str], verify: Any, opts: pulumi.ResourceOptions | None = None, **given: Any
    ) -> None:
        images = {"web-verify": deployed_image("Service", image, verify)}
        super().__init__("test:index:Service", "web", {}, opts)
        given = {"image": image, "verify": verify, **given}
        self.deployment = Deployment("web", images, given, parent=self, opts=opts)
        self.deployed = local.Command(
            "web-deployed", create=self.deployment.image("web-verify"), opts=self.deployment.child_opts
        )
        # Made of nothing that comes from the image: it must wait all the same.
        self.beside = local.Command("web-beside", create="true", opts=self.deployment.child_opts)
        self.register_outputs({})


def text_of(mocks: Mocks, name: str) -> Any:
    return mocks.resources[f"command:local:Command::{name}"][1].get("create")


def declared(mocks: Mocks) -> set[str]:
    return {key.split("::")[1] for key in mocks.resources}


@pytest.mark.parametrize(
    ("verify", "words"),
    [
        (BY_KEY, "--key cosign.pub --no-transparency-log"),
        (
            BY_KEY | {"attestations": ["vuln", "spdx", "vuln"], "timeout_seconds": 60},
            "--key cosign.pub --no-transparency-log --attestation vuln --attestation spdx --timeout 60",
        ),
        (
            {"identity_regexp": "^https://ci.example/x$", "oidc_issuer": "https://ci.example"},
            "--certificate-identity-regexp '^https://ci.example/x$' --certificate-oidc-issuer https://ci.example",
        ),
        (
            {"identity_regexp": "^a$", "oidc_issuer": "i", "trusted_root": "root.json", "transparency_log": False},
            "--certificate-identity-regexp '^a$' --certificate-oidc-issuer i --trusted-root root.json"
            " --no-transparency-log",
        ),
        (BY_KEY | {"enabled": True}, "--key cosign.pub --no-transparency-log"),
        (
            {"security": POLICY, "timeout_seconds": 60, "enabled": True},
            "--key cosign.key --no-transparency-log --attestation spdx --attestation slsaprovenance1"
            " --attestation vuln --timeout 60",
        ),
        (
            {"security": {"signing": {"key": "k", "password_env": "P", "verify": {"key": "k.pub"}}}},
            "--key k.pub --no-transparency-log",
        ),
        (
            {"security": {"signing": {"key": "k", "password_env": "P"}, "timeouts": {"verify": 9}}},
            "--key k --password-env P --no-transparency-log --timeout 9",
        ),
        (
            {
                "security": {
                    "signing": {"keyless": True, "verify": {"identity_regexp": "^a$", "oidc_issuer": "https://i"}},
                    "sbom": {},
                }
            },
            "--certificate-identity-regexp '^a$' --certificate-oidc-issuer https://i --attestation cyclonedx",
        ),
    ],
)
def test_who_must_have_signed_is_in_the_command(verify: dict[str, Any], words: str) -> None:
    mocks = Mocks()
    run(lambda: Service(REFERENCE, verify).deployed.urn, mocks)
    assert mocks.commands()["web-verify"] == f"{VERIFY} {words} --output json"
    assert text_of(mocks, "web-deployed") == REFERENCE


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        (None, "verify: missing: say who must have signed the image"),
        ({}, "verify.key: missing: say who must have signed"),
        ({"enabled": True}, "verify.key: missing"),
        ({"attestations": ["vuln"]}, "verify.key: missing"),
        ({"key": "/elsewhere/k"}, "verify.key: an absolute path outside the project"),
        ({"key": "k", "password_env": "a b"}, "verify.password_env: String should match"),
        ({"key": "k", "oidc_issuer": "i"}, "verify.oidc_issuer: excludes verify.key"),
        ({"identity_regexp": "^a$"}, "verify.oidc_issuer: missing"),
        ({"identity_regexp": "", "oidc_issuer": "i"}, "verify.identity_regexp: missing"),
        ({"oidc_issuer": "i"}, "verify.identity_regexp: missing"),
        ({"identity_regexp": "^a$", "oidc_issuer": "i", "password_env": "P"}, "verify.password_env: has no meaning"),
        ({"key": "k", "attestations": ["sbom"]}, "verify.attestations[0]: one of cyclonedx"),
        ({"key": "k", "timeout_seconds": 0}, "verify.timeout_seconds: between 1"),
        ({"key": "k", "security": POLICY}, "verify.key: excludes a policy"),
        ({"stack": "dev", "security": POLICY}, "verify.stack: excludes verify.security"),
        ({"security": {}}, "verify: this policy signs nothing"),
        ({"security": POLICY | {"enabled": False}}, "verify: this policy signs nothing"),
        ({"security": {"signing": {"keyless": True}}}, "verify: the policy signs without a key"),
        ({"security": {"sining": {}}}, "verify.security.sining: unknown key; did you mean signing?"),
    ],
)
def test_a_verify_that_names_nobody_is_refused(verify: Any, said: str) -> None:
    mocks = Mocks()
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: Service(REFERENCE, verify).deployed.urn, mocks)
    assert said in str(raised.value)
    assert mocks.resources == {}


@pytest.mark.parametrize(
    ("verify", "path", "reason"),
    [
        (
            None,
            "verify",
            "missing: say who must have signed the image: {key}, {identity_regexp, oidc_issuer} or {security}; "
            "{enabled: false} deploys whatever has a digest",
        ),
        (
            {"security": {}},
            "verify",
            "this policy signs nothing, so nothing can be verified; name a key or an identity instead",
        ),
        (
            {"security": POLICY | {"signing": {"key": "cosign.key", "required": False}}},
            "verify",
            "signing isn't required by this policy, so an image may have no signature: name a key or an identity",
        ),
        (
            {"identity_regexp": "^a$", "oidc_issuer": "i", "security": POLICY},
            "verify.identity_regexp",
            "excludes a policy, which says it already",
        ),
    ],
)
def test_a_refusal_says_what_to_name_instead(verify: Any, path: str, reason: str) -> None:
    for prefix in ("", "sidecars[0]."):
        with pytest.raises(InvalidArgs) as refused:
            deployed_image("Service", REFERENCE, verify, *([prefix] if prefix else []))
        assert refused.value.problems == [(f"{prefix}{path}", reason)]


def test_a_policy_leaves_the_registry_and_the_time_to_the_service() -> None:
    registry: Any = {"server": "registry.example"}
    verify: Any = {"security": POLICY, "registry": registry, "timeout_seconds": 60}
    checked = deployed_image("Service", REFERENCE, verify).verify
    assert checked is not None
    assert (checked["registry"], checked["timeout_seconds"], checked["key"]) == (registry, 60, "cosign.key")


def test_switched_off_by_name_deploys_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, _resource: said.append(text))
    mocks = Mocks()
    run(lambda: Service(REFERENCE, {"enabled": False}).deployed.urn, mocks)
    assert said == ["image: verifying is switched off: what has a digest is deployed, whoever signed it"]
    assert text_of(mocks, "web-deployed") == REFERENCE
    assert "web-verify" not in declared(mocks)


@pytest.mark.parametrize("verify", [BY_KEY, {"enabled": False}], ids=["on", "off"])
def test_nothing_exists_before_the_images_gate_has_opened(verify: dict[str, Any]) -> None:
    mocks = Mocks({"scan": ""})
    with pytest.raises(pulumi.RunError, match="scan: the command printed no step result"):
        run(lambda: Service(ScanCommand("scan", {"image": REFERENCE}).passed_ref, verify).deployed.urn, mocks)
    assert not {"web-deployed", "web-beside"} & declared(mocks)


def test_nothing_exists_when_verifying_failed() -> None:
    mocks = Mocks({"web-verify": "something else"})
    with pytest.raises(pulumi.RunError, match="web-verify: the command printed no step result"):
        run(lambda: Service(REFERENCE, BY_KEY).deployed.urn, mocks)
    assert not {"web-deployed", "web-beside"} & declared(mocks)


def test_a_tag_that_comes_from_another_resource_deploys_nothing() -> None:
    mocks = Mocks()
    with pytest.raises(pulumi.RunError, match="image: a digest reference is needed"):
        run(lambda: Service(pulumi.Output.from_input("registry.example/app:1"), BY_KEY).deployed.urn, mocks)
    assert not {"web-deployed", "web-beside"} & declared(mocks)


def test_what_the_service_depends_on_comes_first() -> None:
    waits: dict[str, set[str]] = {}

    def program() -> pulumi.Output[Any]:
        first = local.Command("first", create="true")
        service = Service(REFERENCE, BY_KEY, pulumi.ResourceOptions(depends_on=[first]))

        async def collect() -> None:
            for given in service.deployment.child_opts.depends_on or []:  # type: ignore[union-attr]
                output = pulumi.Output.from_input(given)
                resources = await output.resources()
                waits.setdefault("service", set()).update(each._name for each in resources)
                resource = await output.future()
                if resource is not None:
                    waits["service"].add(resource._name)

        return service.deployed.urn.apply(lambda _: collect())

    run(program, Mocks())
    assert waits["service"] == {"first", "web-verify"}


def fingerprint(verify: Any = BY_KEY, image: str = REFERENCE, **given: Any) -> str:
    mocks = Mocks()
    run(lambda: Service(image, verify, **given).deployed.urn, mocks)
    environment = mocks.resources["command:local:Command::web-verify"][1]["environment"]
    assert set(environment) == {"SC_SECURE_ATTEMPT", "SC_SECURE_KEY", "SC_SECURE_DEPLOYMENT"}
    return environment["SC_SECURE_DEPLOYMENT"]


def test_any_change_of_the_service_verifies_again() -> None:
    plain = fingerprint(cpu=256, environment={"A": "1", "B": "2"})
    assert plain != fingerprint()
    assert plain == fingerprint(environment={"B": "2", "A": "1"}, cpu=256)
    assert plain == fingerprint(cpu=256, environment={"A": pulumi.Output.from_input("1"), "B": "2"})
    assert plain != fingerprint(cpu=512, environment={"A": "1", "B": "2"})
    assert plain != fingerprint(cpu=256, environment={"A": "1", "B": pulumi.Output.from_input("3")})
    assert len(plain) == 16


def test_what_the_command_says_anyway_is_not_in_the_hash() -> None:
    """The image and how it is verified."""
    assert fingerprint(cpu=1) == fingerprint(BY_KEY | {"attestations": ["vuln"]}, cpu=1)
    assert fingerprint(cpu=1) == fingerprint(image=REFERENCE.replace("app@", "other@"), cpu=1)


def test_beside_a_secret_everything_else_still_counts() -> None:
    def hashed(cpu: int, subnet: str) -> str:
        secret = {"environment": {"A": pulumi.Output.secret("x")}, "keys": [pulumi.Output.secret("y"), subnet]}
        return fingerprint(cpu=cpu, **secret)

    assert hashed(1, "a") == hashed(1, "a")
    assert len({hashed(1, "a"), hashed(2, "a"), hashed(1, "b")}) == 3


def test_no_secret_reaches_the_hash() -> None:
    def secret(value: str) -> str:
        return fingerprint(
            environment={"A": pulumi.Output.secret(value)},
            subnets=pulumi.Output.secret([value]),
            groups=["a", pulumi.Output.secret(value)],
        )

    assert secret("one") == secret("two")
    assert secret("one") != fingerprint(environment={"A": "one"}, subnets=["one"], groups=["a", "one"])


def test_an_unknown_argument_leaves_a_known_digest_known_in_preview() -> None:
    mocks = Mocks()
    run(lambda: Service(REFERENCE, BY_KEY, subnets=unknown()).deployed.urn, mocks, preview=True)
    assert text_of(mocks, "web-deployed") == REFERENCE


def test_names_stay_within_the_clouds_limits() -> None:
    def names() -> list[str | None]:
        return [
            physical_name("web", 20),
            physical_name("a" * 12, 20),
            physical_name("a" * 13, 20),
            physical_name("a" * 13, 20),
            physical_name("a" * 14, 20),
            unique_name("web", 20),
        ]

    got: list[Any] = []
    run(lambda: got.extend(names()), Mocks())
    short, fits, long, again, longer, unique = got
    assert short is fits is None
    assert long == again
    assert long != longer
    assert len(long) == len(longer) == 20
    assert long.startswith("a" * 12 + "-")
    assert unique == "web-3c17913", "a resource keeps its name from one version of this package to the next"


def test_a_secret_map_with_another_name_in_it_is_verified_again_and_a_new_value_is_not() -> None:
    def deployment(environment: Any, *, preview: bool = False) -> Any:
        mocks = Mocks()
        run(lambda: Service(REFERENCE, BY_KEY, environment=environment()).deployed.stdout, mocks, preview=preview)
        _, inputs = mocks.resources["command:local:Command::web-verify"]
        return inputs["environment"]["SC_SECURE_DEPLOYMENT"]

    secret = deployment(lambda: pulumi.Output.secret({"A": "s3cret"}))
    assert deployment(lambda: {"A": pulumi.Output.secret("s3cret")}) == secret
    assert deployment(lambda: pulumi.Output.secret({"A": "another"})) == secret
    assert deployment(lambda: pulumi.Output.secret({"A": "s3cret", "B": "1"})) != secret
    assert deployment(lambda: pulumi.Output.from_input({"A": "s3cret"})) != secret
    assert isinstance(deployment(lambda: pulumi.Output.secret(unknown()), preview=True), Unknown)
