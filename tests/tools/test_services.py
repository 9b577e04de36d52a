"""cosign's flags for a Sigstore. What is refused is in tests/steps/test_sign_keyless.py, with real files."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from sc_secure.errors import ConfigError
from sc_secure.tools.services import (
    Services,
    Witnesses,
    check_form,
    log_url,
    parse_services,
    timestamp_url,
    witnesses,
)

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

    def create(words: list[str], file: Path) -> None:
        asked.extend(words)
        file.write_text("{}")

    config = folder / "signing-config-of-urls.json"
    flags = (f"--signing-config={config}", f"--trusted-root={trusted}")
    assert witnesses(services, folder, create, keyless=False).flags == flags
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
    assert witnesses(Services(), tmp_path, lambda *_: None, keyless=True) == Witnesses(())
    # cosign's own addresses then, whose log is a Rekor 1.
    older = witnesses(Services(), tmp_path, lambda *_: None, keyless=True, older=True)
    assert older == Witnesses(("--use-signing-config=false",))
    assert parse_services({}, keyless=False, transparency_log=None) is None


def test_nobody_witnesses_a_key_alone(tmp_path: Path) -> None:
    alone = witnesses(None, tmp_path, lambda *_: None, keyless=False)
    assert alone.logs == ()
    for file in (Path(flag.partition("=")[2]) for flag in alone.flags):
        assert list(json.loads(file.read_text())) == ["mediaType"]


def log(name: str, version: int = 1, start: str = "2020-01-01T00:00:00Z", **more: Any) -> dict[str, Any]:
    """A log of a signing configuration."""
    valid = {"start": start, **({"end": more.pop("end")} if "end" in more else {})}
    return {"url": f"https://{name}.test", "majorApiVersion": version, "validFor": valid, "operator": "a"} | more


ANY, ALL, ONE, TWO = {"selector": "ANY"}, {"selector": "ALL"}, *({"selector": "EXACT", "count": n} for n in (1, 2))
LATER = "2021-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("logs", "how", "asked"),
    [
        ([log("r")], ANY, ["r"]),
        ([log("r")], ALL, ["r"]),
        ([log("r")], ONE, ["r"]),
        ([log("r", 2)], ANY, ["r"]),
        # as cosign chooses: the newest of an operator that is valid
        ([log("new", start=LATER), log("old")], ANY, ["new"]),
        ([log("r"), log("gone", start=LATER, end="2021-02-01T00:00:00Z")], ALL, ["r"]),
        ([log("r"), log("to-come", start="9000-01-01T00:00:00Z")], ALL, ["r"]),
        ([log("r"), log("gone", 2, end="2021-02-01T00:00:00Z")], ANY, ["r"]),
        # those of the newest version alone
        ([log("r"), log("r2", 2)], ANY, ["r2"]),
        ([log("r", operator="b"), log("r2", 2)], ALL, ["r2"]),
        # several; of those that would do, always the same
        ([log("s", operator="b"), log("r")], ALL, ["r", "s"]),
        ([log("s", operator="b"), log("r")], TWO, ["r", "s"]),
        ([log("s", operator="b"), log("r")], ONE, ["r"]),
        ([log("s", operator="b"), log("r")], ANY, ["r"]),
        # cosign says what is wrong with it
        ([log("r")], TWO, []),
        ([log("r")], {"selector": "EXACT"}, []),
        ([log("r")], {"selector": "EXACT", "count": 0}, []),
        ([log("r")], {"selector": "SOME"}, []),
        ([log("r", 3)], ANY, []),
        ([log("r", end=LATER)], ANY, []),
        ([log("r", validFor={"start": "yesterday"})], ANY, []),
        ([{"url": "https://r.test"}], ANY, []),
        (["https://r.test"], ANY, []),
        ({}, ANY, []),
        ([log("r")], {}, []),
    ],
)
def test_the_logs_that_are_asked_by_us(tmp_path: Path, logs: object, how: object, asked: list[str]) -> None:
    config, trusted = tmp_path / "config.json", root(tmp_path, ("https://r.test", V1))
    others = {"mediaType": "m", "tsaUrls": [{}]}
    config.write_text(json.dumps({**others, "rekorTlogUrls": logs, "rekorTlogConfig": how}))
    found = witnesses(Services(trusted_root=trusted, signing_config=config), tmp_path, lambda *_: None, keyless=True)
    assert [each.url for each in found.logs] == [f"https://{name}.test" for name in asked]
    assert all(each.names == (V1,) for each in found.logs)
    assert found.flags[0] == f"--signing-config={config}"
    assert json.loads(Path(found.unlogged[0].removeprefix("--signing-config=")).read_text()) == others


@pytest.mark.parametrize(
    ("keyless", "timestamps", "version", "ours"),
    [(True, True, 2, 1), (True, False, 1, 1), (True, False, 2, 0), (False, False, 2, 1)],
)
def test_a_certificate_s_signature_needs_the_time_from_somebody(
    tmp_path: Path, *, keyless: bool, timestamps: bool, version: int, ours: int
) -> None:
    config = tmp_path / "config.json"
    used = {"rekorTlogUrls": [log("r", version)], "rekorTlogConfig": ANY}
    config.write_text(json.dumps({**used, **({"tsaUrls": [{}]} if timestamps else {})}))
    services = Services(trusted_root=root(tmp_path), signing_config=config)
    assert len(witnesses(services, tmp_path, lambda *_: None, keyless=keyless).logs) == ours


def configured(folder: Path, **services: object) -> Services:
    """A Sigstore of a signing configuration's file."""
    (folder / "config.json").write_text(json.dumps(services))
    return Services(signing_config=folder / "config.json", trusted_root=root(folder, ("https://r.test", V1)))


def service(url: str, version: object) -> dict[str, object]:
    return {"url": url, "majorApiVersion": version}


FIRST, SECOND = service("https://one.test", 1), service("https://two.test", 2)


@pytest.mark.parametrize("form", ["legacy", "both"])
def test_the_older_form_holds_a_rekor_1_alone(tmp_path: Path, form: Any) -> None:
    def refused(services: Services) -> None:
        with pytest.raises(ConfigError, match=f"^--form: {form} keeps entries of a Rekor 1 alone"):
            check_form(form, services, "--form")
        check_form("bundle", services, "--form")

    refused(Services(rekor_url="https://r.test", trusted_root=root(tmp_path, ("https://r.test", V2))))
    for logs in ([SECOND], [], "x", 3, None, [1], [service("https://one.test", "1")]):
        refused(configured(tmp_path, rekorTlogUrls=logs))
    first = Services(rekor_url="https://r.test", trusted_root=root(tmp_path, ("https://r.test", V1)))
    without = Services(transparency_log=False, tsa_url="https://t.test", trusted_root=tmp_path)
    for services in (None, Services(), first, without, configured(tmp_path, rekorTlogUrls=[SECOND, FIRST])):
        check_form(form, services, "--form")


def test_the_older_form_is_logged_in_the_rekor_1_of_a_configuration(tmp_path: Path) -> None:
    services = configured(tmp_path, rekorTlogUrls=[SECOND, FIRST], caUrls=[FIRST])
    found = witnesses(services, tmp_path, lambda *_: None, keyless=True, older=True)
    assert not found.logs
    config = Path(found.flags[0].removeprefix("--signing-config="))
    assert json.loads(config.read_text()) == {"rekorTlogUrls": [FIRST], "caUrls": [FIRST]}


def test_the_timestamp_authority(tmp_path: Path) -> None:
    assert timestamp_url(None) == timestamp_url(Services()) == timestamp_url(configured(tmp_path)) == ""
    assert timestamp_url(Services(tsa_url="https://t.test")) == "https://t.test"
    assert timestamp_url(configured(tmp_path, tsaUrls=[SECOND, FIRST])) == "https://one.test"
