"""`python -m agent.observe MODELS_FOLDER [--no-slide-text] [VIEW]`: the observing process; the observer starts it."""

import sys
from pathlib import Path

from agent.observe.child import main
from agent.observe.view import UNTOLD, View
from agent.observe.wire import NO_SLIDE_TEXT

if __name__ == "__main__":
    told = [one for one in sys.argv[2:] if one != NO_SLIDE_TEXT]
    view = View.read(told[0]) if told else UNTOLD
    sys.exit(main(Path(sys.argv[1]), view, slide_text=NO_SLIDE_TEXT not in sys.argv))
