"""Go-back-N: which rows may be on their way, and when to begin again. Pure; time is handed in.

As with TCP (RFC 5681), what may be on its way begins small, grows with what is acknowledged, and is
halved where nothing comes back: a broker that is slow would else carry little but repetitions.
"""

from dataclasses import dataclass, field


@dataclass
class Window:
    """At most `size` rows between the hub's watermark and the last one sent."""

    size: int = 200
    begin: int = 50
    """How many rows may be on their way after a restart ..."""
    least: int = 10
    """... and however little comes back."""
    patience_s: float = 2.0
    """Without progress for this long, everything unacknowledged goes out again ..."""
    patience_max_s: float = 10.0
    """... and then after twice as long, up to this: a hub that is away must not be flooded by repetitions."""
    acked: int = 0
    sent: int = field(init=False)
    furthest: int = field(init=False)
    """The last row that went out since the last restart, whatever went out again since."""
    _open: int = field(init=False)
    """How many rows may be on their way now."""
    _since_s: float = 0.0
    _waiting_s: float = 0.0

    def __post_init__(self) -> None:
        self.restart(0.0)

    def restart(self, now_s: float) -> None:
        """Begin again after the watermark: at each connect, when the hub comes back, and with a new stream."""
        self.sent = self.furthest = self.acked
        self._open = min(self.begin, self.size)
        self._since_s = now_s
        self._waiting_s = self.patience_s

    def rewound(self, upto: int, now_s: float) -> None:
        """The hub has lost what came after `upto`: all of that goes out again."""
        if upto < self.acked:
            self.acked = upto
            self.restart(now_s)

    def ask(self, now_s: float) -> tuple[int, int]:
        """The number after which to send, and how many rows may go out now."""
        if self.sent > self.acked and now_s - self._since_s >= self._waiting_s:
            self.sent = self.acked
            self._open = min(self.size, max(self.least, self._open // 2))
            self._since_s = now_s
            self._waiting_s = min(self._waiting_s * 2, self.patience_max_s)
        return self.sent, max(0, self._open - (self.sent - self.acked))

    def goes(self, seq: int) -> None:
        """Row `seq` is about to go out."""
        self.furthest = max(self.furthest, seq)

    def took(self, seq: int, first: int, now_s: float) -> None:
        """Row `seq` is on its way; rows before `first` are no longer there to be sent."""
        self.acked = max(self.acked, first - 1)
        if self.sent <= self.acked:
            self._since_s = now_s
        self.sent = max(self.sent, seq)
        self.goes(seq)

    def acknowledged(self, upto: int, now_s: float) -> None:
        """The hub has committed everything up to `upto`; an older mark than the last changes nothing."""
        if upto <= self.acked:
            return
        self._open = min(self.size, self._open + upto - self.acked)
        self.acked = upto
        self.sent = max(self.sent, upto)
        self.furthest = max(self.furthest, self.sent)
        self._since_s = now_s
        self._waiting_s = self.patience_s

    def idle_s(self, now_s: float) -> float:
        """How long nothing will change by itself, in seconds."""
        if self.sent == self.acked:
            return self.patience_max_s
        return max(0.0, self._since_s + self._waiting_s - now_s)
