"""`python -m agent.observe MODELS_FOLDER`: the observing process; started by agent.observe.observer."""

import sys
from pathlib import Path

from agent.observe.child import main

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
