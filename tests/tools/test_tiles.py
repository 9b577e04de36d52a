"""Proofs made of a log's tiles: against RFC 6962's own definitions, and what is wrong with tiles. Real logs are in
tests/steps/test_rekor_v2.py."""

import base64
import hashlib

import pytest

from sc_secure.tools.tiles import Checkpoint, inclusion_proof, parse_checkpoint

WIDTH = 256


def leaves(size: int) -> list[bytes]:
    return [hashlib.sha256(b"\0%d" % number).digest() for number in range(size)]


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def root_from(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that a proof comes to: RFC 9162, 2.1.3.2."""
    node, last, found = index, size - 1, leaf
    for each in path:
        if node & 1 or node == last:
            found = hashlib.sha256(b"\1" + each + found).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + each).digest()
        node, last = node >> 1, last >> 1
    assert last == 0
    return found


def published(hashes: list[bytes]) -> dict[str, bytes]:
    """The tiles of a log, as c2sp.org/tlog-tiles lays them out."""
    tiles: dict[str, bytes] = {}
    level = 0
    while hashes:
        for number in range((len(hashes) + WIDTH - 1) // WIDTH):
            part = hashes[number * WIDTH : (number + 1) * WIDTH]
            name = f"x{number // 1000:03}/{number % 1000:03}" if number >= 1000 else f"{number:03}"
            whole = len(part) == WIDTH
            tiles[f"tile/{level}/{name}" + ("" if whole else f".p/{len(part)}")] = b"".join(part)
        hashes = [mth(hashes[at : at + WIDTH]) for at in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        level += 1
    return tiles


def checkpoint(hashes: list[bytes], root: bytes | None = None) -> Checkpoint:
    return Checkpoint("", len(hashes), root or mth(hashes), frozenset())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 1000, 256 * 256 + 300])
def test_a_proof_comes_to_the_root(size: int) -> None:
    hashes = leaves(size)
    tiles, known = published(hashes), checkpoint(hashes)
    for index in {0, 1, size // 3, size // 2, size - 2, size - 1} & set(range(size)):
        proof = inclusion_proof(index, known, tiles.get)
        assert proof.leaf == hashes[index]
        assert root_from(index, size, proof.leaf, proof.hashes) == known.root


def test_tiles_beyond_a_thousand_have_longer_paths() -> None:
    hashes = leaves(256 * 1001 + 5)
    tiles = published(hashes)
    asked: list[str] = []

    def read(path: str) -> bytes | None:
        asked.append(path)
        return tiles.get(path)

    inclusion_proof(256 * 1000 + 7, checkpoint(hashes), read)
    assert "tile/0/x001/000" in asked
    assert "tile/0/x001/001.p/5" in asked


def test_a_part_that_has_grown_to_a_whole_tile_is_read_there() -> None:
    hashes = leaves(300)
    known, tiles = checkpoint(hashes[:290]), published(leaves(512)) | {"tile/1/000.p/1": mth(hashes[:256])}
    assert "tile/0/001.p/34" not in tiles
    proof = inclusion_proof(288, known, tiles.get)
    assert root_from(288, 290, proof.leaf, proof.hashes) == known.root


def test_what_does_not_fit_is_refused() -> None:
    hashes = leaves(300)
    tiles, known = published(hashes), checkpoint(hashes)
    for index in (-1, 300, 10**6):
        with pytest.raises(ValueError, match="hasn't grown"):
            inclusion_proof(index, known, tiles.get)
    with pytest.raises(ValueError, match="don't fit"):
        inclusion_proof(5, checkpoint(hashes, bytes(32)), tiles.get)
    for path in tiles.keys() - {"tile/0/000"}:  # of which the level above says all
        for wrong in (tiles[path][:-1], tiles[path] + b"x", b""):
            with pytest.raises(ValueError, match="of another size"):
                inclusion_proof(290, known, {**tiles, path: wrong}.get)
        with pytest.raises(ValueError, match="a tile is missing"):
            inclusion_proof(290, known, {name: tile for name, tile in tiles.items() if name != path}.get)
    changed = bytes(32) + tiles["tile/0/000"][32:]
    with pytest.raises(ValueError, match="don't fit"):
        inclusion_proof(1, known, {**tiles, "tile/0/000": changed, "tile/1/000.p/1": bytes(32)}.get)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


ROOT, SIGNED = encoded(bytes(32)), encoded(b"name" + b"signature")


def test_a_checkpoint() -> None:
    text = f"log.test\n7\n{ROOT}\nmore\n\n— log.test {SIGNED}\n— witness.test {encoded(b'othe' + b'r')}\n"
    assert parse_checkpoint(text.encode()) == Checkpoint(text, 7, bytes(32), frozenset({b"name", b"othe"}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log.test\n7\n",
        f"log.test\n7\n{ROOT}\n",
        f"log.test\n7\n{ROOT}\n\n",
        f"log.test\n-7\n{ROOT}\n\n— log.test {SIGNED}\n",
        f"log.test\n\u0667\n{ROOT}\n\n— log.test {SIGNED}\n",
        f"log.test\n{2**63}\n{ROOT}\n\n— log.test {SIGNED}\n",
        f"log.test\n7\n***\n\n— log.test {SIGNED}\n",
        f"log.test\n7\n{ROOT}\n\n— log.test\n",
        f"log.test\n7\n{ROOT}\n\n— log.test ***\n",
        "<html>\n\n<body>",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(ValueError):
        parse_checkpoint(text.encode())
