"""The hub's threads and further processes: begun in order, watched, ended in the reverse order."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hub.broker.courier import Courier
from hub.broker.intake import Intake
from hub.broker.link import HubLink
from hub.broker.workers import IntakeWorkers
from hub.fleet.commands import Commands
from hub.fleet.keeping import Keeper
from hub.fleet.twin import Twins
from hub.repeating import Repeating
from hub.schedule.desk.solving import Solver


@dataclass(frozen=True, slots=True)
class Threads:
    """What runs beside the hub's event loop."""

    checkpoints: Repeating
    keeper: Keeper
    intake: Intake
    workers: IntakeWorkers
    commands: Commands
    courier: Courier
    start_courier: Callable[[], None]
    """Begins it with those whom it tells."""
    link: HubLink
    twins: Twins
    materials: Repeating
    plan: Repeating
    """Keeps sessions in step with the week's plan."""
    solver: Solver

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run them meanwhile: whoever takes what arrives before the link, and what arrived is worked on at the end."""
        with contextlib.ExitStack() as stack:
            for start, stop in (
                (self.checkpoints.start, self.checkpoints.stop),
                (self.keeper.start, self.keeper.stop),
                (self.intake.start, self.intake.stop),
                (self.workers.start, self.workers.stop),
                (self.commands.start, self.commands.stop),
                (self.start_courier, self.courier.stop),
                (self.link.start, self.link.stop),
                (self.twins.start, self.twins.stop),
                (self.materials.start, self.materials.stop),
                (self.plan.start, self.plan.stop),
            ):
                start()
                stack.callback(stop)
            stack.callback(self.solver.close)
            yield

    @property
    def ready(self) -> bool:
        """Whether the hub hears its devices."""
        return self.link.wait_ready(0) and self.workers.wait_ready(0)

    def check(self) -> None:
        """Raise where a thread has died: a hub that is deaf must be started again, not look alive."""
        for alive, what in (
            (self.link.alive, "the connection to the broker"),
            (self.intake.alive, "the intake's writer"),
            (self.courier.alive, "the courier"),
            (self.commands.alive, "what takes the answers to commands"),
            (self.twins.alive, "what takes the devices' twins"),
            (self.keeper.alive, "what sums telemetry up"),
            (self.materials.alive, "what looks after materials"),
            (self.plan.alive, "what makes sessions of the plan"),
            (self.checkpoints.alive, "what puts the database's log away"),
        ):
            if not alive:
                raise RuntimeError(f"{what} has died")
        self.workers.tend()
