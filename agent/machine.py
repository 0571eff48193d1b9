"""Which machine this is: a fingerprint that a copy of its disk does not carry to another machine."""

import hashlib
import logging
import secrets
from pathlib import Path

from pydantic import ValidationError

from agent.platform import board_id, built_in_addresses, replace_file, system_id
from contract.model import Message

log = logging.getLogger(__name__)

FILE = "machine.json"
ADDRESSES_KEPT = 16


class Facts(Message):
    """What a machine shows of itself; each may be unknown at one start and known at the next."""

    system: str = ""
    """What the operating system calls itself; a copied disk carries it along."""
    board: str = ""
    """What the firmware calls the board."""
    addresses: tuple[str, ...] = ()
    """Permanent addresses of built-in network interfaces."""


class MachineFile(Message):
    """`machine.json` in the state folder: the fingerprint, and by which facts it is known again."""

    version: int = 1
    fingerprint: str
    facts: Facts


def look() -> Facts:
    """What this machine shows now."""
    return Facts(system=system_id(), board=board_id(), addresses=built_in_addresses())


def same_machine(held: Facts, seen: Facts) -> bool:
    """Whether two looks are of one machine, by what both of them know.

    One network address in common is enough, so that neither the order of the interfaces,
    nor a card that is slow to appear or was added, makes another machine. Boards and
    addresses must both fit where they are known: makers put one serial into every board
    of a series, and copied virtual machines may keep their addresses. Where neither can
    be compared the operating system's own name decides.
    """
    hardware = []
    if held.addresses and seen.addresses:
        hardware.append(not set(held.addresses).isdisjoint(seen.addresses))
    if held.board and seen.board:
        hardware.append(held.board == seen.board)
    if hardware:
        return all(hardware)
    return held.system == seen.system or not (held.system and seen.system)


def fingerprint(state: Path, seen: Facts | None = None) -> str:
    """This machine's fingerprint: the same at every start on this machine, another one on a machine with a copied disk.

    It is made once and kept in the state folder with the facts it was made of. At each
    start the facts are compared with what the hardware shows then (`same_machine`): where
    the machine is the same, the fingerprint stays, whatever else has changed; where it is
    another, a new one is made of that machine's facts. Nothing leaves the machine but the hash.

    Args:
        state: state folder.
        seen: what the machine shows; read from the system where not given.
    """
    seen = seen or look()
    held = _held(state / FILE)
    if held is None or not same_machine(held.facts, seen):
        if held is not None:
            log.warning("the state folder %s comes from another machine: the outboxes begin new streams", state)
        file = MachineFile(fingerprint=_made(seen), facts=seen)
    else:
        file = MachineFile(fingerprint=held.fingerprint, facts=_both(held.facts, seen))
    if file != held:
        try:
            replace_file(state / FILE, file.model_dump_json(indent=1).encode())
        except OSError as error:
            log.warning("%s cannot be written (%s); the fingerprint holds all the same", state / FILE, error.strerror)
    return file.fingerprint


def _made(facts: Facts) -> str:
    if facts == Facts():
        return secrets.token_hex(8)  # a machine that shows nothing is known by its state folder alone
    return hashlib.sha256(f"tongtang {facts.model_dump_json()}".encode()).hexdigest()[:16]


def _both(held: Facts, seen: Facts) -> Facts:
    """What is known by now; a fact that does not show today is not forgotten."""
    new = [one for one in seen.addresses if one not in held.addresses]
    addresses = sorted([*new, *held.addresses][:ADDRESSES_KEPT])
    return Facts(system=seen.system or held.system, board=seen.board or held.board, addresses=tuple(addresses))


def _held(path: Path) -> MachineFile | None:
    try:
        return MachineFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("%s cannot be used and is made anew: %s", path, error)
        return None
