"""The environment that a program gets: what it needs, and nothing more, so that no secret meets a tool by accident.

Settings that would change a scan behind our back (`GRYPE_ONLY_FIXED`, `SYFT_EXCLUDE`, …) don't pass either.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_ALWAYS = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LC_ALL",
        "TZ",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
# Registry credentials: docker's config and its helpers, which use the ambient cloud identity.
_REGISTRY = ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "GCE_METADATA_HOST")
_PER_TOOL: dict[str, tuple[str, ...]] = {
    "syft": (*_REGISTRY, "SYFT_REGISTRY_"),
    # Where the database is and comes from; not the switches that accept an old or damaged one.
    "grype": ("GRYPE_DB_CACHE_DIR", "GRYPE_DB_AUTO_UPDATE", "GRYPE_DB_UPDATE_URL", "GRYPE_DB_CA_CERT"),
    "trivy": (
        *_REGISTRY,
        "TRIVY_CACHE_DIR",
        "TRIVY_DB_REPOSITORY",
        "TRIVY_JAVA_DB_REPOSITORY",
        "TRIVY_NON_SSL",
        "TRIVY_SKIP_DB_UPDATE",
        "TRIVY_SKIP_JAVA_DB_UPDATE",
    ),
    "cosign": (*_REGISTRY, "VAULT_", "KUBECONFIG", "TRANSIT_", "COSIGN_PKCS11_", "COSIGN_REPOSITORY"),
    "git": ("GIT_CONFIG_", "GIT_CEILING_DIRECTORIES"),
    "docker": ("DOCKER_",),
    "docker-credential": (*_REGISTRY, "GNUPGHOME", "PASSWORD_STORE_DIR", "DBUS_SESSION_BUS_ADDRESS"),
}


def environment_for(tool: str, environ: Mapping[str, str], temp: Path, **extra: str) -> dict[str, str]:
    """The whole environment of one program.

    Args:
        tool: a name of the list in this module: `syft`, `grype`, `trivy`, `cosign`, `git`, `docker`
            or `docker-credential`.
        environ: ours.
        temp: the folder for its temporary files.
        extra: what it gets besides.
    """
    prefixes = _PER_TOOL[tool]
    passed = {name: value for name, value in environ.items() if name in _ALWAYS or name.startswith(prefixes)}
    return {**passed, "TMPDIR": str(temp), **extra}
