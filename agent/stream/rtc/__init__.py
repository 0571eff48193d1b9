"""The one package that touches non-public parts of aiortc and aioice.

`install` puts our own RTP sender, receiver and DTLS transport behind aiortc's peer connection. Everything
else in the agent uses aiortc's public classes and what this package offers; what of RTP needs no aiortc
stands in `agent.stream.outgoing` and `received`, and what this leans on in `agent.stream.pinned`.
"""

from agent.stream.rtc.door import install
from agent.stream.rtc.receiver import RtpReceiver
from agent.stream.rtc.sender import RtpSender
from agent.stream.rtc.transport import Transport

__all__ = ["RtpReceiver", "RtpSender", "Transport", "install"]
