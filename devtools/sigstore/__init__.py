"""A whole Sigstore on loopback: who somebody is, a certificate that says so, and logs and a clock that witness it.

Fulcio (certificates), a certificate-transparency log and Rekor (the transparency log) are the real ones; the OIDC
issuer and the timestamp authority are small ones of our own. For tests and trials: keys are made anew for each Sigstore
and protect nothing.
"""
