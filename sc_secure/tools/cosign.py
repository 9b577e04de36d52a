"""cosign 3: signs and attests in the registry, and verifies what is there.

What witnesses a signature is said by a signing configuration and a trusted root, not by cosign's deprecated flags. An
identity token goes to cosign in its environment alone.

Verified is by a key or by an identity, and what the other kind signed is never taken: cosign sees to it that a key's
check meets no certificate and an identity's no bare key.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sc_secure.errors import ConfigError
from sc_secure.tools.certificate import bundle_identity, has_timestamp
from sc_secure.tools.cosign_errors import fail
from sc_secure.tools.draft import Draft
from sc_secure.tools.environment import environment_for
from sc_secure.tools.identity import REGEXP_FLAG, ROOT_FLAG, TIMESTAMPED, Identity
from sc_secure.tools.key import Key
from sc_secure.tools.legacy import OFFLINE, VERIFY_FLAGS, Signed, signed, text_to_sign
from sc_secure.tools.log_once import Signing, logged_once
from sc_secure.tools.log_request import CannotAsk
from sc_secure.tools.process import MIB, Completed, Runner
from sc_secure.tools.public_key import PublicKeys
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.refusals import mismatches, reasons
from sc_secure.tools.services import Keyless, Services, Witnesses, witnesses
from sc_secure.tools.statement import Statement, read_statements
from sc_secure.tools.text import printable
from sc_secure.tools.transient import Kind, classify, failure, with_retries

Signer = Key | Keyless
"""Who signs."""
Verifier = Key | Identity
"""Who must have signed."""
SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
"""The predicate type of an image signature: cosign 3 signs an in-toto statement with an empty predicate."""
_NOTHING_MATCHES = (
    "no matching attestations",
    "none of the attestations matched",
    "no signatures found",
    "no matching signatures",
)
_MAX_ENVELOPES = 512 * MIB
_MAX_NAMED = 3
# Names that others chose: they say nothing of what failed.
_WHO_ELSE = re.compile(r"got subjects \[.*\] with issuer .*")


@dataclass(frozen=True)
class _Files:
    """Where what is made goes."""

    bundle: Path
    draft: Draft | None
    """What isn't attached yet."""


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
        self._keys = PublicKeys(environ, temp)
        self._witnesses: dict[tuple[Services | None, bool], Witnesses] = {}
        self._accepted: set[tuple[str, str, str, object]] = set()

    def sibling(self, runner: Runner, temp: Path) -> Cosign:
        """Another one, which knows what this one learnt of keys, services and bundles."""
        other = Cosign(runner, self._environ, temp)
        other._keys, other._witnesses, other._accepted = self._keys, self._witnesses, self._accepted
        return other

    def sign(  # an empty token is none  # nosec B107
        self,
        image: ImageReference,
        signer: Signer,
        bundle: Path,
        token: str = "",
        *,
        older: bool = False,
        draft: Draft | None = None,
    ) -> None:
        """Sign the image's digest and write the signature into its registry.

        Args:
            image: what is signed.
            signer: a private key, or a Sigstore that gives out a certificate.
            bundle: the file that the signature goes to as well, before the registry is written to.
            token: without a key: the identity token.
            older: sign what is kept in the older way, see `legacy`; it goes to the file alone.
            draft: where it is kept from its signature on; what is there, which has to be the same, isn't signed again.

        Raises:
            ConfigError: the key's password is wrong.
            InfrastructureError, NotAuthorised: cosign or a service failed.
        """
        if older:
            text = self._temp / "text-to-sign.json"
            text.write_bytes(text_to_sign(image))
            self._write(["sign-blob", str(text)], image, signer, _Files(bundle, draft), token, older=True)
        else:
            self._write(["sign", image.subject], image, signer, _Files(bundle, draft), token)

    def attest(  # an empty token is none  # nosec B107
        self,
        image: ImageReference,
        signer: Signer,
        bundle: Path,
        token: str = "",
        *,
        predicate_type: str,
        predicate: Path,
        older: bool = False,
        draft: Draft | None = None,
    ) -> None:
        """Sign a statement about the image and write it into its registry.

        Args:
            image: what it is about.
            signer: see `sign`.
            bundle: see `sign`.
            token: see `sign`.
            predicate_type: cosign's short name (`cyclonedx`, `spdxjson`, `slsaprovenance1`, `vuln`) or a URI.
            predicate: the file that holds it.
            older: see `sign`.
            draft: see `sign`.

        Raises:
            ConfigError, InfrastructureError, NotAuthorised: see `sign`.
        """
        about = [f"--type={predicate_type}", f"--predicate={predicate}"]
        words = ["attest", *about, *(["--no-upload"] if older else []), image.subject]
        self._write(words, image, signer, _Files(bundle, draft), token, older=older)

    def attach(self, image: ImageReference, bundle: Path) -> None:
        """Write a bundle that is made into the image's registry.

        Raises:
            InfrastructureError, NotAuthorised: the registry failed or refused.
        """
        self._checked(["cosign", "attach", "attestation", f"--attestation={bundle}", image.subject], self._env())

    def statements(
        self, image: ImageReference, verifier: Verifier, predicate_type: str, *, legacy: bool = False
    ) -> list[Statement]:
        """The statements of that type about this digest by this signer; an empty list: there are none.

        A signature is one too (type `SIGNATURE`). `cosign verify` isn't asked: it accepts an image that has nothing
        but an attestation.

        Args:
            image: what they are about.
            verifier: who must have signed.
            predicate_type: a URI.
            legacy: look at what is kept in the older way, see `legacy`, and at nothing else.

        Raises:
            ConfigError: cosign can't read the identity's expression or trusted root.
            InfrastructureError, NotAuthorised: cosign or the registry failed, after retries.
        """
        output = self._temp / "envelopes.jsonl"
        who = self._who_in_tags(verifier) if legacy else self._who(verifier)
        words = ["verify-attestation", f"--type={predicate_type}", *who]
        if not self._verified(words, image, verifier, output):
            return []
        found = read_statements(output)
        # cosign checks the subject too; a later one may not.
        return [each for each in found if each.predicate_type == predicate_type and image.hex in each.subjects]

    def signed(self, image: ImageReference, verifier: Verifier) -> list[Signed]:
        """What this signer signed of this digest in the older way. An empty list: nothing.

        Raises:
            ConfigError: cosign can't read the identity's expression or trusted root.
            InfrastructureError, NotAuthorised: cosign or the registry failed, after retries.
        """
        output = self._temp / "signed.json"
        words = ["verify", "--output=json", *self._who_in_tags(verifier)]
        return signed(output.read_bytes(), image) if self._verified(words, image, verifier, output) else []

    def _verified(self, words: list[str], image: ImageReference, verifier: Verifier, output: Path) -> bool:
        """Whether cosign verified something; it is in `output` then."""
        argv = ["cosign", *words, image.subject]

        def verify() -> bool:
            done = self._runner.run(argv, env=self._env(), stdout=output, stdout_limit=_MAX_ENVELOPES)
            if done.code != 0 and isinstance(verifier, Identity):
                _check_readable(done)
            kind = classify(_WHO_ELSE.sub("", done.stderr))
            # Of the older tags, cosign says that nothing matches also where it couldn't fetch what is there.
            known = kind is Kind.PERMANENT or VERIFY_FLAGS[0] not in words
            if done.code != 0 and not (known and any(said in done.stderr for said in _NOTHING_MATCHES)):
                raise failure(kind, done.summary())
            return done.code == 0

        return with_retries(verify)

    def accepts(self, image: ImageReference, verifier: Verifier, predicate_type: str, bundle: Path) -> bool:
        """Whether this very bundle holds a statement of that type about this digest by this signer.

        What was accepted once in this run is: the same bytes by the same signer.

        Raises:
            ToolMissing: there is no cosign.
        """
        who = verifier
        if isinstance(verifier, Key):  # known by itself: one key may be named in several ways
            who = (self.public_key(verifier).read_bytes(), verifier.services)
        asked = (predicate_type, image.hex, hashlib.sha256(bundle.read_bytes()).hexdigest(), who)
        if asked not in self._accepted:
            if not self._accepts(_about(image, predicate_type), self._who(verifier), bundle):
                return False
            self._accepted.add(asked)
        return True

    def _accepts(self, words: list[str], who: list[str], bundle: Path) -> bool:
        command, *about = words
        done = self._runner.run(["cosign", command, f"--bundle={bundle}", *who, *about], env=self._env())
        return done.code == 0 and "Verified OK" in done.stderr  # its exit code alone is no proof

    def signers(self, image: ImageReference, identity: Identity) -> list[str]:
        """What is attached to the image, of whatever type: who signed it, or why it is refused. For people.

        An identity is named only where all else about its signature was verified: certificate, log or timestamp,
        and digest. Everything is printable.

        Args:
            image: what it is about.
            identity: says what is trusted; its expression and issuer aren't looked at.
        """
        nobody = secrets.token_hex()

        def ask(name: str) -> str:
            who = [f"--certificate-identity={name}", f"--certificate-oidc-issuer={nobody}", *identity.trust]
            argv = ["cosign", "verify-attestation", f"--type={SIGNATURE}", *who, image.subject]
            return self._runner.run(argv, env=self._env()).stderr

        refused = ask(nobody)
        found = list[str]()
        for name in mismatches(refused, "SAN", nobody)[:_MAX_NAMED]:
            # cosign stops at the first of the two that differs: asked again, it says the issuer.
            for issuer in mismatches(ask(name), "issuer", nobody)[:_MAX_NAMED]:
                found.append(
                    f"a statement signed by {printable(name, limit=200)} of the issuer {printable(issuer, limit=200)}"
                )
        return found + reasons(refused)

    def public_key(self, key: Key) -> Path:
        """A file with the public key.

        Raises:
            ConfigError, InfrastructureError, NotAuthorised: see `derive`, which isn't asked each time.
        """
        return self._keys.file(key, self.derive)

    def derive(self, key: Key) -> bytes:
        """The public key of a private one, which needs its password.

        Raises:
            ConfigError: the password is wrong, or it isn't a key.
            InfrastructureError, NotAuthorised: the key service failed, after retries.
        """
        argv = ["cosign", "public-key", f"--key={key.reference}"]
        return with_retries(lambda: self._checked(argv, self._env(**key.environment))).stdout

    def _who(self, verifier: Verifier) -> list[str]:
        """The flags for what a signer must have."""
        if isinstance(verifier, Identity):
            return verifier.flags
        key, services = f"--key={self.public_key(verifier)}", verifier.services
        if services is None or not services.transparency_log:
            return [key, "--insecure-ignore-tlog"]
        return [key, f"{ROOT_FLAG}={services.trusted_root}"] if services.trusted_root else [key]

    def _who_in_tags(self, verifier: Verifier) -> list[str]:
        """The same, to look at what is kept in the older way."""
        return [*VERIFY_FLAGS, *([OFFLINE] if verifier.logged else []), *self._who(verifier)]

    def _write(
        self, words: list[str], image: ImageReference, signer: Signer, files: _Files, token: str, *, older: bool = False
    ) -> None:
        if isinstance(signer, Key):
            if signer.public:
                raise ConfigError(f"--key {signer.reference}: a public key can't sign", advice="give the private key")
            who, env = f"--key={signer.reference}", self._env(**signer.environment)
        else:
            # Named: cosign would ask the machine for an identity of its own first, where it has one.
            who, env = "--oidc-provider=envvar", self._env(SIGSTORE_ID_TOKEN=token)
        shown_to = self._shown_to(signer, older=older)
        command, *arguments = words

        # Tried once: whether a failed write was one is for the caller to see (`writing.write`).
        def make(flags: tuple[str, ...], *more: str) -> None:
            self._checked(["cosign", command, who, *flags, "--yes", *more, *arguments], env)

        if not shown_to.logs:
            make(shown_to.flags, f"--bundle={files.bundle}")
            return
        unlogged = self._temp / "unlogged.sigstore.json"
        kept_here = [] if older else ["--upload=false" if command == "sign" else "--no-upload"]

        def signed() -> bytes:
            make(shown_to.unlogged, *kept_here, f"--bundle={unlogged}")
            return unlogged.read_bytes()

        kind = next((word.partition("=")[2] for word in words if word.startswith("--type=")), SIGNATURE)
        about = ["verify-blob", *arguments] if command == "sign-blob" else _about(image, kind)
        signing = Signing(
            signed,
            partial(self._verifies, about, signer),
            lambda: self.public_key(signer).read_bytes() if isinstance(signer, Key) else b"",
            files.draft or Draft({}, None),
        )
        try:
            files.bundle.write_bytes(logged_once(signing, shown_to.logs))
        except CannotAsk:
            make(shown_to.flags, f"--bundle={files.bundle}")
            return
        if not older:
            self.attach(image, files.bundle)

    def _verifies(self, about: list[str], signer: Signer, content: bytes, logged: bool) -> bool:
        """Whether a bundle that this signer made is good: with its entry in a log, or without."""
        file = self._temp / "made-here.sigstore.json"
        file.write_bytes(content)
        verifier = _whose(signer, content)
        if logged:
            who = self._who(verifier)
        elif isinstance(verifier, Key):
            who = self._who(replace(verifier, services=None))
        else:
            # Without a timestamp, the certificate has to be good now.
            trust = replace(verifier, transparency_log=False).flags
            who = [flag for flag in trust if flag != TIMESTAMPED or has_timestamp(content)]
        return self._accepts(about, who, file)

    def _shown_to(self, signer: Signer, *, older: bool) -> Witnesses:
        services, keyless = signer.services, isinstance(signer, Keyless)
        if (services, older) not in self._witnesses:
            self._witnesses[services, older] = witnesses(
                services, self._temp, self._create_signing_config, keyless=keyless, older=older
            )
        return self._witnesses[services, older]

    def _create_signing_config(self, services: list[str], file: Path) -> None:
        self._checked(["cosign", "signing-config", "create", *services, f"--out={file}"], self._env())

    def _checked(self, argv: list[str], env: Mapping[str, str]) -> Completed:
        done = self._runner.run(argv, env=env)
        if done.code != 0:
            fail(done)
        return done

    def _env(self, **extra: str) -> dict[str, str]:
        return environment_for("cosign", self._environ, self._temp, **extra)


def _about(image: ImageReference, predicate_type: str) -> list[str]:
    """What verifies a statement of that type about the image, in a bundle."""
    about = [f"--type={predicate_type}", f"--digest={image.hex}", "--digestAlg=sha256"]
    return ["verify-blob-attestation", *about]


def _whose(signer: Signer, bundle: bytes) -> Verifier:
    """Who a bundle that this signer made must be by."""
    if isinstance(signer, Key):
        return signer
    name, issuer = bundle_identity(bundle) or ("", "")
    services = signer.services
    return Identity.exactly(name, issuer, services.trusted_root, transparency_log=services.transparency_log)


def _check_readable(done: Completed) -> None:
    """Refuse what looked right here and doesn't to cosign.

    Raises:
        ConfigError: cosign couldn't read the expression or the trusted root.
    """
    for said, flag in {"error parsing regexp:": REGEXP_FLAG, "loading trusted root:": ROOT_FLAG}.items():
        if said in done.stderr:
            raise ConfigError(f"{flag}: cosign can't read it: {done.summary()}")
