"""Attaches what is signed: written once, read back, and written again only if it was lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.policy.sigstore import SignatureFormat
from sc_secure.steps.attachments import FORMS, Attachment, Form, find
from sc_secure.steps.session import Session
from sc_secure.tools import legacy
from sc_secure.tools.certificate import bundle_identity
from sc_secure.tools.cosign import SIGNATURE, Signer, Verifier
from sc_secure.tools.draft import Draft
from sc_secure.tools.identity import Identity
from sc_secure.tools.key import Key
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.registry_writing import Writer
from sc_secure.tools.services import Keyless, log_url, timestamp_url
from sc_secure.tools.statement import Statement, read_bundle
from sc_secure.tools.text import printable
from sc_secure.tools.timestamp import timestamp
from sc_secure.tools.transient import TransientFailure, with_retries


class Make(Protocol):
    """Signs, and attaches what isn't kept in the older way."""

    def __call__(self, bundle: Path, token: str, *, older: bool, draft: Draft) -> None:
        """Sign.

        Args:
            bundle: the file that the bundle goes to.
            token: the identity token; empty for a key.
            older: it is kept in the older way: it goes to the file alone.
            draft: what is signed and not attached; a signature that is there isn't made again.
        """


Outputs = dict[str, str | int | float | bool | dict[str, str]]
_WRITES = 4
_NAME = 16
_FORMS: dict[SignatureFormat, tuple[Form, ...]] = {"bundle": ("bundle",), "legacy": ("legacy",), "both": FORMS}


def write(
    session: Session,
    image: ImageReference,
    signer: Signer,
    predicate_type: str,
    *,
    accept: Callable[[Statement], bool],
    make: Make,
) -> tuple[Attachment, bool, Outputs]:
    """Attach a statement unless this signer's is there: written, read back, and written again if it was lost.

    cosign's exit code is no proof, and a registry without a referrers API can lose a write to another machine's. What
    was signed once isn't signed again for that: it may have its entry in a log already.

    Args:
        session: the run.
        image: what it is about.
        signer: who signs.
        predicate_type: a URI.
        accept: whether a statement that is there says the same.
        make: makes it.

    Returns:
        The attachment; whether it was there already; and who signed it and where it is logged, as a step's outputs.

    Raises:
        ConfigError: the identity token isn't one, or another issuer's.
        InfrastructureError, NotAuthorised: a tool, a service or the registry failed, or the write was lost again and
            again.
    """
    written = [
        _write(_Author(session, image, signer, form), predicate_type, accept=accept, make=make)
        for form in _FORMS[signer.form]
    ]
    found, _, outputs = written[0]
    return found, all(was_there for _, was_there, _ in written), outputs


def _write(
    author: _Author, predicate_type: str, *, accept: Callable[[Statement], bool], make: Make
) -> tuple[Attachment, bool, Outputs]:
    """The same in one form."""
    session, image = author.session, author.image

    def look() -> Attachment | None:
        if author.verifier is None:
            return None
        return find(session, image, author.verifier, predicate_type, accept, forms=[author.form])

    draft = author.draft(predicate_type)
    was_there = True

    def put_and_look() -> Attachment | None:
        nonlocal was_there
        # Reading back and verifying, which takes longer than writing, is done beside the next one's writing.
        with session.lock(image, "attach"):
            found = look()
            if found:
                return found
            was_there = False
            try:
                author.put(make, predicate_type, accept)
            except TransientFailure:
                # The answer may have been lost after the write: writing again then would add a second one.
                found = look()
                if found is None:
                    raise
                return found
        return look()

    for _ in range(_WRITES):
        found = with_retries(put_and_look)
        if found:
            draft.remove()
            return found, was_there, author.outputs(found)
    raise InfrastructureError(
        f"{image.subject}: what was written isn't there when read back, {_WRITES} times in a row",
        advice="another machine may be writing to this image, or the registry keeps no attachments; try again",
    )


class _Author:
    """Who signs in this run, by what its work is known again, and what it has made so far."""

    def __init__(self, session: Session, image: ImageReference, signer: Signer, form: Form) -> None:
        self.session, self.image, self._signer = session, image, signer
        self.form: Form = form
        self._bundle = session.temp / "made.sigstore.json"
        self._bundle.unlink(missing_ok=True)
        self._stamp: bytes | None = None
        self._writer: Writer | None = None
        self.verifier: Verifier | None = signer if isinstance(signer, Key) else self._expected(signer)
        """None: nobody but the certificate authority knows yet by what name it will sign."""

    def draft(self, predicate_type: str) -> Draft:
        """What of this author is signed and not attached, of that type."""
        work = json.dumps([self.image.subject, predicate_type, self.form, self._name])
        name = hashlib.sha256(work.encode()).hexdigest()[:_NAME]
        path = self.session.folder(self.image) / f"unattached-{name}.sigstore.json" if self._name else None
        return Draft(self.session.environ, path)

    @property
    def _name(self) -> list[str]:
        """Who it is; empty: it isn't known yet."""
        if isinstance(self._signer, Key):
            return [self._signer.reference]
        return [self.verifier.name, self.verifier.issuer] if isinstance(self.verifier, Identity) else []

    def _begun(self, predicate_type: str, accept: Callable[[Statement], bool]) -> Draft:
        """The same, without what says something else: whether it verifies is for cosign to say."""
        draft = self.draft(predicate_type)
        content = draft.read()
        if content is not None and not self._says(content, predicate_type, accept):
            draft.remove()
        return draft

    def _says(self, bundle: bytes, predicate_type: str, accept: Callable[[Statement], bool]) -> bool:
        who = self.verifier
        if isinstance(who, Identity) and bundle_identity(bundle) != (who.name, who.issuer):
            return False
        said = read_bundle(bundle)
        if said is None:  # the older form's signature, of a text that cosign is given to verify it by
            return predicate_type == SIGNATURE and self.form == "legacy"
        return bool(said.predicate_type == predicate_type and self.image.hex in said.subjects and accept(said))

    def put(self, make: Make, predicate_type: str, accept: Callable[[Statement], bool]) -> None:
        """Sign and attach; only attach what is signed already."""
        if self._bundle.exists():
            if self.form == "bundle":
                self.session.cosign.attach(self.image, self._bundle)
        else:
            token = "" if isinstance(self._signer, Key) else self.session.identity_token().value
            try:
                make(self._bundle, token, older=self.form == "legacy", draft=self._begun(predicate_type, accept))
            finally:
                if isinstance(self._signer, Keyless) and self._bundle.exists():
                    self._learn(self._signer)
        if self.form == "legacy":
            self._put_layer(predicate_type)

    def _put_layer(self, predicate_type: str) -> None:
        bundle, is_signature = self._bundle.read_bytes(), predicate_type == SIGNATURE
        if is_signature:
            made = legacy.signature(legacy.text_to_sign(self.image), bundle)
        else:
            authority = timestamp_url(self._signer.services)
            if authority and self._stamp is None:
                self._stamp = timestamp(authority, legacy.envelope(bundle))
            made = legacy.attestation(bundle, predicate_type, self._stamp)
        self._writer = self._writer or self.session.writer(self.image)
        tag = legacy.tag(self.image, attestation=not is_signature)
        self._writer.add_layer(tag, made.content, made.media_type, made.annotations)

    def outputs(self, found: Attachment) -> Outputs:
        """Who signed, and where it is logged: only what there is."""
        entry, outputs = found.entry, Outputs()
        if entry:
            outputs |= {"rekorUuid": entry.uuid, "rekorLogIndex": entry.index, "rekorLogId": entry.log_id}
            if entry.time:
                outputs["rekorTime"] = entry.time
            if where := log_url(self._signer.services, entry.log_id):
                outputs["rekorUrl"] = printable(where, limit=500)
        if isinstance(self.verifier, Identity):
            outputs["identity"] = printable(self.verifier.name, limit=500)
            outputs["issuer"] = printable(self.verifier.issuer, limit=500)
        return outputs

    def _expected(self, signer: Keyless) -> Identity | None:
        """The identity that the certificate will name, by what the token says.

        Raises:
            ConfigError: the token is of another issuer than the one that is said.
            InfrastructureError, NotAuthorised: there is no token.
        """
        token, wanted = self.session.identity_token(), signer.services.oidc_issuer
        if wanted and token.issued_by.rstrip("/") != wanted.rstrip("/"):
            raise ConfigError(
                f"--oidc-issuer {wanted}: the identity token is one of {printable(token.issued_by, limit=200)}",
                advice="sign where that issuer gives out tokens, or name the one that does",
            )
        return self._identity(signer, token.name, token.issuer) if token.name else None

    def _learn(self, signer: Keyless) -> None:
        """Take the name from the certificate: it is read back by that, and cosign verifies it."""
        made = bundle_identity(self._bundle.read_bytes())
        if made is None:
            return
        known = self.verifier
        self.verifier = self._identity(signer, *made)
        if known != self.verifier:
            self.session.warn(
                f"the certificate names {printable(made[0], limit=200)}, which the token doesn't tell: signing this "
                "image again adds another signature"
            )

    def _identity(self, signer: Keyless, name: str, issuer: str) -> Identity:
        services = signer.services
        return Identity.exactly(name, issuer, services.trusted_root, transparency_log=services.transparency_log)
