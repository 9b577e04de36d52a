"""The public key of a pair: derived once on a machine, and never taken for another's."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from sc_secure.errors import ConfigError
from sc_secure.tools.key import Key
from sc_secure.tools.public_key import PublicKeys

PEM = b"-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"


class Derive:
    """In the place of cosign: the public key is made of the private one's content."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, key: Key) -> bytes:
        self.asked.append(key.reference)
        return PEM % str(len(self.asked)).encode()


@pytest.fixture
def derive() -> Derive:
    return Derive()


@pytest.fixture
def private(tmp_path: Path) -> Key:
    (tmp_path / "cosign.key").write_bytes(b"one")
    return Key(str(tmp_path / "cosign.key"), public=False)


def read(key: Key, derive: Derive, cache: Path) -> bytes:
    """As a run of its own does."""
    run = cache.parent / f"run-{len(list(cache.parent.iterdir()))}"
    run.mkdir()
    keys = PublicKeys({"SC_SECURE_CACHE": str(cache)}, run)
    assert keys.file(key, derive) == keys.file(key, derive)
    return keys.file(key, derive).read_bytes()


def test_it_is_derived_once_for_all_runs(private: Key, derive: Derive, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert [read(private, derive, cache) for _ in range(2)] == [PEM % b"1"] * 2
    (kept,) = (cache / "public-keys").iterdir()
    assert kept.name == hashlib.sha256(b"one").hexdigest()
    Path(private.reference).write_bytes(b"two")
    assert [read(private, derive, cache) for _ in range(2)] == [PEM % b"2"] * 2, "another pair at the same path"
    in_variable = Key("env://KEY", public=False, environment={"KEY": "one"})
    assert read(in_variable, derive, cache) == PEM % b"1"
    assert len(derive.asked) == 2


@pytest.mark.parametrize("rubbish", [b"", PEM[:40], b"x" + PEM])
def test_what_was_kept_and_is_no_key_is_derived_anew(
    private: Key, derive: Derive, tmp_path: Path, rubbish: bytes
) -> None:
    cache = tmp_path / "cache"
    read(private, derive, cache)
    (kept,) = (cache / "public-keys").iterdir()
    kept.write_bytes(rubbish)
    assert read(private, derive, cache) == PEM % b"2"
    assert kept.read_bytes() == PEM % b"2"


@pytest.mark.parametrize("reference", ["awskms:///alias/x", "pkcs11:token=x", "gone.key"])
def test_a_key_that_a_service_holds_is_asked_for_in_each_run(reference: str, derive: Derive, tmp_path: Path) -> None:
    cache, key = tmp_path / "cache", Key(reference, public=False)
    assert [read(key, derive, cache) for _ in range(2)] == [PEM % b"1", PEM % b"2"]
    assert not (cache / "public-keys").exists()


def test_a_public_key_is_itself(private: Key, derive: Derive, tmp_path: Path) -> None:
    (tmp_path / "cosign.pub").write_bytes(PEM % b"given")
    public = replace(private, reference=str(tmp_path / "cosign.pub"), public=True)
    assert read(public, derive, tmp_path / "cache") == PEM % b"given"
    held = Key("env://KEY", public=True, environment={"KEY": "in a variable"})
    assert read(held, derive, tmp_path / "cache") == b"in a variable"
    assert derive.asked == []


def test_what_cannot_be_derived_is_told_each_time(private: Key, tmp_path: Path) -> None:
    def refuse(key: Key) -> bytes:
        raise ConfigError(f"--key {key.reference}: its password is wrong")

    keys = PublicKeys({"SC_SECURE_CACHE": str(tmp_path / "cache")}, tmp_path)
    for _ in range(2):
        with pytest.raises(ConfigError, match="its password is wrong"):
            keys.file(private, refuse)


def test_a_cache_that_cannot_be_written_costs_time_alone(private: Key, derive: Derive, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file")
    assert [read(private, derive, cache) for _ in range(2)] == [PEM % b"1", PEM % b"2"]
