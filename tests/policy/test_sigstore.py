"""What is said together of a Sigstore, and what isn't one."""

import pytest

from sc_secure.policy.sigstore import SigstoreProblem, check, check_url

F, R, T = "https://fulcio.test", "https://rekor.test", "https://tsa.test"
ROOT = {"trusted_root": "root.json"}
FILE = {"signing_config": "config.json", **ROOT}


@pytest.mark.parametrize(
    ("said", "keyless", "log"),
    [
        ({}, True, None),
        ({}, True, True),
        ({}, False, None),
        ({}, False, True),
        ({"oidc_issuer": "https://issuer.test"}, True, None),
        (FILE, True, None),
        (FILE, True, False),
        (FILE, False, True),
        (FILE, False, False),
        ({"fulcio_url": F, "rekor_url": R, **ROOT}, True, None),
        ({"fulcio_url": F, "tsa_url": T, **ROOT}, True, False),
        ({"fulcio_url": F, "rekor_url": R, "tsa_url": T, **ROOT}, True, True),
        ({"rekor_url": R, **ROOT}, False, True),
        ({"tsa_url": T, **ROOT}, False, False),
        ({"fulcio_url": "", "rekor_url": None}, False, False),
    ],
)
def test_one_sigstore(said: dict[str, object], *, keyless: bool, log: bool | None) -> None:
    check(said, keyless=keyless, transparency_log=log)


@pytest.mark.parametrize(
    ("said", "keyless", "log", "key", "why"),
    [
        ({"fulcio_url": "nothing", **ROOT}, True, None, "fulcio_url", "https:// URL"),
        ({"oidc_issuer": "http://issuer.test"}, True, None, "oidc_issuer", "https:// URL"),
        ({**FILE, "rekor_url": R}, True, None, "rekor_url", "excludes signing_config"),
        ({**FILE, "tsa_url": T}, False, None, "tsa_url", "excludes signing_config"),
        ({"signing_config": "config.json"}, True, None, "trusted_root", "missing"),
        ({"fulcio_url": F, "rekor_url": R}, True, None, "trusted_root", "missing"),
        (ROOT, True, None, "trusted_root", "goes with signing_config"),
        (ROOT, False, True, "trusted_root", "goes with signing_config"),
        ({}, True, False, "transparency_log", "always logs"),
        ({"rekor_url": R, **ROOT}, True, None, "fulcio_url", "gives out the certificate"),
        ({"fulcio_url": F, **ROOT}, True, None, "rekor_url", "where the signature is logged"),
        ({"fulcio_url": F, "tsa_url": T, **ROOT}, True, True, "rekor_url", "where the signature is logged"),
        ({"fulcio_url": F, "rekor_url": R, **ROOT}, True, False, "rekor_url", "excludes transparency_log"),
        ({"fulcio_url": F, **ROOT}, True, False, "tsa_url", "a timestamp"),
        ({"fulcio_url": F, **ROOT}, False, None, "fulcio_url", "goes with keyless"),
        ({"oidc_issuer": F}, False, None, "oidc_issuer", "goes with keyless"),
        ({"rekor_url": R, **ROOT}, False, None, "rekor_url", "needs transparency_log"),
        ({"rekor_url": R, **ROOT}, False, False, "rekor_url", "needs transparency_log"),
        ({"tsa_url": T, **ROOT}, False, True, "rekor_url", "where the signature is logged"),
    ],
)
def test_what_is_none(said: dict[str, object], *, keyless: bool, log: bool | None, key: str, why: str) -> None:
    with pytest.raises(SigstoreProblem) as raised:
        check(said, keyless=keyless, transparency_log=log)
    assert raised.value.key == key
    assert why in raised.value.reason(str)


@pytest.mark.parametrize(
    "url",
    [
        F,
        "https://fulcio.test:8443/api",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:3000",
        "https://x.y/z+-",
    ],
)
def test_a_service_s_url(url: str) -> None:
    check_url("rekor_url", url)


@pytest.mark.parametrize(
    "url",
    [
        "http://rekor.test",
        "http://127.0.0.1.rekor.test",
        "http://10.0.0.1",
        "ftp://localhost",
        "https://",
        "rekor.test",
        "https://user@rekor.test",
        "https://:password@rekor.test",
        "https://rekor.test?a=b",
        "https://rekor.test#a",
        "https://rekor.test/a,b",
        "https://rekor.test/ä",
        "https://rekor.test/a b",
        "https://[::1",
        "https://rekor.test/" + "a" * 1000,
    ],
)
def test_what_is_no_service_s_url(url: str) -> None:
    with pytest.raises(SigstoreProblem) as raised:
        check_url("rekor_url", url)
    assert raised.value.key == "rekor_url"


def test_other_settings_are_named_as_they_are_written() -> None:
    problem = SigstoreProblem("a", "needs {one_thing}, without {the_other}")
    assert problem.reason(str.upper) == "needs ONE_THING, without THE_OTHER"
