"""Reads certificate requests: of what they hold only the public key counts."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from hub.fleet.errors import RequestUnfit

LONGEST = 4096
"""Characters of a request in PEM; one for a P-256 key has about 400."""
SEND_AGAIN = "make a P-256 key on the device and send a PKCS 10 request for it, signed with it, in PEM"


def requested_key(csr: str) -> EllipticCurvePublicKey:
    """The public key for which a certificate is wanted; names and extensions in the request are ignored.

    Raises:
        RequestUnfit: it is too long, no request, not signed by its own key, or its key is not P-256.
    """
    if len(csr) > LONGEST:
        raise RequestUnfit(f"the certificate request has {len(csr)} characters; {LONGEST} are enough", SEND_AGAIN)
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        key = request.public_key()
        signed = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RequestUnfit("this is no certificate request that can be read", SEND_AGAIN) from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise RequestUnfit("the certificate request is for a key that is not P-256", SEND_AGAIN)
    if not signed:
        raise RequestUnfit("the certificate request is not signed by the key that it names", SEND_AGAIN)
    return key
