"""What mosquitto is told: open to all on loopback, or closed to whoever has no certificate of ours."""

from dataclasses import dataclass
from pathlib import PurePath

COMMON = """# Written by the hub{when}; changes are lost.
{user}
persistence false
connection_messages false
log_dest stderr
log_type error
log_type warning
set_tcp_nodelay true
max_inflight_messages 200
max_queued_messages 20000
message_size_limit 1048576
retain_available true
"""
# No persistence: after a crash of the broker every client tells its presence anew, while
# a kept "online" of a device that died meanwhile would stay for ever.

PLAIN = """
listener {at}
allow_anonymous true
"""

GUARD = """
allow_anonymous false
plugin {plugin}
plugin_opt_config_file {rules}
"""

LISTENER = """
listener {at}
cafile {files.ca}
certfile {files.certificate}
keyfile {files.key}
crlfile {files.crl}
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
"""
OWN_ID = "use_username_as_clientid true\n"
"""Nobody takes another's place by its client id."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where mosquitto reads what TLS needs."""

    ca: PurePath
    certificate: PurePath
    key: PurePath
    crl: PurePath
    rules: PurePath
    """`dynamic-security.json`; the plugin writes it too."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener listens; an empty host means everywhere."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.port} {self.host}".rstrip()


def plain(at: Address, user: str | None) -> str:
    """Open to everybody who reaches `at`.

    Args:
        at: where to listen.
        user: the account to run as; None leaves that to mosquitto.
    """
    return _common(user, " at each start") + PLAIN.format(at=at)


def guarded(devices: Address, hub: Address | None, files: Files, plugin: PurePath, user: str | None, when: str) -> str:
    """TLS with client certificates, and the rules of the dynamic-security plugin.

    Args:
        devices: where devices dial; the client id is then the certificate's name.
        hub: where the hub dials, with client ids of its choice; None where it dials the devices' listener,
            on which client ids are free then.
        files: certificates and rules.
        plugin: the dynamic-security plugin.
        user: the account to run as; None leaves that to mosquitto.
        when: says in the file when it was written.
    """
    text = _common(user, when) + GUARD.format(plugin=plugin, rules=files.rules)
    if hub is None:
        return text + LISTENER.format(at=devices, files=files)
    # The hub's first: they open in this order, and whoever waits for the devices' may dial the hub's.
    text += LISTENER.format(at=hub, files=files)
    return text + LISTENER.format(at=devices, files=files) + OWN_ID


def _common(user: str | None, when: str) -> str:
    # Started as root it would change to its own account and lose sight of our folder.
    return COMMON.format(when=when, user=f"user {user}" if user else "")
