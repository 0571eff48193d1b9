"""Are the on-device models there, with the hashes of the manifest?"""

from pathlib import Path

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.settings import AgentSettings
from models.manifest import ModelsTrouble, load_manifest, models_folder
from models.verify import ModelState, state_of


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Hash every installed model."""
    folder = settings.models.folder or models_folder()
    if settings.masks.faces == "blur":
        face = state_of(load_manifest().find("centerface"), folder)
        if face is not ModelState.RIGHT:
            words = f"centerface is {face} in {folder}: the camera's whole picture is blurred, as faces cannot be found"
            return CheckLine("models", Verdict.BAD, words, "tongtang models install")
    if not settings.observe.enabled:
        return CheckLine("models", Verdict.OK, "not needed: `enabled` in [observe] is false")
    states = {model.name: state_of(model, folder) for model in load_manifest().model}
    wrong = [f"{name} is {state}" for name, state in states.items() if state is not ModelState.RIGHT]
    if wrong:
        words = f"{', '.join(wrong)} in {folder}; what needs them is told as unknown"
        return CheckLine("models", Verdict.WARN, words, "tongtang models install")
    if settings.observe.face_model and (trouble := _unusable(settings.observe.face_model)):
        words = f"{trouble}; CenterFace finds the faces instead"
        return CheckLine("models", Verdict.WARN, words, "correct `face_model` in [observe]")
    return CheckLine("models", Verdict.OK, f"{len(states)} in {folder}, hashes right")


def _unusable(face_model: Path) -> str:
    """Why the operator's face model cannot be used; nothing where it can."""
    from models.yunet import YuNet  # noqa: PLC0415 - it loads OpenCV and onnxruntime, for the few who have such a file

    try:
        YuNet(face_model)
    except ModelsTrouble as error:
        return str(error)
    return ""
