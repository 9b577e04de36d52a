"""What a verification demands, and what it says is missing: with stand-ins that hold what is laid down (`shelf.py`)."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sc_secure.errors import ConfigError, VerificationFailed
from sc_secure.steps.formats import PREDICATES
from sc_secure.steps.origin import Origin
from sc_secure.steps.result import StepResult, ToolUsed
from sc_secure.steps.session import Session
from sc_secure.steps.verify import predicate_type, says_something, verify_attestation, verify_image
from sc_secure.tools.cosign import SIGNATURE, Verifier
from sc_secure.tools.key import Key
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.services import Services
from sc_secure.tools.statement import Statement
from tests.steps.shelf import IDENTITY, IMAGE, KEY, Shelf, Verifies, bundle, session, statement

URI = {name: kind.uri for name, kind in PREDICATES.items()}
SAYS = {
    "cyclonedx": {"bomFormat": "CycloneDX"},
    "spdx": {"spdxVersion": "SPDX-2.3"},
    "syft": {"artifacts": []},
    "slsaprovenance1": {"buildDefinition": {"buildType": "x"}, "runDetails": {"builder": {"id": "https://b.test"}}},
    "vuln": {"scanner": {"uri": "x"}},
}
BY_KEY = f"{IMAGE.subject}: not there, or not by this key"
ADVICE = "sign and attest this digest with the matching key, or check that it is the image you mean"


class World:
    """A registry with the image, and what a key signed of it."""

    def __init__(self, folder: Path) -> None:
        self.shelf = Shelf({IMAGE.digest: {"layers": []}})
        self.verifies = Verifies()
        self.session = session(folder, self.shelf, self.verifies)

    def attest(self, name: str, predicate: Any = None, image: ImageReference = IMAGE, label: str = "") -> str:
        """Attaches one by the key: `signature`, or a predicate type's short name; its manifest's digest."""
        kind = SIGNATURE if name == "signature" else URI[name]
        label = label or f"{name} {image.hex[0]}"
        held = statement(kind, label, SAYS.get(name) if predicate is None else predicate, image.hex)
        self.shelf.attach(label, bundle(held), kind=kind, image=image.digest)
        self.verifies.known.setdefault((KEY.reference, kind), []).append(held)
        return f"manifest {label}"

    def verify(self, *names: str, verifier: Verifier = KEY, origin: Origin | None = None) -> StepResult:
        return verify_image(self.session, IMAGE, verifier, names, origin=origin)

    def refused(self, *names: str, verifier: Verifier = KEY, origin: Origin | None = None) -> str:
        with pytest.raises(VerificationFailed) as raised:
            self.verify(*names, verifier=verifier, origin=origin)
        assert raised.value.advice == ADVICE
        return raised.value.message


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(Session, "use", lambda _, name: ToolUsed(name, "3.1.3"))
    return World(tmp_path)


def test_everything_that_is_named_is_verified(world: World) -> None:
    signature, bom, scan = (world.attest(name) for name in ("signature", "cyclonedx", "vuln"))
    result = world.verify("cyclonedx", "vuln", "cyclonedx")
    assert (result.step, result.subject, result.status) == ("verify", IMAGE.subject, "passed")
    assert result.tool == ToolUsed("cosign", "3.1.3")
    assert result.outputs == {"verified": {"signature": signature, URI["cyclonedx"]: bom, URI["vuln"]: scan}}
    kinds = [kind for _, _, _, kind in world.verifies.asked]
    assert sorted(kinds) == sorted([SIGNATURE, URI["cyclonedx"], URI["vuln"]]), "each once"


def test_the_signature_is_always_demanded(world: World) -> None:
    world.attest("vuln")
    assert world.refused("vuln") == f"{BY_KEY}: signature; verified: {URI['vuln']}"
    assert world.refused() == f"{BY_KEY}: signature"
    alone = verify_attestation(world.session, IMAGE, KEY, "vuln")
    assert alone.outputs == {"verified": {URI["vuln"]: "manifest vuln a"}}


def test_all_that_is_missing_is_named(world: World) -> None:
    world.attest("signature")
    world.attest("spdx")
    said = f"{BY_KEY}: {URI['cyclonedx']}, {URI['vuln']}; verified: signature, {URI['spdx']}"
    assert world.refused("cyclonedx", "spdx", "vuln") == said


def test_an_unknown_kind_is_refused() -> None:
    assert predicate_type("vuln") is PREDICATES["vuln"]
    with pytest.raises(ConfigError) as raised:
        predicate_type("x\x1b" + "y" * 60)
    assert raised.value.message == f"--attestation x\\x1b{'y' * 38}…: unknown"
    assert raised.value.advice == "known: cyclonedx, spdx, syft, slsaprovenance1, vuln"


@pytest.mark.parametrize("name", PREDICATES)
def test_a_predicate_has_to_say_something(name: str, world: World) -> None:
    (key,) = [key for key in SAYS[name] if key != "runDetails"]
    enough: dict[str, list[Any]] = {"bomFormat": ["CycloneDX"], "spdxVersion": ["SPDX-2.3"], "artifacts": [[], [{}]]}
    others: list[Any] = [{"x": 1}, "x", 1, True, {}, "", None, "cyclonedx"]
    for value in [*itertools.chain(*enough.values()), *others]:
        wanted = value in enough.get(key, [{"x": 1}])
        assert says_something(Statement(URI[name], {key: value}, frozenset(), "", "")) is wanted
    assert not says_something(Statement(URI[name], {"x": key}, frozenset(), "", ""))
    world.attest("signature")
    world.attest(name, {"x": key})
    assert world.refused(name) == f"{BY_KEY}: {URI[name]} (it says nothing); verified: signature"


def test_why_the_first_few_do_not_do_is_said_once(world: World) -> None:
    world.attest("signature")
    provenance = SAYS["slsaprovenance1"]
    for label, number in enumerate((3, 2, 1, 1)):
        told = {**provenance, "runDetails": {"builder": {"id": f"https://b{number}.test"}}}
        world.attest("slsaprovenance1", told, label=str(label))
    said = "; ".join(f"it names the builder https://b{number}.test, not https://b.test" for number in (1, 2))
    expected = f"{BY_KEY}: {URI['slsaprovenance1']} ({said}); verified: signature"
    assert world.refused(origin=Origin("https://b.test")) == expected


def test_what_is_demanded_of_provenance_is_demanded_of_it_alone(world: World) -> None:
    for name in ("signature", "vuln", "slsaprovenance1"):
        world.attest(name)
    origin = Origin("https://b.test")
    with_origin = world.verify("vuln", origin=origin).outputs["verified"]
    assert list(with_origin) == ["signature", URI["vuln"], URI["slsaprovenance1"]]
    named = world.verify("slsaprovenance1", "vuln", origin=origin).outputs["verified"]
    assert list(named) == ["signature", URI["slsaprovenance1"], URI["vuln"]]
    assert list(world.verify("vuln", origin=Origin()).outputs["verified"]) == ["signature", URI["vuln"]]
    other = Origin("https://c.test")
    verified = verify_attestation(world.session, IMAGE, KEY, "vuln", origin=other).outputs
    assert verified == {"verified": {URI["vuln"]: "manifest vuln a"}}
    with pytest.raises(VerificationFailed, match=r"it names the builder https://b\.test, not https://c\.test"):
        verify_attestation(world.session, IMAGE, KEY, "slsaprovenance1", origin=other)


# An index: what is said of its content is said of each platform's image, and who made it of all.

PARTS = {name: replace(IMAGE, digest=f"sha256:{digit * 64}") for name, digit in (("amd64", "b"), ("arm64", "c"))}


@pytest.fixture
def index(world: World) -> World:
    entries = [
        {"digest": part.digest, "platform": {"os": "linux", "architecture": name}} for name, part in PARTS.items()
    ]
    world.shelf.manifests |= {IMAGE.digest: {"manifests": entries}}
    world.shelf.manifests |= {part.digest: {"layers": []} for part in PARTS.values()}
    for image in (IMAGE, *PARTS.values()):
        world.attest("signature", image=image)
        world.attest("slsaprovenance1", image=image)
    for image in PARTS.values():
        world.attest("cyclonedx", image=image)
    return world


def test_of_an_index_each_part_is_verified(index: World) -> None:
    result = index.verify("slsaprovenance1", "cyclonedx")
    assert result.outputs == {
        "verified": {
            "signature": "manifest signature a",
            URI["slsaprovenance1"]: "manifest slsaprovenance1 a",
            URI["cyclonedx"]: "manifest cyclonedx b",
        },
        "platforms": "linux/amd64, linux/arm64",
    }
    asked = [digest[7] for _, digest, _, kind in index.verifies.asked if kind == URI["cyclonedx"]]
    assert asked == ["b", "c"], "an index has no content of its own"


def test_an_index_of_one_platform_is_an_index_too(index: World) -> None:
    index.shelf.manifests[IMAGE.digest]["manifests"].pop()
    result = index.verify("cyclonedx")
    assert result.outputs["verified"] == {
        "signature": "manifest signature a",
        URI["cyclonedx"]: "manifest cyclonedx b",
    }
    assert result.outputs["platforms"] == "linux/amd64"


@pytest.mark.parametrize("name", ["cyclonedx", "spdx", "syft", "vuln"])
def test_what_is_said_of_the_content_is_missing_of_each_part(index: World, name: str) -> None:
    index.verifies.known.clear()
    for image in (IMAGE, *PARTS.values()):
        index.attest("signature", image=image, label=f"again {image.hex[0]}")
    missing = f"{URI[name]} of linux/amd64, {URI[name]} of linux/arm64"
    assert index.refused(name) == f"{BY_KEY}: {missing}; verified: signature"


def test_one_part_that_is_not_signed_is_enough_to_fail(index: World) -> None:
    key = (KEY.reference, SIGNATURE)
    index.verifies.known[key] = [each for each in index.verifies.known[key] if PARTS["arm64"].hex not in each.subjects]
    assert index.refused() == f"{BY_KEY}: signature of linux/arm64; verified: signature"


# Who signed instead.


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (KEY, "this key"),
        (replace(KEY, also=(replace(KEY, reference="other.pub"),)), "one of these keys"),
        (replace(KEY, services=Services(transparency_log=False)), "this key"),
        (
            replace(KEY, services=Services()),
            "this key, or without an entry in a transparency log that is trusted",
        ),
    ],
)
def test_what_is_said_of_a_key(world: World, key: Key, said: str) -> None:
    assert world.refused(verifier=key) == f"{IMAGE.subject}: not there, or not by {said}: signature"


@pytest.mark.parametrize("attached", [True, False])
def test_what_is_said_of_an_identity(world: World, attached: bool) -> None:
    if attached:
        world.attest("vuln")
    with pytest.raises(VerificationFailed) as raised:
        world.verify(verifier=IDENTITY)
    instead = f"attached: signed by another than {IDENTITY.regexp}; something else"
    assert raised.value.message == (
        f"{IMAGE.subject}: not there, or not by dev@acme[.]test of the issuer https://issuer.test: signature; "
        + (instead if attached else "nothing is attached")
    )
    assert raised.value.advice == (
        "sign and attest this digest as this identity, or check that it is the image and the identity you mean "
        "(the expression has to match the whole identity)"
    )


def test_where_nobody_is_known_to_have_signed_nothing_is_said_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.attest("vuln")
    monkeypatch.setattr(Verifies, "signers", lambda *_: [])
    with pytest.raises(VerificationFailed, match=r": signature$"):
        world.verify(verifier=IDENTITY)
