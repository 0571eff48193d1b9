"""What the agent leans on in aiortc is there, is noticed when it goes, and is touched by one package alone."""

import ast
import asyncio
from pathlib import Path

import aioice.ice
import aiortc
import pytest

import agent
from agent.stream import pinned, rtc
from agent.stream.mediaclock import MediaClock
from agent.stream.pinned import RtcChangedError

AGENT = Path(agent.__file__).parent


class OtherTransport(aiortc.RTCDtlsTransport):
    """Its source has none of the lines that we need."""


class Renamed(aiortc.RTCDtlsTransport):
    """
    self._rtp_header_extensions_map = rtp.HeaderExtensionsMap()
    receiver = self._rtp_router.route_rtp(packet)
    await self._handle_rtp_data(data, arrival_time_ms=arrival_time_ms)
    await self._handle_rtcp_data(data)
    await recipient._handle_rtcp_packet(packet)
    receiver._handle_disconnect()
    """

    _send_rtp = None


def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return []


def test_everything_is_there_in_the_installed_aiortc_and_our_parts_stand_in_its_place():
    rtc.install(MediaClock(0), ("127.0.0.1",))
    assert aiortc.rtcpeerconnection.RTCRtpSender is rtc.RtpSender
    assert aiortc.rtcpeerconnection.RTCRtpReceiver is rtc.RtpReceiver
    assert aiortc.rtcpeerconnection.RTCDtlsTransport is rtc.Transport
    assert aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["127.0.0.1"]


def test_another_version_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(aiortc, "__version__", "9.9.9")
    with pytest.raises(RtcChangedError, match=r"9\.9\.9"):
        rtc.install(MediaClock(0))


def test_a_line_that_is_gone_is_named():
    with pytest.raises(RtcChangedError, match=r"HeaderExtensionsMap.*OtherTransport"):
        pinned.check(addresses, transport=OtherTransport)


def test_a_method_that_is_gone_is_named():
    with pytest.raises(RtcChangedError, match=r"Renamed\._send_rtp is gone"):
        pinned.check(addresses, transport=Renamed)


def test_a_line_of_aioice_that_is_gone_is_named():
    with pytest.raises(RtcChangedError, match=r"_check_periodic.*addresses"):
        pinned.check(addresses, connect=addresses)


def test_other_arguments_of_aioice_are_refused_in_words():
    with pytest.raises(RtcChangedError, match="get_host_addresses"):
        pinned.check(list)


async def test_a_connection_looks_for_further_paths_only_where_there_are_some():
    rtc.install(MediaClock(0), ("127.0.0.1",))
    connection = aioice.ice.Connection(ice_controlling=True)
    await connection.gather_candidates()
    connection.remote_username, connection.remote_password = "user", "password-of-twenty-two"
    try:
        for port in (9, 10):
            text = f"{port} 1 udp 2130706431 127.0.0.1 {port} typ host"
            await connection.add_remote_candidate(aioice.Candidate.from_sdp(text))
        await connection.add_remote_candidate(None)
        for candidate in connection.remote_candidates:
            connection._pair_remote_candidate(candidate)
        for others_left in (True, False):
            assert connection._check_periodic() is others_left
            await asyncio.sleep(0)
        assert all(pair.task is not None for pair in connection._check_list)
    finally:
        await connection.close()


def test_one_package_alone_touches_what_aiortc_does_not_offer_to_all():
    touching = {
        path.parent.relative_to(AGENT).as_posix()
        for path in AGENT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _beyond_public(node)
    }
    assert touching == {"stream/rtc"}


def _beyond_public(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
        return any(one.startswith(("aiortc.", "aioice", "pylibsrtp")) for one in names)
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if module == "aiortc":
            return any(alias.name not in aiortc.__all__ for alias in node.names)
        return module.startswith(("aiortc.", "aioice", "pylibsrtp"))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "aiortc":
        return node.attr not in (*aiortc.__all__, "__version__")
    return False
