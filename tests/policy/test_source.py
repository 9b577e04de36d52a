"""A repository by any of its addresses, and what names none."""

import pytest

from sc_secure.policy.source import check_builder, check_commit, check_source, place

SHOP = ("git.test", "acme/shop", "")


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("https://git.test/acme/shop", SHOP),
        ("https://git.test/acme/shop/", SHOP),
        ("https://GIT.test/acme/shop.git", SHOP),
        ("git+https://git.test/acme/shop.git", SHOP),
        ("git.test/acme/shop", SHOP),
        ("ssh://git@git.test/acme/shop.git", SHOP),
        ("git@git.test:acme/shop.git", SHOP),
        ("git@git.test:/acme/shop.git", SHOP),
        ("https://user:secret@git.test/acme/shop?x=y", SHOP),
        ("https://git.test:8443/acme/shop", ("git.test:8443", "acme/shop", "")),
        ("https://git.test/acme/shop@refs/heads/main", ("git.test", "acme/shop", "refs/heads/main")),
        ("git@git.test:acme/shop@refs/tags/v1", ("git.test", "acme/shop", "refs/tags/v1")),
        ("https://git.test:99999/acme/shop", ("", "", "")),
        ("https://[::1/acme/shop", ("", "", "")),
        ("", ("", "", "")),
    ],
)
def test_where_it_is(uri: str, where: tuple[str, str, str]) -> None:
    assert place(uri) == where


def test_another_host_path_or_port_is_another_place() -> None:
    uris = [
        "https://a.test/x/y",
        "https://b.test/x/y",
        "https://a.test/x/z",
        "https://a.test:1/x/y",
        "https://a.test/x",
    ]
    assert len({place(uri) for uri in uris}) == len(uris)


@pytest.mark.parametrize(
    "uri", ["", "https://", "https://git.test", "https://git.test/", "a b/c", "git.test/a\n/b", "https://git.test:x/a"]
)
def test_what_names_no_repository(uri: str) -> None:
    with pytest.raises(ValueError, match="names no repository"):
        check_source(uri)


def test_a_repository_stays_as_it_is_written() -> None:
    assert check_source("git@git.test:acme/shop") == "git@git.test:acme/shop"


@pytest.mark.parametrize("commit", ["a" * 40, "0" * 64])
def test_a_commit(commit: str) -> None:
    assert check_commit(commit) == commit


@pytest.mark.parametrize("commit", ["", "a" * 39, "a" * 41, "A" * 40, "g" * 40, "a" * 63, "a" * 40 + "\n"])
def test_a_part_of_a_commit_is_none(commit: str) -> None:
    with pytest.raises(ValueError, match="not a whole commit"):
        check_commit(commit)


def test_a_builder() -> None:
    assert check_builder("https://ci.test/b") == "https://ci.test/b"
    for nothing in ("", "  ", "a\nb", "a\x1b"):
        with pytest.raises(ValueError, match="not a URI"):
            check_builder(nothing)
