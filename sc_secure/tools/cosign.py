"""cosign 3: signs and attests in the registry, and verifies what is there.

Without a transparency log, cosign gets an empty signing configuration (no log, no timestamp authority) and an empty
trusted root on every write; without them it asks the public TUF repository.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.environment import environment_for
from sc_secure.tools.key import Key
from sc_secure.tools.process import MIB, Completed, Runner
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.transient import classify, failure, with_retries

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
"""The predicate type of an image signature: cosign 3 signs an in-toto statement with an empty predicate."""
_EMPTY_SIGNING_CONFIG = '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}'
_EMPTY_TRUSTED_ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
_NOTHING_MATCHES = ("no matching attestations", "none of the attestations matched", "no signatures found")
_MAX_ENVELOPES = 512 * MIB


@dataclass(frozen=True)
class Statement:
    """An in-toto statement about the image whose signature cosign verified with the key.

    https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md
    """

    predicate_type: str
    predicate: Json
    subjects: frozenset[str]
    """SHA-256 digests of what it is about, in hexadecimal."""
    payload: str
    """The DSSE envelope's payload, base64, as it is in the registry."""
    signature: str
    """The envelope's first signature, base64."""


class Cosign:
    """Runs cosign.

    Args:
        runner: runs programs.
        environ: our environment.
        temp: the run's private folder.
    """

    def __init__(self, runner: Runner, environ: Mapping[str, str], temp: Path) -> None:
        self._runner = runner
        self._environ = environ
        self._temp = temp
        self._public_keys: dict[str, Path] = {}

    def sign(self, image: ImageReference, key: Key) -> None:
        """Sign the image's digest and write the signature into its registry.

        Raises:
            ConfigError: the key's password is wrong.
            InfrastructureError, NotAuthorised: cosign failed.
        """
        self._write(["sign", f"--key={key.reference}", *self._offline(), "--yes", image.subject], key)

    def attest(self, image: ImageReference, key: Key, predicate_type: str, predicate: Path) -> None:
        """Sign a statement about the image and write it into its registry.

        Args:
            image: what it is about.
            key: a private key.
            predicate_type: cosign's short name (`cyclonedx`, `spdxjson`, `slsaprovenance1`, `vuln`) or a URI.
            predicate: the file that holds it.

        Raises:
            ConfigError: the key's password is wrong.
            InfrastructureError, NotAuthorised: cosign failed.
        """
        about = [f"--type={predicate_type}", f"--predicate={predicate}"]
        self._write(["attest", *about, f"--key={key.reference}", *self._offline(), "--yes", image.subject], key)

    def statements(self, image: ImageReference, key: Key, predicate_type: str) -> list[Statement]:
        """The statements of that type about this digest which the key signed; an empty list: there are none.

        A signature is one too (type `SIGNATURE`). `cosign verify` isn't asked: it accepts an image that has nothing
        but an attestation.

        Raises:
            InfrastructureError, NotAuthorised: cosign or the registry failed, after retries.
        """
        output = self._temp / "envelopes.jsonl"
        argv = ["cosign", "verify-attestation", f"--type={predicate_type}", f"--key={self.public_key(key)}"]
        argv += ["--insecure-ignore-tlog", image.subject]

        def verify() -> bool:
            done = self._runner.run(argv, env=self._env(), stdout=output, stdout_limit=_MAX_ENVELOPES)
            if done.code != 0 and not any(said in done.stderr for said in _NOTHING_MATCHES):
                raise failure(classify(done.stderr), done.summary())
            return done.code == 0

        if not with_retries(verify):
            return []
        found = [_statement(line) for line in _lines(output)]
        # cosign checks the subject too; a later one may not.
        return [each for each in found if each and each.predicate_type == predicate_type and image.hex in each.subjects]

    def public_key(self, key: Key) -> Path:
        """A file with the public key.

        Raises:
            ConfigError: the key's password is wrong, or it isn't a key.
            InfrastructureError, NotAuthorised: the key service failed, after retries.
        """
        if key.reference not in self._public_keys:
            if key.public and not key.reference.startswith("env://"):
                self._public_keys[key.reference] = Path(key.reference)
            else:
                file = self._temp / f"key-{len(self._public_keys)}.pub"
                file.write_bytes(self._read_public_key(key))
                self._public_keys[key.reference] = file
        return self._public_keys[key.reference]

    def _read_public_key(self, key: Key) -> bytes:
        if key.public:
            return key.environment[key.reference.removeprefix("env://")].encode()
        argv = ["cosign", "public-key", f"--key={key.reference}"]
        return with_retries(lambda: self._checked(argv, self._env(**key.environment))).stdout

    def _write(self, arguments: list[str], key: Key) -> None:
        if key.public:
            raise ConfigError(f"--key {key.reference}: a public key can't sign", advice="give the private key")
        # Tried once: whether a failed write was one is for the caller to see (`attachments.write`).
        self._checked(["cosign", *arguments], self._env(**key.environment))

    def _checked(self, argv: list[str], env: Mapping[str, str]) -> Completed:
        done = self._runner.run(argv, env=env)
        if done.code == 0:
            return done
        if "decryption failed" in done.stderr:
            raise ConfigError("--key: its password is wrong", advice="set the variable that --password-env names")
        if "invalid pem block" in done.stderr or "unsupported pem type" in done.stderr:
            raise ConfigError("--key: not a key that cosign can use", advice="`cosign generate-key-pair` makes one")
        if "404 Not Found" in done.stderr or "MANIFEST_UNKNOWN" in done.stderr:
            raise InfrastructureError(f"the registry doesn't hold this image: {done.summary()}")
        raise failure(classify(done.stderr), done.summary())

    def _offline(self) -> list[str]:
        config, root = self._temp / "signing-config.json", self._temp / "trusted-root.json"
        config.write_text(_EMPTY_SIGNING_CONFIG)
        root.write_text(_EMPTY_TRUSTED_ROOT)
        return [f"--signing-config={config}", f"--trusted-root={root}"]

    def _env(self, **extra: str) -> dict[str, str]:
        return environment_for("cosign", self._environ, self._temp, **extra)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _statement(line: bytes) -> Statement | None:
    """What a DSSE envelope that cosign printed holds; None for a line that isn't one."""
    try:
        envelope = parse_object(line, "an envelope")
        payload, signatures = envelope["payload"], cast("list[Json]", envelope["signatures"])
        content = parse_object(base64.b64decode(cast("str", payload), validate=True), "a statement")
        predicate, kind = content["predicate"], content["predicateType"]
        signature = signatures[0]["sig"]
        subjects = cast("list[Json]", content["subject"])
        digests = frozenset(str(cast("Json", each["digest"]).get("sha256")) for each in subjects)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, InfrastructureError):
        return None
    if not (isinstance(predicate, dict) and isinstance(kind, str) and isinstance(payload, str)):
        return None
    if not isinstance(signature, str):
        return None
    return Statement(kind, cast("Json", predicate), digests, payload, signature)
