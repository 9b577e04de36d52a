"""The table of the command line: for each command, a way to end it with each exit code that its help names.

Words in braces are filled by `tests/cli/world.py`; `{image}` is an image with nothing attached, `{secured}` has all.
A new command, or a new code in a command's help, needs a row here.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Situation:
    """A way to call a command."""

    flags: str
    said: str = ""
    """What stderr says; for those that fail."""
    env: dict[str, str] = field(default_factory=dict)
    stdin: str = ""
    """A file that is standard input."""


Rows = dict[int, list[Situation]]
NO_TOOLS = {"PATH": "/nowhere"}
SIGN = "--key cosign.key --no-transparency-log"
VERIFY = "--key cosign.pub"


def of_an_image(flags: str = "", *, image: str = "{image}") -> Rows:
    """What every command can come to that works on an image in a registry.

    Failures with an empty folder for documents: with the image's catalogue in it, some needn't ask the registry.
    """
    empty = f"{flags} --artifacts elsewhere"
    return {
        0: [Situation(f"{flags} --image {image}"), Situation(f"{empty} --image {image}")],
        2: [Situation(f"{empty} --image debian:12", "crane digest")],
        4: [Situation(f"{empty} --image {{lying}}", "has other content")],
        5: [Situation(f"{empty} --image {image}", "install", NO_TOOLS)],
        6: [Situation(f"{empty} --image {{down}} --retry-attempts 1", "127.0.0.1:1")],
        7: [Situation(f"{empty} --image {{denied}}", "401")],
    }


def that_verifies(what: str) -> Rows:
    rows = of_an_image(VERIFY, image="{secured}")
    rows[4] += [
        Situation(f"{VERIFY} --image {{image}}", f"not there, or not by this key: {what}"),  # nothing is attached
        Situation("--key other.pub --image {secured}", f"not there, or not by this key: {what}"),  # by somebody else
        Situation(f"{VERIFY} --image {{secured}} --expected-digest sha256:0", "--expected-digest sha256:0"),
    ]
    return rows


SCAN = "--fail-on critical"
COMMANDS: dict[str, Rows] = {
    "image scan": of_an_image(SCAN)
    | {
        3: [Situation("--fail-on high --image {image}", "scan.failOn: high forbids 1 finding")],
        4: [
            Situation(f"{SCAN} --image {{lying}} --artifacts elsewhere", "has other content"),
            Situation(f"{SCAN} --image {{image}} --sbom foreign.json", "not a syft-json catalogue"),
        ],
    },
    "image sign": of_an_image(SIGN),
    "image verify": that_verifies("signature"),
    "image status": {code: rows for code, rows in of_an_image().items() if code != 5},
    "sbom generate": of_an_image("--format spdx-json"),
    "sbom attach": of_an_image(SIGN),
    "sbom verify": that_verifies("https://cyclonedx.org/bom"),
    "scan attach": of_an_image(SIGN),
    "scan verify": that_verifies("https://cosign.sigstore.dev/attestation/vuln/v1"),
    "provenance generate": {
        0: [Situation("--context . --image {image}")],
        2: [Situation("--context none --image {image}", "--context none: no such folder")],
        6: [Situation("--image {image} --artifacts cosign.key/x", "cosign.key")],
    },
    "provenance attach": of_an_image(SIGN),
    "provenance verify": that_verifies("https://slsa.dev/provenance/v1"),
    "release create": of_an_image("--policy open.yaml")
    | {
        3: [Situation("--policy closed.yaml --image {image}", "scan.failOn: high forbids 1 finding")],
        4: [
            Situation("--policy open.yaml --image {lying} --artifacts elsewhere", "has other content"),
            Situation("--policy other.yaml --image {image}", "not there, or not by this key"),
        ],
    },
    "config show": {0: [Situation("--stack web")], 2: [Situation("--file broken.yaml", "security.scan.failOm")]},
    "config validate": {0: [Situation("--stack web")], 2: [Situation("--file broken.yaml", "security.scan.failOm")]},
    "config schema": {0: [Situation("")], 2: [Situation("--no-such-flag", "--no-such-flag")]},
    "changes": {
        0: [Situation("--preview preview.json"), Situation("", stdin="preview.json")],
        2: [Situation("--preview cosign.pub", "--preview")],
    },
    "report": {
        0: [Situation("--stack-state state.json"), Situation("--scan scan.json"), Situation("", stdin="state.json")],
        2: [Situation("--stack-state cosign.pub", "--stack-state"), Situation("--scan cosign.pub", "--scan")],
        6: [Situation("--stack-state state.json --to cosign.key/x", "cosign.key")],
    },
    "drift": {
        0: [Situation("--stack-state state.json"), Situation("--stack-state -", stdin="state.json")],
        2: [Situation("--stack-state cosign.pub", "the stack's state")],
        4: [Situation("--stack-state gone.json", "drifted: 1 of 1 images")],
        5: [Situation("", "pulumi", NO_TOOLS)],
        6: [Situation("--stack-state down.json --timeout 20", "127.0.0.1:1")],
        7: [Situation("--stack-state denied.json", "401")],
    },
    "doctor": {
        0: [Situation("")],
        2: [Situation("--no-such-flag", "--no-such-flag")],
        5: [Situation("", "cosign", NO_TOOLS)],
        6: [Situation("--registry 127.0.0.1:1", "registry")],
        7: [Situation("--image {denied}", "registry")],
    },
}  # fmt: skip
TELLS_ALL_THE_SAME = {
    "config validate": {2},
    "drift": {4, 6, 7},
    "doctor": {5, 6, 7},
    "release create": {3, 4, 5, 6, 7},
}
"""Commands that print a result, and fail: with these codes."""

FREE = {"--artifacts", "--to", "--target", "--platform", "--build-arg-name", "--expected-digest"}
"""Options that take any text; `--expected-digest` is compared with what is there."""
BAD: dict[str, list[tuple[str, str]]] = {
    # option, or command and option: (what is wrong, what stderr says). `only …` replaces the command's own flags.
    "--attestation": [("--attestation nonsense", "slsaprovenance1")],
    "--build-arg": [("--build-arg VERSION", "NAME=VALUE"), ("--build-arg 'a b=c'", "NAME=VALUE")],
    "--builder": [("--builder kaniko", "docker-build")],
    "--builder-id": [("--builder-id 'not a URI'", "not a URI"), ("--builder-id https://u:p@b.example", "not a URI")],
    "image verify --builder-id": [("--builder-id ' '", "not a URI")],
    "provenance verify --builder-id": [("--builder-id ' '", "not a URI")],
    "--certificate-oidc-issuer": [("--certificate-oidc-issuer https://i.example", "--certificate-identity-regexp")],
    "--certificate-identity-regexp": [("--certificate-identity-regexp x", "--certificate-oidc-issuer")],
    "--context": [("--context none", "no such folder")],
    "--dockerfile": [("--dockerfile none", "no such file")],
    "--environment": [("--environment 'a b'", "64 letters"), (f"--environment {'x' * 65}", "64 letters")],
    "--epss-above": [("--epss-above 1", "range"), ("--epss-above nan", "--epss-above"), ("--epss-above x", "x")],
    "--fail-on": [("--fail-on none", "critical")],
    "--file": [("only --file none.yaml", "none.yaml: No such file"), ("--file closed.yaml", "either --stack")],
    "--finished-on": [("--finished-on 2026-11-25", "zone"), ("--finished-on 2999-01-01T00:00:00Z", "in the future")],
    "--format": [("--format xml", "cyclonedx-json")],
    "--fulcio-url": [("--fulcio-url nonsense", "--fulcio-url")],
    "--ignore": [
        ("--ignore CVE-1", "--ignore"),
        ("--ignore 'CVE-2023-30608 until 2027-02-30: x'", "--ignore"),
        ("--ignore 'CVE-2023-30608 until 2027-01-01:'", "--ignore"),
    ],
    "--image": [
        ("--image debian", "crane digest"),
        ("--image app@sha256:0", "--image"),
        ("--image app@md5:0123", "--image"),
        ("--image ''", "--image"),
        ("--image '-x@sha256:0'", "--image"),
    ],
    "--key": [
        ("--key none.key", "none.key: No such file"),
        ("--key env://NONE", "NONE isn't set"),
        ("--key ftp://key", "unknown kind of address"),
        ("--key awskms://x", "awskms://"),
        ("--key open.yaml", "neither a private nor a public key"),
    ],
    "--max-database-age": [("--max-database-age soon", "120h"), ("--max-database-age -1h", "120h")],
    "--oidc-issuer": [("--oidc-issuer nonsense", "--oidc-issuer")],
    "--output": [("--output xml", "json")],
    "--password-env": [("--password-env NONE", "NONE"), ("--password-env 'a b'", "a b")],
    "--policy": [("--policy none.yaml", "none.yaml"), ("--policy broken.yaml", "security.scan.failOm")],
    "changes --policy": [("--policy open.yaml", "give both")],
    "--policy-before": [
        ("--policy-before open.yaml", "give both"),
        ("--policy open.yaml --policy-before broken.yaml", "security.scan.failOm"),
    ],
    "--preview": [("--preview none.json", "none.json")],
    "doctor --image": [("--image ''", "--image"), ("--image '-x@sha256:0'", "--image")],
    "doctor --policy": [("--policy none.yaml --stack s", "either --stack")],
    "doctor --registry": [("--registry 'a b'", "--registry"), ("--registry r.example --image r.example/x", "either")],
    # A policy that isn't one is a line of what doctor finds.
    "doctor --registry-username-env": [("--registry-username-env NONE", "go together")],
    "doctor --stack": [("--stack s --policy open.yaml", "either --stack")],
    "--registry-config": [("--registry-config open.yaml", "others can read or write it")],
    "--registry-password-env": [("--registry-password-env NONE", "go together")],
    "--registry-username-env": [
        ("--registry-username-env NONE", "go together"),
        ("--registry-username-env NONE --registry-password-env MISSING", "NONE and MISSING not set"),
    ],
    "--rekor-url": [("--rekor-url nonsense", "--rekor-url")],
    "--retry-attempts": [("--retry-attempts 0", "range"), ("--retry-attempts 11", "range")],
    "--retry-base-delay": [("--retry-base-delay -1", "range"), ("--retry-base-delay 61", "range")],
    "--save": [
        ("--save /x.json", "relative"),
        ("--save ../x.json", "relative"),
        ("--save cosign.key/x", "cosign.key/x: Not a directory"),
    ],
    "--sbom": [("--sbom none.json", "none.json: No such file")],
    "--sbom-format": [("--sbom-format xml", "cyclonedx-json")],
    "--scan": [("--scan none.json", "none.json")],
    "--signature-format": [("--signature-format cosign", "legacy")],
    "--signing-config": [
        ("--signing-config none.json", "--trusted-root: missing"),
        ("--signing-config none.json --trusted-root open.yaml", "--signing-config none.json: No such file"),
        ("--signing-config open.yaml --trusted-root open.yaml", "not a Sigstore signing configuration"),
    ],
    "--source-commit": [("--source-commit main", "--source-commit")],
    "--source-uri": [("--source-uri nonsense", "--source-uri")],
    "--stack": [("only --stack ../web", "stack"), ("only --stack none", "none")],
    "drift --stack": [("only --stack none", "pulumi"), ("--stack none", "exclude each other")],
    "release create --stack": [("--stack web", "either --stack")],
    "--stack-state": [("--stack-state none.json", "none.json")],
    "--started-on": [
        ("--started-on yesterday", "zone"),
        ("--started-on 2026-01-02T00:00:00Z --finished-on 2026-01-01T00:00:00Z", "later than --finished-on"),
    ],
    "--timeout": [("--timeout 0", "range"), ("--timeout 86401", "range"), ("--timeout nan", "--timeout")],
    "--tool": [("--tool nmap", "nmap")],
    "--tool-fail-on": [("--tool-fail-on nmap=high", "grype"), ("--tool-fail-on grype", "grype")],
    "--tool-optional": [("--tool-optional nmap", "nmap")],
    "--tool-warn-on": [("--tool-warn-on grype=none", "critical")],
    "--trusted-root": [("--trusted-root none.json", "--trusted-root")],
    "--tsa-url": [("--tsa-url nonsense", "--tsa-url")],
    "--vex": [("--vex none.json", "none.json: No such file"), ("--vex open.yaml", "--vex open.yaml")],
    "--warn-on": [("--warn-on none", "critical")],
}  # fmt: skip
"""Ways to be wrong, of each option that doesn't take any text: each is refused before anything is done."""
