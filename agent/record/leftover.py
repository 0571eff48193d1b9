"""Seals the drafts of lessons that were over before anyone came back to seal them."""

import logging
from collections.abc import Callable

from agent.record.recorder import CAMERA
from agent.record.store import PackageRef, PackageStore, manifest_of
from agent.record.trouble import RecordTrouble
from contract.package import Manifest
from contract.result import RoomResult

log = logging.getLogger(__name__)

WORDS = "the agent was not running when the lesson ended; what it had recorded was sealed later"


def seal_left_over(store: PackageStore, over: Callable[[Manifest], bool]) -> tuple[PackageRef, ...]:
    """Mend and seal every draft whose lesson is over. Blocks on the disk: call it in a thread, at start.

    Args:
        store: where the packages are.
        over: whether nobody will record for this draft any more.

    Returns:
        The packages that are sealed now. What cannot be sealed is logged, kept, and tried again next time.
    """
    sealed = []
    for ref in store.packages():
        try:
            manifest = manifest_of(store, ref)
            if manifest is None or manifest.sealed or not over(manifest):
                continue
            draft = store.reopen(ref)
            tracks = (CAMERA,) if manifest.policy.record else ()
            draft.seal(manifest.seconds, tracks, RoomResult(words=(WORDS,)))
        except (RecordTrouble, OSError) as error:
            log.warning("%s is not sealed yet: %s", ref, error)
        else:
            sealed.append(ref)
    return tuple(sealed)
