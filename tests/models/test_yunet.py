from pathlib import Path

import numpy as np
import pytest

from models.manifest import load_manifest
from models.session import ModelUnusable
from models.yunet import HEADS, YuNet, decode
from tests.models.yunets import write_yunet


def room(*faces: tuple[int, int], size: tuple[int, int] = (640, 384)) -> np.ndarray:
    """Black, with white cells of 16 pixels: column and row of each."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    for column, row in faces:
        picture[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] = 255
    return picture


@pytest.mark.parametrize("declared", [(640, 640), None, (320, 320)])
def test_faces_are_found_where_they_are_whatever_size_the_file_declares(tmp_path: Path, declared):
    found = YuNet(write_yunet(tmp_path / "yunet.onnx", declared)).faces(room((4, 2), (30, 20)))
    assert found.boxes.round().tolist() == [[56, 16, 88, 64], [472, 304, 504, 352]]
    assert found.scores == pytest.approx(1.0)


def test_a_larger_picture_is_fitted_and_boxes_are_in_its_own_pixels(tmp_path: Path):
    large = np.kron(room((4, 2)), np.ones((2, 2, 1), np.uint8))[:720]
    found = YuNet(write_yunet(tmp_path / "yunet.onnx")).faces(large)
    assert found.boxes.round().tolist() == [[112, 32, 176, 128]]


def test_an_empty_room_has_no_faces(tmp_path: Path):
    found = YuNet(write_yunet(tmp_path / "yunet.onnx")).faces(room())
    assert (found.boxes.shape, found.scores.shape) == ((0, 4), (0,))


def test_the_score_is_the_mean_of_both_and_the_threshold_is_kept():
    said = {name: np.zeros((4 if name.endswith("16") else 1, 4 if "bbox" in name else 1), np.float32) for name in HEADS}
    said["cls_16"][3], said["obj_16"][3] = 0.9, 0.4
    boxes, scores = decode(said, 32, 0.59)
    assert scores == pytest.approx([0.6])
    assert boxes.tolist() == [[8, 8, 24, 24]]
    assert len(decode(said, 32, 0.61)[1]) == 0


def test_a_file_that_is_not_there_is_told_with_the_setting_to_correct(tmp_path: Path):
    with pytest.raises(ModelUnusable, match=r"there is no face model .*yunet\.onnx; correct \[observe\] face_model"):
        YuNet(tmp_path / "yunet.onnx")


def test_a_corrupt_file_is_told(tmp_path: Path):
    path = write_yunet(tmp_path / "yunet.onnx")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelUnusable, match="cannot run the model"):
        YuNet(path)


def test_another_net_is_told_for_what_it_is_not(tmp_path: Path):
    with pytest.raises(ModelUnusable, match="is not a YuNet"):
        YuNet(write_yunet(tmp_path / "yunet.onnx", without="obj_32"))


@pytest.mark.models("centerface")
def test_the_other_detector_of_faces_is_no_yunet(models: Path):
    with pytest.raises(ModelUnusable, match="is not a YuNet"):
        YuNet(models / load_manifest().find("centerface").file)


def test_a_file_that_goes_while_it_is_used_changes_nothing(tmp_path: Path):
    path = write_yunet(tmp_path / "yunet.onnx")
    net = YuNet(path)
    path.unlink()
    assert len(net.faces(room((4, 2))).scores) == 1
