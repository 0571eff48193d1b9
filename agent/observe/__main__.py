"""`python -m agent.observe MODELS_FOLDER [--no-slide-text]`: the observing process; the observer starts it."""

import sys
from pathlib import Path

from agent.observe.child import main
from agent.observe.wire import NO_SLIDE_TEXT

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), slide_text=NO_SLIDE_TEXT not in sys.argv))
