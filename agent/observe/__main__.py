"""The observing process; the observer starts it.

python -m agent.observe MODELS_FOLDER [--no-slide-text] [--face-model=FILE] [VIEW]
"""

import sys
from pathlib import Path

from agent.observe.child import main
from agent.observe.view import UNTOLD, View
from agent.observe.wire import FACE_MODEL, NO_SLIDE_TEXT

if __name__ == "__main__":
    options = sys.argv[2:]
    faces = [Path(one.removeprefix(FACE_MODEL)) for one in options if one.startswith(FACE_MODEL)]
    told = [one for one in options if one != NO_SLIDE_TEXT and not one.startswith(FACE_MODEL)]
    view = View.read(told[0]) if told else UNTOLD
    face_model = faces[0] if faces else None
    sys.exit(main(Path(sys.argv[1]), view, slide_text=NO_SLIDE_TEXT not in options, face_model=face_model))
