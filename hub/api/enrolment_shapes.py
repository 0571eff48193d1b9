"""What the routes of enrolment, renewal and claims take and give."""

from pydantic import Field

from contract.model import DeviceId, RoomId
from hub.api.shapes import MqttAddress, Shape


class EnrolmentIn(Shape):
    """A machine that shows a claim code."""

    code: str = Field(max_length=200, description="The claim code; case, spaces and hyphens do not matter.")
    csr: str = Field(description="PKCS 10 request, PEM, for the device's P-256 key; names in it are ignored.")
    machine: str = Field("", max_length=64, description="Fingerprint of the machine, by which a copied disk shows.")


class Enrolled(Shape):
    """What a device is from now on, and what it must keep."""

    device: DeviceId
    room: RoomId
    name: str
    school: str
    hub_public_key: str = Field(description="Ed25519 public key, PEM; orders and receipts are signed with it.")
    certificate: str = Field(description="Client certificate for the broker, then its intermediates, PEM; 30 days.")
    ca: str = Field(description="Certificates that the broker's certificate is checked against, PEM.")
    mqtt: MqttAddress


class Waiting(Shape):
    """The code is good, and an operator must confirm its first use; ask again with the same key."""

    words: str


class RenewalIn(Shape):
    """A device that wants a new certificate."""

    csr: str = Field(description="PKCS 10 request, PEM, for the key that the hub knows this device by.")


class Renewed(Shape):
    """A new certificate."""

    certificate: str = Field(description="Client certificate, then its intermediates, PEM.")
    ca: str = Field(description="Certificates that the broker's certificate is checked against, PEM.")


class ClaimIn(Shape):
    """A claim code to be made for a room."""

    school: str = Field(min_length=1, max_length=100)
    room: RoomId
    name: str = Field("", max_length=100, description="Name of the room as people call it.")
    confirm: bool = Field(False, description="Whether an operator must confirm the first use; then it lives 14 days.")


class ClaimMade(Shape):
    """A new claim code; it is shown this once."""

    code: str
    room: RoomId
    expires: float = Field(description="Seconds of hub UTC.")
    hub: str = Field(description="URL of the hub, for the machine.")
    hub_key: str = Field(description="SHA-256 of the hub's public key (DER), hexadecimal.")
    ticket: str = Field(description="All of it in one text, as the QR code holds it.")
