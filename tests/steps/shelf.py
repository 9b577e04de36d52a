"""A registry and cosign that stand in for the real ones: what they answer is laid down, question by question.

They stand for what no real one does when it is asked to: to lose a bundle between two questions, to pass over one that
is there, to hold a hundred. How the real ones answer is tested beside this, in the tests of each step.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sc_secure.steps.session import Session
from sc_secure.tools.cosign import Cosign, Verifier
from sc_secure.tools.identity import Identity
from sc_secure.tools.key import Key
from sc_secure.tools.legacy import Signed
from sc_secure.tools.lifeline import Lifeline
from sc_secure.tools.process import Runner
from sc_secure.tools.reference import ImageReference, parse_reference
from sc_secure.tools.registry import Manifest, Registry
from sc_secure.tools.statement import Statement

HEX = "a" * 64
IMAGE = parse_reference(f"registry.example/team/app@sha256:{HEX}")
KEY = Key("cosign.pub", public=True)
IDENTITY = Identity("dev@acme[.]test", "https://issuer.test")
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def statement(kind: str, name: str, predicate: Mapping[str, Any] | None = None, of: str = HEX) -> Statement:
    """One whose envelope is known by its name."""
    said = {"predicateType": kind, "predicate": predicate or {}, "subject": [{"digest": {"sha256": of}}], "name": name}
    payload = base64.b64encode(json.dumps(said).encode()).decode()
    return Statement(kind, dict(predicate or {}), frozenset({of}), payload=payload, signature=f"sig {name}")


def bundle(held: Statement, **more: Any) -> bytes:
    return json.dumps({"dsseEnvelope": envelope(held), **more}).encode()


def envelope(held: Statement) -> dict[str, Any]:
    return {"payload": held.payload, "signatures": [{"sig": held.signature}]}


@dataclass
class Shelf:
    """In the place of `Registry`."""

    manifests: dict[str, Any] = field(default_factory=dict)
    """By digest or tag; what is absent isn't there."""
    blobs: dict[str, bytes | None] = field(default_factory=dict)
    attached: dict[str, list[str]] = field(default_factory=dict)
    """An image's digest -> the digests of what refers to it, the newest last."""
    read: list[str] = field(default_factory=list)
    """The blobs that were asked for."""

    def manifest(self, reference: str) -> Manifest | None:
        content = self.manifests.get(reference)
        return None if content is None else Manifest(reference, content)

    def referrers(self, digest: str) -> list[str]:
        return self.attached.get(digest, [])

    def blob(self, digest: str, *, limit: int) -> bytes | None:
        assert limit == 256 * 1024 * 1024
        self.read.append(digest)
        return self.blobs.get(digest)

    def attach(
        self, name: str, content: bytes | None, *, kind: str | None = None, image: str = IMAGE.digest, **manifest: Any
    ) -> None:
        """Puts a bundle there, as the newest; its manifest's digest is `manifest NAME`."""
        annotations = {} if kind is None else {"annotations": {"dev.sigstore.bundle.predicateType": kind}}
        layers = [{"digest": f"blob {name}", "mediaType": BUNDLE}]
        self.manifests[f"manifest {name}"] = {"layers": layers, **annotations, **manifest}
        self.blobs[f"blob {name}"] = content
        self.attached.setdefault(image, []).append(f"manifest {name}")


@dataclass
class Verifies:
    """In the place of `Cosign`."""

    known: dict[tuple[str, str], list[Statement]] = field(default_factory=dict)
    """What is verified, by who signed (a key's reference, an issuer) and the predicate type."""
    kept_in_tags: dict[tuple[str, str], list[Statement]] = field(default_factory=dict)
    """The same, of what is kept in the older way."""
    texts: list[Signed] = field(default_factory=list)
    """What was verified of the signatures that are kept in the older way."""
    good: set[bytes] = field(default_factory=set)
    """Bundles that are accepted by themselves, besides those that hold nothing but what is known."""
    only_searches: bool = False
    """It fails where it is given a bundle."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    """Each question: what, about which digest, of whom, of which type."""

    def sibling(self, runner: Runner, temp: Path) -> "Verifies":
        return self

    def statements(
        self, image: ImageReference, verifier: Verifier, predicate_type: str, *, legacy: bool = False
    ) -> list[Statement]:
        self.asked.append(("tags" if legacy else "bundles", image.digest, who(verifier), predicate_type))
        found = (self.kept_in_tags if legacy else self.known).get((who(verifier), predicate_type), [])
        return [each for each in found if image.hex in each.subjects]

    def signed(self, image: ImageReference, verifier: Verifier) -> list[Signed]:
        self.asked.append(("texts", image.digest, who(verifier)))
        return self.texts

    def accepts(self, image: ImageReference, verifier: Verifier, predicate_type: str, file: Path) -> bool:
        self.asked.append(("bundle", image.digest, who(verifier), predicate_type))
        content, known = file.read_bytes(), self.known.get((who(verifier), predicate_type), [])
        return not self.only_searches and (content in self.good or content in map(bundle, known))

    def signers(self, image: ImageReference, identity: Identity) -> list[str]:
        return [f"signed by another than {identity.regexp}", "something else"] if image.digest == IMAGE.digest else []


def who(verifier: Verifier) -> str:
    return verifier.reference if isinstance(verifier, Key) else verifier.issuer


def session(folder: Path, shelf: Shelf, verifies: Verifies, images: Iterable[ImageReference] = (IMAGE,)) -> Session:
    """A run that works with them."""
    made = Session({}, Runner(), folder, folder, cast(Cosign, verifies), cast(Lifeline, None))
    for image in images:
        made._registries[(image.registry, image.repository)] = cast(Registry, shelf)
    return made
