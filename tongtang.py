"""The front door: one command, `tongtang`, that mounts the commands of agent, hub and models, and holds `demo`."""


def main() -> None:
    """Run the command line."""
