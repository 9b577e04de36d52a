"""What every report says in the same words: the verdict, the steps' names, the commands for verifying by hand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from sc_secure.policy.severity import EVERY_WORD
from sc_secure.report.document import Attachment, Finding, Release, Scan, Signer, Step, StepStatus, Verdict
from sc_secure.steps.formats import PREDICATES

SIGNATURE: Final = "signature"
"""The kind of an attachment that is no attestation."""
_VERDICTS: Final[dict[Verdict, str]] = {
    "secured": "Secured",
    "degraded": "Secured, but for a step that failed softly",
    "unsecured": "Not secured: the policy switches everything off",
    "refused": "Refused",
    "failed": "Failed: nothing is known for sure",
    "incomplete": "Incomplete: not every step is recorded",
}
_TITLES: Final = {
    "sbom": "SBOM",
    "scan": "Scan",
    "sign": "Signature",
    "provenance": "Provenance",
    "attest-sbom": "Attest SBOM",
    "attest-provenance": "Attest provenance",
    "attest-scan": "Attest scan",
    "verify": "Verify",
}
_KINDS: Final = {
    SIGNATURE: "Signature",
    PREDICATES["cyclonedx"].uri: "SBOM (CycloneDX)",
    PREDICATES["spdx"].uri: "SBOM (SPDX)",
    PREDICATES["syft"].uri: "SBOM (syft)",
    PREDICATES["slsaprovenance1"].uri: "Provenance (SLSA v1)",
    PREDICATES["vuln"].uri: "Scan result",
}
STATUSES: Final[dict[StepStatus, str]] = {
    "passed": "passed",
    "reused": "already there",
    "skipped": "nothing to do",
    "soft_failed": "failed softly",
    "failed": "failed",
    "not_run": "not run",
}
_WEB = re.compile(r"https?://[!#$&-;=?-Z\]_a-z~%\[]+", re.ASCII)
"""A web address of RFC 3986's characters alone, but for the quote: nothing in it ends an attribute or a link."""
_LONGEST_URL = 2000
_UUID = re.compile(r"[0-9a-f]{64,80}", re.ASCII)
_PUBLIC_LOG = "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d"
"""The name of https://rekor.sigstore.dev: its key's SHA-256, as in every bundle that it has an entry of."""


@dataclass(frozen=True)
class ByHand:
    """A command that checks something without this program's word for it."""

    what: str
    command: str


def headline(release: Release) -> str:
    """The verdict, in a few words."""
    said = _VERDICTS[release.verdict]
    if release.failure is None or release.verdict not in ("refused", "failed"):
        return said
    forbidden = len(release.findings("fail"))
    if release.verdict == "refused" and forbidden:
        return f"{said}: the policy forbids {counted(forbidden, 'finding')}"
    return f"{said}: {title(release.failure.step)}"


def consequence(release: Release) -> str:
    """What the verdict means, in a sentence."""
    signed = any(each.kind == SIGNATURE for each in release.attachments)
    if release.verdict in ("refused", "failed"):
        return (
            "The image was signed, but not everything was done: don't deploy it." if signed else "Nothing was signed."
        )
    if release.verdict == "incomplete":
        return "These are the steps that the stack's state holds for this image."
    return "Every step of the policy has passed." if release.verdict == "secured" else ""


def title(name: str) -> str:
    """A step's name for people."""
    return _TITLES.get(name, name)


def kind(attachment: Attachment) -> str:
    """What an attachment is, for people."""
    return _KINDS.get(attachment.kind, attachment.kind)


def logged(attachment: Attachment) -> str:
    """Its entry in a transparency log: number, log and name. Empty: it is in none."""
    if not attachment.log_index:
        return ""
    where = f"{attachment.log_index} in {attachment.log_id[:16] or 'an unnamed log'}"
    return f"{where} ({attachment.log_uuid})" if attachment.log_uuid else where


def log_page(attachment: Attachment) -> str:
    """The entry's page: the public log has pages for people, and a Rekor 1 answers with the entry. Empty: none."""
    if attachment.log_id == _PUBLIC_LOG and attachment.log_index.isdigit():
        return f"https://search.sigstore.dev/?logIndex={attachment.log_index}"
    private = web_address(attachment.log_url.rstrip("/"))
    named = private and _UUID.fullmatch(attachment.log_uuid)
    return f"{private}/api/v1/log/entries/{attachment.log_uuid}" if named else ""


def counted(count: int, thing: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def counts(release: Release) -> str:
    """The severities that occur, as `1 high, 2 low`, and what is ignored."""
    if release.scan is None:
        return ""
    found = {str(word): count for word, count in release.scan.counts.items()}
    said = [f"{found[word]} {word}" for word in EVERY_WORD if found.get(word)]
    said += [f"{release.scan.ignored} ignored"] if release.scan.ignored else []
    return ", ".join(said) or "nothing"


def rules(scan: Scan) -> list[tuple[str, str]]:
    """The policy's items that were said, each by its path below `scan`, and its value."""
    return [each for name, value in scan.policy.items() for each in _items(name, value)]


def _items(name: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _items(f"{name}.{key}", each)
    elif name == "ignore" and isinstance(value, list):
        # Each rule that took something out stands with what it took out.
        yield from [(name, counted(len(value), "rule"))] if value else []
    elif name == "vex" and isinstance(value, list):
        paths = [str(each.get("path")) for each in value if isinstance(each, dict)]
        yield from [(name, ", ".join(paths))] if paths else []
    elif value is True:
        yield name, "true"
    elif isinstance(value, str | int | float) and value is not False:
        yield name, str(value)


def scanners(scan: Scan) -> list[tuple[str, str]]:
    """Who looked, and with what."""
    found: list[tuple[str, str]] = []
    for each in scan.scanners:
        providers = f" ({', '.join(each.providers)})" if each.providers else ""
        found.append((f"{each.name} {each.version}", f"database of {each.database_built or 'unknown age'}{providers}"))
    return found


def fixed(finding: Finding) -> str:
    """The versions without it, as far as a reader wants to know."""
    return ", ".join(finding.fixed_in[:3]) + (", …" if len(finding.fixed_in) > 3 else "")  # noqa: PLR2004


def seconds(step: Step) -> str:
    """How long a step took; empty where it didn't run."""
    return "" if step.seconds is None else f"{step.seconds:.1f} s"


def web_address(url: str) -> str:
    """The URL if it is an ordinary web address, else nothing: what a scanner's database says may be anything."""
    return url if len(url) <= _LONGEST_URL and _WEB.fullmatch(url) else ""


def by_hand(release: Release) -> list[ByHand]:
    """How to check what is attached, with cosign alone and with this program."""
    signer = release.signer
    if signer is None or not release.attachments:
        return []
    image, who = release.subject, _cosign_flags(signer)
    found: list[ByHand] = []
    if signer.private:
        public = shlex.join(["cosign", "public-key", "--key", signer.key])
        found.append(ByHand("The public key, for those who don't have it", f"{public} > cosign.pub"))
    for each in release.attachments:
        if each.kind == SIGNATURE:
            found.append(ByHand(kind(each), shlex.join(["cosign", "verify", *who, image])))
        else:
            command = ["cosign", "verify-attestation", *who, "--type", each.kind, image]
            found.append(ByHand(kind(each), f"{shlex.join(command)} > /dev/null"))
    names = {each.uri: each.name for each in PREDICATES.values()}
    wanted = [
        word for each in release.attachments if each.kind in names for word in ("--attestation", names[each.kind])
    ]
    ours = ["sc-secure", "image", "verify", "--image", image, *_our_flags(signer), *wanted]
    found.append(ByHand("All of it; cosign alone takes an attestation for a signature", shlex.join(ours)))
    return found


def _cosign_flags(signer: Signer) -> list[str]:
    root = [f"--trusted-root={signer.trusted_root}"] if signer.trusted_root else []
    # cosign's words for "there is no transparency log entry to look for".
    no_log = [] if signer.transparency_log else ["--insecure-ignore-tlog=true"]
    if signer.key:
        return ["--key", "cosign.pub" if signer.private else signer.key, *root, *no_log]
    who = [f"--certificate-identity-regexp={signer.identity_regexp}"]
    stamped = [] if signer.transparency_log else ["--use-signed-timestamps"]
    return [*who, f"--certificate-oidc-issuer={signer.oidc_issuer}", *root, *no_log, *stamped]


def _our_flags(signer: Signer) -> list[str]:
    root = ["--trusted-root", signer.trusted_root] if signer.trusted_root else []
    if signer.key:
        log = ["--transparency-log"] if signer.transparency_log else []
        return ["--key", "cosign.pub" if signer.private else signer.key, *log, *root]
    who = ["--certificate-identity-regexp", signer.identity_regexp, "--certificate-oidc-issuer", signer.oidc_issuer]
    return [*who, *root, *([] if signer.transparency_log else ["--no-transparency-log"])]
