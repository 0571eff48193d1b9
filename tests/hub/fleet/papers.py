"""Certificate requests as machines send them, and whether two sides trust each other over TLS."""

import ssl
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID


def request(key: object, name: str = "whoever") -> str:
    """A request for `key`, PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: object) -> str:
    pkcs8 = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption()).decode()


def _context(folder: Path, side: int, trust: str, own: tuple[str, object] | None, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    (folder / f"{name}.trust.pem").write_text(trust)
    context.load_verify_locations(folder / f"{name}.trust.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    if own is not None:
        (folder / f"{name}.pem").write_text(own[0])
        (folder / f"{name}.key").write_text(key_pem(own[1]))
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def meet(folder: Path, trust: str, server: tuple[str, object], client: tuple[str, object] | None, **how: object) -> str:
    """Shake hands over TLS in memory; the client's common name, as the server sees it.

    Args:
        folder: for files.
        trust: certificates that both trust, PEM.
        server: certificate and key.
        client: the same, or None for a client without.
        how: `host`, by which the client knows the server; `crl`, the server's list of revoked certificates.

    Raises:
        ssl.SSLError: one of them does not trust the other.
    """
    for_server = _context(folder, ssl.PROTOCOL_TLS_SERVER, trust, server, "server")
    if crl := how.get("crl"):
        (folder / "crl.pem").write_bytes(crl)
        for_server.load_verify_locations(folder / "crl.pem")
        for_server.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    for_client = _context(folder, ssl.PROTOCOL_TLS_CLIENT, trust, client, "client")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    host = for_client.wrap_bio(down, up, server_hostname=how.get("host", "127.0.0.1"))
    guest = for_server.wrap_bio(up, down, server_side=True)
    for _ in range(10):
        for side in (host, guest):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    subject = dict(part for rdn in guest.getpeercert()["subject"] for part in rdn)
    return subject["commonName"]
