"""Release documents to write reports of: as they are, and as an attacker would like them."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sc_secure.report.building import build, scan_of, signer_of
from sc_secure.report.document import Artifact, Failure, Release, Step, ToolUsed

DIGEST = f"sha256:{'a' * 64}"
SUBJECT = f"registry.example:5000/team/app@{DIGEST}"
BEGAN = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOSTILE = (
    "</code></pre><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\" onmouseover=\"document.title='owned'",
    "<svg onload=\"document.title='owned'\">",
    "`|` \\| [x](javascript:alert(1)) @everyone #1 <!-- ",
    "a` @everyone [x](https://evil.example) <b>owned</b> ``",
    "a\u202egpj.exe\x1b[31mred\r\n| new | row |\n## heading",
    "${{ secrets.TOKEN }} {{constructor.constructor('x')()}}",
    "x" * 3000,
)
"""Names of packages that aren't ones."""


def finding(**changes: Any) -> dict[str, Any]:
    """A finding, as it stands in `scan.json`."""
    return {
        "id": "GHSA-2m57-hf25-phgg",
        "severity": "high",
        "package": "sqlparse",
        "version": "0.4.4",
        "kind": "python",
        "purl": "pkg:pypi/sqlparse@0.4.4",
        "otherPurls": [],
        "url": "https://github.com/advisories/GHSA-2m57-hf25-phgg",
        "aliases": ["CVE-2024-4340"],
        "fixedIn": ["0.5.0"],
        "knownExploited": False,
        "epss": 0.0123,
        "sources": [{"scanner": "grype", "id": "GHSA-2m57-hf25-phgg", "severity": "high"}],
        "action": "fail",
        "reason": "scan.failOn: high",
    } | changes


FINDINGS = (
    finding(id="CVE-2026-1", severity="critical", package="zlib", version="1:1.2", kind="deb", purl="", fixedIn=[]),
    finding(),
    finding(id="CVE-2026-2", severity="medium", action="warn", reason="scan.warnOn: medium", url="", epss=None),
    finding(id="CVE-2026-3", severity="low", action="allow", reason="below scan.failOn: high", url="ftp://x/y"),
    finding(
        id="CVE-2026-4",
        action="ignore",
        reason="scan.ignore: CVE-2026-4 in sqlparse until 2027-01-01: not reachable",
        knownExploited=True,
    ),
)


def scan_document(findings: Any = FINDINGS, verdict: str = "fail") -> dict[str, Any]:
    """A `scan.json`."""
    counted = [each["severity"] for each in findings if each["action"] != "ignore"]
    words = ("critical", "high", "medium", "low", "negligible", "unknown")
    return {
        "schema": "https://sc-secure.dev/scan/v1",
        "subject": SUBJECT,
        "scanners": [
            {
                "name": "grype",
                "version": "0.121.2",
                "database": {"built": "2026-11-24T06:00:00Z", "schema": "v6.1.10", "providers": ["github", "nvd"]},
            }
        ],
        "policy": {
            "failOn": "high",
            "warnOn": None,
            "onlyFixed": True,
            "tools": {"grype": {"failOn": None, "warnOn": "medium"}},
            "kev": False,
            "epssAbove": 0.5,
            "ignore": [{"id": "CVE-2026-4", "expires": "2027-01-01"}],
            "vex": [{"path": "vex.json", "sha256": "0" * 64, "cleared": 1}],
            "maxDatabaseAge": "5d",
        },
        "verdict": verdict,
        "counts": {word: counted.count(word) for word in words},
        "ignored": sum(each["action"] == "ignore" for each in findings),
        "findings": list(findings),
        "ignoredByScanner": [],
        "scannedAt": "2026-11-24T12:00:01Z",
    }


def step(name: str, kind: str, needs: tuple[str, ...] = (), second: int = 0, **changes: Any) -> Step:
    """A step that passed."""
    fields: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "needs": list(needs),
        "status": "passed",
        "started_at": BEGAN + timedelta(seconds=second),
        "finished_at": BEGAN + timedelta(seconds=second + 1.5),
        "tool": ToolUsed(name="cosign", version="3.1.3"),
    }
    return Step(**(fields | changes))


def _digest(name: str) -> str:
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def chain() -> list[Step]:
    """The steps of a whole release."""
    path = f".sc/artifacts/sha256-{'a' * 64}/sbom.cyclonedx.json"
    sbom = Artifact(path=path, sha256="b" * 64, media_type="application/vnd.cyclonedx+json")
    attested = {
        "sbom": "https://cyclonedx.org/bom",
        "provenance": "https://slsa.dev/provenance/v1",
        "scan": "https://cosign.sigstore.dev/attestation/vuln/v1",
    }
    return [
        step("sbom", "sbom", artifacts=[sbom], outputs={"packages": 88, "path": path, "sha256": "b" * 64}),
        step("scan", "scan", ("sbom",), 1, outputs={"verdict": "warn"}, warnings=["1 finding to look at"]),
        step("provenance", "provenance", tool=None),
        step("sign", "sign", ("scan",), 3, outputs={"signatureDigest": _digest("signature"), "rekorUuid": ""}),
        *(
            step(
                f"attest-{name}",
                "attest",
                ("sign", "provenance") if name == "provenance" else ("sign",),
                4,
                outputs={"predicateType": uri, "attestationDigest": _digest(name)},
            )
            for name, uri in attested.items()
        ),
        step("verify", "verify", tuple(f"attest-{name}" for name in attested), 6, status="reused"),
    ]


def secured(findings: Any = FINDINGS[1:]) -> Release:
    """A release that passed."""
    shown = [each | ({"action": "warn", "reason": "x"} if each["action"] == "fail" else {}) for each in findings]
    scan = scan_of(scan_document(shown, "warn"))
    signer = signer_of("keys/cosign.pub", public=True)
    return build(SUBJECT, chain(), scan=scan, signer=signer, environment="production", policy="stack shop")


def refused(findings: Any = FINDINGS, message: str = "scan.failOn: high forbids 2 findings", **changes: Any) -> Release:
    """A release that the policy stopped."""
    steps = [
        each
        if each.name in ("sbom", "provenance")
        else each.model_copy(update={"status": "failed" if each.name == "scan" else "not_run", "outputs": {}})
        for each in chain()
    ]
    steps = [
        each.model_copy(update={"started_at": None, "finished_at": None}) if each.status == "not_run" else each
        for each in steps
    ]
    failure = Failure(step="scan", exit_code=3, message=message, advice="update these packages")
    scan = scan_of(scan_document(findings))
    return build(SUBJECT, steps, scan=scan, failure=failure, signer=signer_of("k", public=False), **changes)


def hostile() -> Release:
    """A refused release in which every text from outside is an attack."""
    attacks = [
        finding(
            id=text,
            package=text,
            version=text,
            kind=text,
            purl=text,
            url=f"javascript:alert({number})",
            aliases=[text],
            fixedIn=[text],
            reason=text,
            action=("fail", "warn", "allow", "ignore")[number % 4],
            sources=[{"scanner": text, "id": text, "severity": "high"}],
        )
        for number, text in enumerate(HOSTILE)
    ]
    links = [
        finding(id=f"CVE-2026-{number}", url=url)
        for number, url in enumerate(
            ('https://x/" onclick="a()', "https://x/>)<script>", "data:text/html,x", "https://x/|`(a)[b]", "//x/y")
        )
    ]
    whole = refused([*attacks, *links], "\n".join(HOSTILE), environment=HOSTILE[0], policy=HOSTILE[1])
    steps = [
        each.model_copy(
            update={
                "warnings": list(HOSTILE),
                "outputs": {HOSTILE[0]: HOSTILE[1]},
                "tool": ToolUsed(name=HOSTILE[0], version=HOSTILE[1]),
                "artifacts": [Artifact(path=HOSTILE[0], sha256="c" * 64, media_type=HOSTILE[1])],
            }
        )
        for each in whole.steps
    ]
    extra = step(HOSTILE[3], "verify", ("sbom",))
    return whole.model_copy(update={"steps": [*steps, extra], "subject": f"{HOSTILE[0]}@{HOSTILE[1]}"})
