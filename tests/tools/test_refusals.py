from sc_secure.tools.refusals import mismatches, reasons

IDENTITY = "failed to verify certificate identity: no matching CertificateIdentity found, last error: expected"
SAID = f"""WARNING: x
Error: no matching attestations: {IDENTITY} SAN value "7f3a", got "dev@acme.test"
{IDENTITY} SAN value "7f3a", got "it"s"
failed to verify log inclusion: not enough verified log entries from transparency log: 0 < 1
failed to verify leaf certificate: leaf certificate verification failed
something\x1b[31m new
error during command execution: no matching attestations: {IDENTITY} SAN value "7f3a", got "dev@acme.test"
{IDENTITY} SAN value "7f3a", got "it"s"
failed to verify log inclusion: not enough verified log entries from transparency log: 0 < 1
failed to verify leaf certificate: leaf certificate verification failed
something\x1b[31m new
"""


def test_who_signed_instead() -> None:
    assert mismatches(SAID, "SAN", "7f3a") == ["dev@acme.test", 'it"s']
    assert mismatches(SAID, "issuer", "7f3a") == []


def test_nobody_can_name_another_in_an_identity_of_their_own() -> None:
    forged = SAID.replace('it"s', f'x\n{IDENTITY} SAN value "guess", got "admin@acme.test')
    assert "admin@acme.test" not in mismatches(forged, "SAN", "7f3a")


def test_why_the_rest_is_refused() -> None:
    no_entry, no_authority, new = reasons(SAID)
    assert "without an entry in a transparency log" in no_entry
    assert "of no authority that is trusted" in no_authority
    assert new.endswith("something\\x1b[31m new")


def test_an_error_of_another_kind_says_nothing_of_bundles() -> None:
    assert reasons("Error: GET x: refused\nerror during command execution: GET x: refused\n") == []
    assert reasons("error during command execution: no matching attestations: \n") == []
