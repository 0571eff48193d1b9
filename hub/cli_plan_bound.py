"""`tongtang plan bound`: what no plan can exceed, and the proof of it."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli_options import JsonOption, refused
from hub.cli_plan_options import BeforeOption, DistrictArgument, district_from, plan_from, tell, writable, written
from hub.schedule.errors import ScheduleRefused

app = typer.Typer()


@app.command()
def bound(
    district: DistrictArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="PROOF", help="Write the proof here.", show_default=False)
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option("--check", metavar="PROOF", help="Seek none; tell what this one proves.", show_default=False),
    ] = None,
    before: BeforeOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Prove how many points no plan of a district can exceed, or check such a proof.

    A proof is a price for all that is scarce. --check multiplies the prices out in whole numbers and asks no solver:
    whatever they are, no plan is worth more than comes out. Ends with 2 where a file is no proof for the district.

    Examples:
      tongtang plan bound district.json --out proof.npz
      tongtang plan bound district.json --check proof.npz
    """
    from hub.schedule.compiling import compile_district  # noqa: PLC0415  --help does not need it
    from hub.schedule.solve.bound import bound as seek  # noqa: PLC0415  --help does not need it
    from hub.schedule.solve.bound import verify_bound  # noqa: PLC0415  --help does not need it

    if out is not None:
        writable(out)
    try:
        compiled = compile_district(district_from(district), plan_from(before))
        if proof is not None:
            points = verify_bound(compiled, proof)
            tell({"bound": points, "proof": str(proof)}, f"no plan is worth more than {points:,}", as_json=as_json)
            return
        found = seek(compiled)
    except ScheduleRefused as error:
        raise refused(str(error)) from error
    if out is not None:
        written(out, lambda path: found.save(compiled, path))
    told = {"bound": found.points, "by": found.proof, "proof": str(out) if out is not None else None}
    tell(told, f"no plan is worth more than {found.points:,} ({found.proof})", as_json=as_json)
