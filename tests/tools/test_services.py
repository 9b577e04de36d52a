"""cosign's flags for a Sigstore. What is refused is in tests/steps/test_sign_keyless.py, with real files."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from sc_secure.tools.services import Services, log_url, parse_services, witness_flags

KEY = b"a public key"
URLS = {"rekor_url": "https://r.test/", "tsa_url": "https://t.test"}


def root(folder: Path, *logs: tuple[str, bytes]) -> Path:
    """A trusted root with logs: a URL, and what the log is known by."""
    named = [
        {
            "baseUrl": url,
            "publicKey": {"rawBytes": base64.b64encode(KEY).decode()},
            "logId": {"keyId": base64.b64encode(name).decode()},
        }
        for url, name in logs
    ]
    file = folder / "root.json"
    media_type = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
    file.write_text(json.dumps({"mediaType": media_type, "tlogs": named}))
    return file


def created(folder: Path, trusted: Path) -> list[str]:
    """What `cosign signing-config create` is asked for, for a key with these services."""
    asked: list[str] = []
    said = {**URLS, "trusted_root": str(trusted)}
    services = parse_services(said, keyless=False, transparency_log=True)
    flags = witness_flags(services, folder, lambda words, _: asked.extend(words))
    assert flags == (f"--signing-config={folder}/signing-config-of-urls.json", f"--trusted-root={trusted}")
    return asked


V1, V2 = hashlib.sha256(KEY).digest(), b"origin and key"


@pytest.mark.parametrize(
    ("logs", "version"),
    [
        ([("https://r.test", V1)], 1),
        ([("https://r.test", V2)], 2),
        ([("https://other.test", V1), ("https://r.test", V2)], 2),
        ([("https://other.test", V2), ("https://r.test/", V1)], 1),
        ([("https://other.test", V2)], 2),
    ],
)
def test_the_trusted_root_says_which_rekor_it_is(tmp_path: Path, logs: list[tuple[str, bytes]], version: int) -> None:
    asked = created(tmp_path, root(tmp_path, *logs))
    (log,) = (word for word in asked if word.startswith("--rekor="))
    assert log.startswith(f"--rekor=url=https://r.test/,api-version={version},start-time=")
    assert any(word.startswith("--tsa=url=https://t.test,") for word in asked)
    assert not any(word.startswith("--fulcio") for word in asked)


def test_a_log_is_found_by_its_name(tmp_path: Path) -> None:
    trusted = root(tmp_path, ("https://other.test", V2), ("https://r.test/", V1), ("javascript:alert(1)", b"bad"))
    services = parse_services({**URLS, "trusted_root": str(trusted)}, keyless=False, transparency_log=True)
    assert log_url(services, V1.hex()) == "https://r.test"
    assert log_url(services, V2.hex()) == "https://other.test"
    for unknown in (b"bad".hex(), b"none".hex(), ""):
        assert log_url(services, unknown) == ""
    assert log_url(None, V1.hex()) == log_url(Services(), V1.hex()) == ""


def test_the_public_sigstore_has_no_flags(tmp_path: Path) -> None:
    assert parse_services({}, keyless=True, transparency_log=None) == Services()
    assert witness_flags(Services(), tmp_path, lambda *_: None) == ()
    assert parse_services({}, keyless=False, transparency_log=None) is None


def test_nobody_witnesses_a_key_alone(tmp_path: Path) -> None:
    config, trusted = (Path(flag.partition("=")[2]) for flag in witness_flags(None, tmp_path, lambda *_: None))
    for file in (config, trusted):
        assert list(json.loads(file.read_text())) == ["mediaType"]
