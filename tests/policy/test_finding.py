"""Findings of several scanners become one list: each vulnerability once per package and version."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc_secure.policy.decision import Policy, decide
from sc_secure.policy.finding import Finding, Source, merge
from sc_secure.policy.severity import Severity

ONE = Finding(
    "GHSA-1",
    Severity.HIGH,
    "idna",
    "3.6",
    "python",
    aliases=("CVE-2024-1",),
    purl="pkg:pypi/idna@3.6",
    epss=0.1,
    sources=(Source("one", "GHSA-1", Severity.HIGH),),
)
TWO = Finding(
    "CVE-2024-1",
    Severity.CRITICAL,
    "IDNA",
    "3.6",
    "pip",
    fixed_in=("3.7",),
    purl="pkg:pypi/idna@3.6?from=two",
    known_exploited=True,
    epss=0.3,
    sources=(Source("two", "CVE-2024-1", Severity.CRITICAL),),
)


def test_aliases_are_one_and_the_strictest_of_everything_wins() -> None:
    for order in ([ONE, TWO], [TWO, ONE], [TWO, ONE, TWO]):
        (merged,) = merge(order)
        assert (merged.id, merged.severity, merged.aliases) == ("CVE-2024-1", Severity.CRITICAL, ("GHSA-1",))
        assert (merged.fixed_in, merged.known_exploited, merged.epss) == (("3.7",), True, 0.3)
        assert merged.sources == (*ONE.sources, *TWO.sources)
        assert (merged.purl, merged.other_purls) == (TWO.purl, (ONE.purl,))
        assert merge([merged]) == [merged]


def test_another_version_package_or_vulnerability_is_another_finding() -> None:
    others = [
        Finding("CVE-2024-1", Severity.LOW, "idna", "3.5", purl="pkg:pypi/idna@3.5"),
        Finding("CVE-2024-1", Severity.LOW, "idna", "3.6", purl="pkg:npm/idna@3.6"),
        Finding("CVE-2024-2", Severity.LOW, "idna", "3.6", purl="pkg:pypi/idna@3.6"),
        Finding("CVE-2024-1", Severity.LOW, "idna", "3.6", "deb"),
        Finding("CVE-2024-1", Severity.LOW, "idna", "3.5", "deb"),
    ]
    assert len(merge([ONE, *others])) == 6


def test_a_name_in_common_joins_what_had_none() -> None:
    a = Finding("GHSA-A", Severity.LOW, "p", "1")
    b = Finding("GHSA-B", Severity.HIGH, "p", "1")
    link = Finding("GHSA-A", Severity.MEDIUM, "p", "1", aliases=("GHSA-B",))
    for order in ([a, b, link], [link, b, a], [b, link, a]):
        (merged,) = merge(order)
        assert (merged.id, merged.aliases) == ("GHSA-B", ("GHSA-A",))


def test_an_advisory_of_several_cves_is_none_of_them() -> None:
    bundle = Finding("ALAS-1", Severity.HIGH, "p", "1", aliases=("CVE-2024-1", "CVE-2024-2"))
    assert bundle.names == ("ALAS-1",)
    assert len(merge([bundle, Finding("CVE-2024-1", Severity.LOW, "p", "1")])) == 2


def test_names_have_no_case() -> None:
    assert Finding("ghsa-Ab", Severity.LOW, "p", "1", aliases=("cve-1",)).names == ("GHSA-AB", "CVE-1")


def test_the_result_is_the_same_in_any_order() -> None:
    many = [
        Finding(f"CVE-{n % 7}", Severity(n % 6), f"p{n % 3}", "1", aliases=(f"GHSA-{n % 5}",), epss=n / 100)
        for n in range(60)
    ]
    expected = merge(many)
    for seed in range(5):
        random.Random(seed).shuffle(many)  # noqa: S311 - no secret
        assert merge(many) == expected


def test_of_two_ecosystems_one_comes_first() -> None:
    deb, npm = (Finding("CVE-1", Severity.LOW, "p", "1", kind) for kind in ("deb", "npm"))
    assert merge([npm, deb]) == merge([deb, npm]) == [deb, npm]


few = st.builds(
    Finding,
    id=st.sampled_from(["CVE-1", "GHSA-1", "cve-1", "ELSA-1"]),
    severity=st.sampled_from(Severity),
    package=st.sampled_from("pq"),
    version=st.sampled_from("12"),
    kind=st.sampled_from(["deb", "npm"]),
    aliases=st.lists(st.sampled_from(["CVE-1", "CVE-2", "GHSA-1", "GHSA-2"]), max_size=2, unique=True).map(tuple),
    purl=st.sampled_from(["", "pkg:x/p@1", "pkg:x/p@1?a"]),
    url=st.sampled_from("ab"),
)


@given(st.lists(few, max_size=12))
def test_what_is_merged_stays_as_it_is(findings: list[Finding]) -> None:
    """So that it needn't be done again before it is decided over."""
    merged = merge(findings)
    assert merge(merged) == merged
    assert [each.order for each in merged] == sorted(each.order for each in merged)
    assert len({each.order for each in merged}) == len(merged)
    assert [each.finding for each in decide(merged, Policy(Severity.HIGH)).decided] == merged


def test_what_is_not_said_is_empty() -> None:
    said_little = Finding("CVE-1", Severity.LOW, "p", "1")
    assert (said_little.kind, said_little.purl, said_little.url, said_little.aliases) == ("", "", "", ())
    assert said_little.place == ("/p", "1")
    assert said_little._replace(kind="deb").place == ("deb/p", "1")
    assert said_little._replace(purl="pkg:deb/p@1?arch=x#y").place == ("pkg:deb/p@1", "1")


@pytest.mark.parametrize(
    ("name", "aliases", "names"),
    [
        ("cve-1", (), ("CVE-1",)),
        ("GHSA-a", ("CVE-1",), ("GHSA-A", "CVE-1")),
        ("GHSA-a", ("ghsa-A", "CVE-1", "cve-1"), ("GHSA-A", "CVE-1")),
        ("CVE-1", ("GHSA-a", "GHSA-b"), ("CVE-1", "GHSA-A", "GHSA-B")),
        # an advisory of several is none of them
        ("GHSA-a", ("CVE-1", "CVE-2"), ("GHSA-A",)),
        ("CVE-1", ("CVE-2",), ("CVE-1",)),
        ("CVE-1", ("GHSA-a", "cve-2"), ("CVE-1",)),
    ],
)
def test_the_names_of_one_vulnerability(name: str, aliases: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert Finding(name, Severity.LOW, "p", "1", aliases=aliases).names == names


def test_every_name_and_package_url_of_what_is_joined_is_kept() -> None:
    one = Finding("CVE-1", Severity.LOW, "p", "1", aliases=("GHSA-a",), purl="pkg:x/p@1", other_purls=("pkg:x/p@1?a",))
    two = Finding("CVE-1", Severity.LOW, "p", "1", aliases=("GHSA-b",), purl="pkg:x/p@1?b", other_purls=("pkg:x/p@1",))
    (merged,) = merge([one, two])
    assert merged.aliases == ("GHSA-a", "GHSA-b")
    assert merged.other_purls == ("pkg:x/p@1?a", "pkg:x/p@1?b")
