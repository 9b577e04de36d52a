"""Signs and attests without a key, by cosign itself: as somebody whom a local Sigstore's issuer vouches for."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sigstore.errors import VerificationError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy

from devtools.sigstore.services import Sigstore
from devtools.sigstore.tokens import Kind

DEV = "dev@acme.test"
WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
PIPELINE = "https://gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main"
_SERVICES = {"log": ("rekorTlogUrls", "rekorTlogConfig"), "timestamps": ("tsaUrls", "tsaConfig")}


def kind_of(identity: str) -> Kind:
    """The kind of issuer that gives out this identity."""
    if not identity.startswith("https:"):
        return "email"
    return "gitlab-pipeline" if identity.startswith("https://gitlab.com/") else "github-workflow"


def accepted_by_python(bundles: Iterable[Mapping[str, Any]], sigstore: Sigstore, identity: str) -> list[dict[str, Any]]:
    """The statements that sigstore-python, which no one here wrote, verifies in bundles as they are in the registry.

    It must refuse each for another identity. The very first entry of a log it refuses always, so that one is left out.
    """
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(sigstore.trusted_root)))
    issuer, found = sigstore.issuer(kind_of(identity)), list[dict[str, Any]]()
    for each in bundles:
        if not int(each["verificationMaterial"]["tlogEntries"][0].get("logIndex", 0)):
            continue
        bundle = Bundle.from_json(json.dumps(each))
        kind, payload = verifier.verify_dsse(bundle, policy.Identity(identity=identity, issuer=issuer))
        assert kind == "application/vnd.in-toto+json"
        found.append(json.loads(payload))
        for name, vouching in (("nobody@acme.test", issuer), (identity, f"{issuer}/x")):
            with pytest.raises(VerificationError):
                verifier.verify_dsse(bundle, policy.Identity(identity=name, issuer=vouching))
    return found


@dataclass(frozen=True)
class Keyless:
    """A local Sigstore, and who works with it."""

    sigstore: Sigstore
    env: Mapping[str, str]
    folder: Path
    """For files in passing."""

    def sign(self, image: str, identity: str = DEV, *, lacking: tuple[str, ...] = ()) -> None:
        """Sign an image; `lacking` names what isn't used for it: `log`, `timestamps`."""
        config = json.loads(self.sigstore.signing_config.read_text())
        for service in lacking:
            for member in _SERVICES[service]:
                del config[member]
        self._cosign("sign", image, identity, self._file("signing_config.json", config))

    def attest(self, image: str, kind: str, predicate: Mapping[str, Any], identity: str = DEV) -> None:
        about = (f"--type={kind}", f"--predicate={self._file('predicate.json', predicate)}")
        self._cosign("attest", image, identity, self.sigstore.signing_config, *about)

    def flags(self, identity: str = r"dev@acme\.test", kind: Kind = "email", trusted_root: Path | None = None) -> str:
        """The flags that verify by an identity, as words of a shell."""
        who = f"--certificate-identity-regexp '{identity}' --certificate-oidc-issuer {self.sigstore.issuer(kind)}"
        return f"{who} --trusted-root {trusted_root or self.sigstore.trusted_root}"

    def signer(self, identity: str = DEV, kind: Kind = "email") -> str:
        """What a failed verification says of who signed."""
        return f"signed by {identity} of the issuer {self.sigstore.issuer(kind)}"

    def _cosign(self, command: str, image: str, identity: str, config: Path, *more: str) -> None:
        token = self.sigstore.token(identity, kind_of(identity))
        services = [f"--signing-config={config}", f"--trusted-root={self.sigstore.trusted_root}"]
        words = ["cosign", command, *more, f"--identity-token={token}", *services, "--yes", image]
        done = subprocess.run(words, env=dict(self.env), check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def _file(self, name: str, content: Mapping[str, Any]) -> Path:
        file = self.folder / name
        file.write_text(json.dumps(content))
        return file
