"""`tongtang swarm`."""

from pathlib import Path
from typing import Annotated

import typer


def swarm(
    devices: Annotated[int, typer.Option(min=1, max=100_000, help="How many devices report.")],
    seconds: Annotated[float, typer.Option(min=1, max=86_400, help="For how long, in seconds.")],
    rate: Annotated[float, typer.Option(min=0.001, max=100, help="Samples a second and device.")] = 0.2,
    hub: Annotated[str, typer.Option("--hub", metavar="URL", help="A hub that runs; by default one is started.")] = "",
    token: Annotated[str, typer.Option(help="An operator's token for that hub.", show_default=False)] = "",
    broker: Annotated[str, typer.Option(help="Of the hub that is started: auto, mosquitto or amqtt.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Keep hub, logs and ledger in this new folder.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses phases and jitter.")] = 1,
    *,
    outages: Annotated[bool, typer.Option("--outages", help="Cut a tenth of the fleet off, twice.")] = False,
    bursts: Annotated[bool, typer.Option("--bursts", help="Let all say ten events at once, three times.")] = False,
    skew: Annotated[bool, typer.Option("--skew", help="Set some clocks to 1970 and some a day ahead.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="The started hub's MQTT without TLS.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Simulate a fleet over real MQTT against a real hub, and count what arrived.

    Up to 40 devices have the agent's own outbox on disk and its own link. More are light clients, which share the
    agent's window and rows and keep them in memory; they leave out signals and commands. The hub is one of its own in
    a temporary folder, with mosquitto where it is installed and certificates of its own authority.

    What was produced comes from the producers' own ledger, written before a row reaches any outbox. commit_ms is the
    time from a device's stamp to the arrival, back at the device, of the watermark that follows the hub's commit.
    With --hub every device is enrolled there with a claim code, and stays: name a hub for tests.

    Exit code 0 only if nothing was lost and nothing is stored twice.

    Examples:
      tongtang swarm --devices 1893 --seconds 60 --json

      tongtang swarm --devices 1893 --seconds 60 --rate 2

      tongtang swarm --devices 30 --seconds 60 --outages --bursts --skew
    """
    try:
        from swarm.run import Asked, RunRefused, run, told  # noqa: PLC0415  agent and hub, which --help does not need
    except ImportError as error:
        typer.echo(f"agent or hub is not installed ({error}); pip install 'tongtang[agent,hub]'", err=True)
        raise typer.Exit(2) from error

    def say(words: str) -> None:
        if not as_json:
            typer.echo(words, err=True)

    asked = Asked(
        devices=devices,
        seconds=seconds,
        rate=rate,
        tls=not plain,
        outages=outages,
        bursts=bursts,
        skew=skew,
        seed=seed,
        url=hub,
        token=token,
        broker=broker,
        out=out,
    )
    try:
        result = run(asked, say)
    except RunRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(result.model_dump_json(indent=1) if as_json else told(result))
    raise typer.Exit(0 if result.whole else 1)
