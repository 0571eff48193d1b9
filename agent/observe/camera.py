"""What looks at the camera's picture: the people part, with the models that there are."""

import logging
from collections.abc import Callable
from pathlib import Path

from agent.observe.board import BoardPart
from agent.observe.people import PeoplePart
from agent.observe.pose import PosePart
from agent.observe.seats import SeatsPart
from agent.observe.sight import Bodies, Sight
from agent.observe.spent import Spent
from agent.observe.view import View
from models.centerface import FaceDetector
from models.gate import published
from models.manifest import ModelsTrouble, load_manifest
from models.movenet import PoseDetector
from models.yunet import YuNet

log = logging.getLogger(__name__)


def people_part(
    folder: Path,
    view: View,
    trouble: Callable[[str, str], None],
    spent: Spent | None = None,
    *,
    face_model: Path | None = None,
) -> PeoplePart:
    """Open the models in `folder`; `trouble` is called with the part and words for each that is unusable.

    Without faces nobody is counted, and bodies are not opened either; without bodies faces alone count, and
    the board is not followed. `face_model` names a file of YuNet; where it is unusable, CenterFace finds the faces.
    """
    sight = _sight(folder, face_model, trouble)
    if sight is None:
        return PeoplePart(None)
    bodies: Bodies | None = None
    try:
        bodies = PoseDetector(folder)
    except ModelsTrouble as error:
        trouble("bodies", f"who shows no face is not counted, and the board is not followed: {error}")
    return PeoplePart(
        sight,
        bodies,
        seats=SeatsPart(view.seats),
        board=BoardPart(view.board) if view.board is not None and bodies is not None else None,
        pose=PosePart(published(load_manifest().behaviour)),
        spent=spent,
    )


def _sight(folder: Path, face_model: Path | None, trouble: Callable[[str, str], None]) -> Sight | None:
    if face_model is not None:
        try:
            net = YuNet(face_model)
        except ModelsTrouble as error:
            trouble("face-model", f"faces are found with CenterFace instead: {error}")
        else:
            log.info("faces are found with %s (SHA-256 %s)", face_model, net.sha256)
            return net
    try:
        return FaceDetector(folder)
    except ModelsTrouble as error:
        trouble("people", f"people are not counted: {error}")
        return None
