"""`tongtang hub broker-config`."""

import datetime as dt
import json
import time
from pathlib import Path
from typing import Annotated

import typer

from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.errors import HubRefused


def broker_config(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")],
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    at: Annotated[
        str, typer.Option(help="Folder in which these files will lie on the broker's machine.", show_default="--out")
    ] = "",
    plugin: Annotated[
        str, typer.Option(help="mosquitto's dynamic-security plugin on that machine.", show_default="Debian's")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Write what a mosquitto that someone else runs needs to be this hub's broker.

    The settings name it: `broker = "mqtts://broker.district.example:8883"`. Written are mosquitto.conf,
    dynamic-security.json (who may say and hear what), ca.pem, crl.pem (who is revoked), and broker.pem with
    broker.key, a certificate for 90 days. Let mosquitto's account own them: it writes the rules itself when the hub
    tells it of new devices. Write and load them again after a backup was restored there, and before the certificate
    ends; load crl.pem again after a device was revoked.

    Examples:
      tongtang hub broker-config --out broker --config /etc/tongtang/hub.toml --at /etc/mosquitto/tongtang
    """
    from hub.broker.errors import BrokerUnusable  # noqa: PLC0415  these load the database, which --help does not need
    from hub.broker.handout import PLUGIN, write_handout  # noqa: PLC0415
    from hub.fleet.authority import Authority  # noqa: PLC0415
    from hub.fleet.errors import AuthorityUnusable  # noqa: PLC0415
    from hub.founding import hub_key  # noqa: PLC0415
    from hub.store.errors import StoreRefused  # noqa: PLC0415
    from hub.store.store import Store  # noqa: PLC0415

    settings = settings_from(config, data)
    try:
        hub_key(settings.data)
        authority = Authority.open(settings)
        store = Store.open(settings.database_url)
        try:
            made = write_handout(
                settings, authority, store.devices, out, at or str(out.absolute()), plugin or PLUGIN, time.time()
            )
        finally:
            store.close()
    except (HubRefused, StoreRefused, AuthorityUnusable, BrokerUnusable) as error:
        raise refused(str(error)) from error
    if as_json:
        files = [str(file) for file in made.files]
        typer.echo(json.dumps({"files": files, "devices": made.devices, "expires": made.expires}, indent=1))
        return
    for file in made.files:
        typer.echo(str(file))
    ends = dt.datetime.fromtimestamp(made.expires, dt.UTC).date()
    typer.echo(f"{made.devices} devices may come in; the broker's certificate ends on {ends}")
