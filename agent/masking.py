"""What the settings cover in a room's pictures, as capture takes it."""

from agent.capture.faceblur import FaceBlur
from agent.capture.masks import RoomMasks
from agent.settings import AgentSettings
from models.manifest import models_folder


def room_masks(settings: AgentSettings) -> RoomMasks:
    """Masks of this room, and whether faces are blurred."""
    masks = settings.masks
    blur = FaceBlur(settings.models.folder or models_folder(), masks.clear) if masks.faces == "blur" else None
    return RoomMasks(masks.camera, masks.slides, masks.drawn_on, blur)
