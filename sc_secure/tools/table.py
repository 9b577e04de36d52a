"""The programs behind the steps: one table for `make tools`, `sc-secure doctor` and the check before each step.

Only the standard library is imported: `make tools` reads it before anything is installed.
"""

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["step", "scanner", "development", "sigstore", "test"]
"""`step`: a step runs it. `scanner`: a scan runs it where the policy names it, and whoever wants it installs it.
`development`: deploying, developing or trying this project needs it. `sigstore`: a part of the local Sigstore
(`devtools.sigstore`), built when one is first started. `test`: a test runs it, and has it built."""
ON_DEMAND: tuple[Purpose, ...] = ("scanner", "sigstore", "test")
"""What isn't built until something asks for it by name."""


@dataclass(frozen=True)
class Tool:
    """One program, as this project needs it."""

    name: str
    """The executable's name on PATH."""
    minimum: str
    """The oldest version that is accepted, as `X.Y.Z`."""
    pinned: str
    """The version that `make tools` builds and CI tests, as `X.Y.Z`."""
    module: str
    """The Go module that holds it."""
    package: str
    """The Go package to build."""
    version_args: tuple[str, ...]
    """What makes it print its version; empty where it has no such command and only its build information tells."""
    version_symbol: str = ""
    """`IMPORTPATH.VARIABLE=VALUE` set at build time, since a build from a module doesn't know its own version."""
    purpose: Purpose = "development"
    """What it's for."""
    pinned_in: str = ""
    """The folder of `devtools/` that pins its module; empty: the one of its own name."""

    @property
    def folder(self) -> str:
        """The folder of `devtools/` that pins its module."""
        return self.pinned_in or self.name


TOOLS: tuple[Tool, ...] = (
    Tool(
        name="pulumi",
        minimum="3.200.0",
        pinned="3.274.1",
        module="github.com/pulumi/pulumi/pkg/v3",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        version_args=("version",),
        version_symbol="github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.274.1",
    ),
    Tool(
        name="pulumi-language-python",
        minimum="3.79.0",
        pinned="3.79.0",
        module="github.com/pulumi/pulumi/sdk/v3",
        package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
        version_args=(),
    ),
    Tool(
        name="pulumi-language-yaml",
        minimum="1.20.0",
        pinned="1.25.0",
        module="github.com/pulumi/pulumi-yaml",
        package="github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
        version_args=(),
    ),
    Tool(
        name="cosign",
        minimum="3.1.0",
        pinned="3.1.3",
        module="github.com/sigstore/cosign/v3",
        package="github.com/sigstore/cosign/v3/cmd/cosign",
        version_args=("version",),
        version_symbol="sigs.k8s.io/release-utils/version.gitVersion=v3.1.3",
        purpose="step",
    ),
    Tool(
        name="syft",
        minimum="1.50.0",
        pinned="1.57.0",
        module="github.com/anchore/syft",
        package="github.com/anchore/syft/cmd/syft",
        version_args=("version",),
        version_symbol="main.version=1.57.0",
        purpose="step",
    ),
    Tool(
        name="grype",
        minimum="0.110.0",
        pinned="0.121.2",
        module="github.com/anchore/grype",
        package="github.com/anchore/grype/cmd/grype",
        version_args=("version",),
        version_symbol="main.version=0.121.2",
        purpose="step",
    ),
    Tool(
        name="crane",
        minimum="0.20.0",
        pinned="0.22.1",
        module="github.com/google/go-containerregistry",
        package="github.com/google/go-containerregistry/cmd/crane",
        version_args=("version",),
        version_symbol="github.com/google/go-containerregistry/cmd/crane/cmd.Version=v0.22.1",
    ),
    Tool(
        name="fulcio",
        minimum="1.8.0",
        pinned="1.8.8",
        module="github.com/sigstore/fulcio",
        package="github.com/sigstore/fulcio",
        version_args=("version",),
        purpose="sigstore",
    ),
    Tool(
        name="rekor-server-posix",
        minimum="2.3.0",
        pinned="2.3.0",
        module="github.com/sigstore/rekor-tiles/v2",
        package="github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix",
        version_args=("version",),
        purpose="sigstore",
    ),
    Tool(
        name="tesseract-posix",
        minimum="0.1.1",
        pinned="0.1.1",
        module="github.com/transparency-dev/tesseract",
        package="github.com/transparency-dev/tesseract/cmd/tesseract/posix",
        version_args=(),
        purpose="sigstore",
    ),
    *(
        Tool(
            name=name,
            minimum="1.7.0",
            pinned="1.7.3",
            module="github.com/google/trillian",
            package=f"github.com/google/trillian/cmd/{name}",
            version_args=(),
            purpose="test",
            pinned_in="trillian",
        )
        for name in ("trillian_log_server", "trillian_log_signer", "createtree")
    ),
    Tool(
        name="rekor-server",
        minimum="1.5.0",
        pinned="1.5.3",
        module="github.com/sigstore/rekor",
        package="github.com/sigstore/rekor/cmd/rekor-server",
        version_args=("version",),
        version_symbol="sigs.k8s.io/release-utils/version.gitVersion=v1.5.3",
        purpose="test",
    ),
    Tool(
        name="oci-registry",
        minimum="0.0.0",
        pinned="0.0.0",
        module="cuelabs.dev/go/oci/ociregistry",
        package="sc-secure.invalid/devtools/oci-registry",
        version_args=(),
        purpose="test",
    ),
    Tool(
        name="distribution",
        minimum="3.0.0",
        pinned="3.1.2",
        module="github.com/distribution/distribution/v3",
        package="github.com/distribution/distribution/v3/cmd/registry",
        version_args=(),
        purpose="test",
    ),
    Tool(
        name="trivy",
        minimum="0.69.0",
        pinned="0.74.0",
        module="github.com/aquasecurity/trivy",
        package="github.com/aquasecurity/trivy/cmd/trivy",
        version_args=("version",),
        version_symbol="github.com/aquasecurity/trivy/pkg/version/app.ver=0.74.0",
        purpose="scanner",
    ),
    Tool(
        name="actionlint",
        minimum="1.7.12",
        pinned="1.7.12",
        module="github.com/rhysd/actionlint",
        package="github.com/rhysd/actionlint/cmd/actionlint",
        version_args=("--version",),
        purpose="test",
    ),
    Tool(
        name="pulumi-sdk",
        minimum="3.269.0",
        pinned="3.274.1",
        module="github.com/pulumi/pulumi/pkg/v3",
        package="sc-secure.invalid/devtools/pulumi-sdk",
        version_args=(),
        purpose="test",
    ),
    Tool(
        name="pulumi-language-go",
        minimum="3.60.0",
        pinned="3.60.0",
        module="github.com/pulumi/pulumi/sdk/v3",
        package="github.com/pulumi/pulumi/sdk/v3/go/pulumi-language-go",
        version_args=(),
        purpose="test",
    ),
    Tool(
        name="pulumi-language-nodejs",
        minimum="3.68.0",
        pinned="3.68.0",
        module="github.com/pulumi/pulumi/sdk/v3",
        package="github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        version_args=(),
        purpose="test",
    ),
)


def tool(name: str) -> Tool:
    """The table's entry of that name.

    Raises:
        KeyError: there is none.
    """
    for entry in TOOLS:
        if entry.name == name:
            return entry
    raise KeyError(name)
