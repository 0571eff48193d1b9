"""How much may be sent: Google congestion control over transport-wide feedback, one controller a transport."""

from agent.stream.congestion.controller import CongestionController
from agent.stream.congestion.probe import Probe

__all__ = ["CongestionController", "Probe"]
