"""The printed sheet of claim codes, drawn by a browser and read by a camera."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from contract.enrolment import new_code, read_ticket
from hub.fleet.claims import MadeClaim, NewClaim
from hub.fleet.sheet import printed
from tests.browser.browser import chromium

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_camera_reads_every_card_of_the_sheet(tmp_path: Path, language: str):
    made = [MadeClaim(NewClaim("城关小学", f"cg-{at}", f"三年级({at})班"), new_code(), 2e9) for at in range(4)]
    sheet = tmp_path / "sheet.html"
    sheet.write_text(printed(made, "https://hub.district.example:8443", "ab" * 32, language), encoding="utf-8")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 800, "height": 1000}, device_scale_factor=2)
        page.emulate_media(media="print")
        page.goto(sheet.as_uri())
        picture = cv2.imdecode(np.frombuffer(page.screenshot(full_page=True), np.uint8), cv2.IMREAD_GRAYSCALE)
        # Cards stay whole on paper and nothing sticks out of them.
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert {read_ticket(found.text).code for found in zxingcpp.read_barcodes(picture)} == {one.code for one in made}
