import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.observe import main
from benchmarks.observe_people import Seen, figures, matched, read_coco
from benchmarks.people import table
from tests.pictures.people import counts, write_people

NEEDED = pytest.mark.models("centerface", "movenet-multipose")
BOX = [10.0, 10.0, 20.0, 20.0]


def folder(place: Path, told: object, pictures: tuple[str, ...] = ("a.jpg",)) -> Path:
    """FOLDER/people with empty rooms and these labels."""
    (place / "people").mkdir()
    for name in pictures:
        cv2.imwrite(str(place / "people" / name), np.full((90, 160, 3), 127, np.uint8))
    (place / "people" / "coco.json").write_text(told if isinstance(told, str) else json.dumps(told))
    return place


def coco(*boxes: dict, images: tuple[dict, ...] = ({"id": 1, "file_name": "a.jpg"},), names=("person", "face")) -> dict:
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    return {"images": list(images), "categories": categories, "annotations": list(boxes), "info": {"year": 2026}}


def box(category: int = 1, image: int = 1, **more) -> dict:
    return {"image_id": image, "category_id": category, "bbox": BOX} | more


@NEEDED
def test_known_pictures_are_counted_and_their_faces_found(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main([str(write_people(tmp_path, 11, 5)), "--json"]) == 0
    off, bias, exact, right, recall = json.loads(capsys.readouterr().out)
    assert off["what"].startswith("count: off by")
    assert (off["files"], off["part"]) == (5, "people")
    assert off["value"] <= 1
    assert abs(bias["value"]) <= off["value"]
    assert exact["value"] >= 0.6
    assert min(right["value"], recall["value"]) > 0.9
    assert off["worst"].startswith("room-00")
    assert off["cpu"] > 0


@NEEDED
def test_words_say_what_a_picture_costs_and_how_far_it_is_off(models: Path, tmp_path: Path, capsys):
    told = folder(tmp_path, coco(box(), box()))
    cv2.imwrite(
        str(told / "people" / "a.jpg"), np.random.default_rng(1).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    )
    assert main([str(told)]) == 0
    out = capsys.readouterr().out
    assert "people: count: off by, people a picture: 2.000 (one file, no interval; 1 files; worst a.jpg: 2.000" in out
    assert "told less true, people a picture: -2.000" in out
    assert "s a picture)" in out


@NEEDED
def test_a_picture_that_shows_no_room_is_unknown_and_not_an_error_of_the_count(models: Path, tmp_path: Path, capsys):
    assert main([str(folder(tmp_path, coco(box()))), "--json"]) == 0
    (unknown,) = json.loads(capsys.readouterr().out)
    assert unknown["what"].startswith("pictures of which nothing is told")
    assert unknown["value"] == 1


@pytest.mark.parametrize(
    "told,says",
    [
        ("{", r"coco\.json, line 1, column 2: not JSON"),
        ("[]", r"coco\.json: not COCO: the file: "),
        ({"images": [], "categories": []}, r"not COCO: annotations: Field required; docs/researcher\.md"),
        (coco(box(bbox=[1, 2, 3])), r"not COCO: annotations\.0\.bbox"),
        (coco(names=("desk", "lamp")), "no category is called person, head, face; there is desk, lamp"),
        (coco(images=()), "labels no picture"),
        (
            coco(images=({"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "a.jpg"})),
            "each picture stands there once",
        ),
        (coco(box(image=7)), "annotation 1 is for the picture 7, which is not among the images"),
        (coco(box(), box(category=9)), "annotation 2 is of the category 9, which is not among the categories"),
        (coco(box(bbox=[5, 5, 0, 4])), "annotation 1: its bbox .* has no size; it is left, top, width, height"),
        (coco(box(iscrowd=1)), "annotation 1 is a crowd, of which nobody knows how many it is"),
    ],
    ids=["json", "list", "field", "bbox", "category", "empty", "twice", "image", "unknown", "size", "crowd"],
)
def test_labels_that_cannot_be_used_say_what_is_wrong(tmp_path: Path, capsys, told, says: str):
    path = folder(tmp_path, told) / "people" / "coco.json"
    with pytest.raises(Exception, match=says) as caught:
        read_coco(path)
    assert str(path) in str(caught.value)


def test_without_labels_it_says_where_they_belong(tmp_path: Path, capsys):
    (tmp_path / "people").mkdir()
    assert main([str(tmp_path)]) == 2
    assert "coco.json is not there: it holds COCO annotations" in capsys.readouterr().err


@NEEDED
@pytest.mark.parametrize(
    "content,says", [(None, "names a.jpg, and .* cannot be read"), (b"no picture", "is no picture")]
)
def test_a_picture_that_is_not_there_or_none_is_named(models: Path, tmp_path: Path, capsys, content, says: str):
    place = folder(tmp_path, coco(box()), ())
    if content is not None:
        (place / "people" / "a.jpg").write_bytes(content)
    assert main([str(place)]) == 2
    error = capsys.readouterr().err
    assert "a.jpg" in error
    assert re.search(says, error)


def test_persons_are_counted_where_there_are_any_else_heads_else_faces(tmp_path: Path):
    names = ("face", "head", "person")
    both = folder(tmp_path, coco(box(1), box(2), box(2), box(3), names=names)) / "people" / "coco.json"
    (one,), faces = read_coco(both)
    assert (one.people, len(one.faces), faces) == (1, 1, True)
    both.write_text(json.dumps(coco(box(1), box(2), box(2), names=names)))
    assert read_coco(both)[0][0].people == 2
    both.write_text(json.dumps(coco(box(1), names=names)))
    assert read_coco(both)[0][0].people == 1
    both.write_text(json.dumps(coco(names=names)))
    assert (read_coco(both)[0][0].people, read_coco(both)[1]) == (0, False)


def test_each_labelled_face_is_found_once_and_only_where_they_overlap_by_half():
    true = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], float)
    near = np.array([[1, 0, 11, 10], [0, 0, 10, 10], [26, 0, 36, 10]], float)
    assert matched(near, true) == 1
    assert matched(true, true) == 2
    assert matched(true, np.zeros((0, 4))) == matched(np.zeros((0, 4)), true) == 0


def test_the_bias_has_a_sign_and_the_worst_picture_is_the_one_that_is_farthest_off():
    seen = [Seen("a", 10, 12, 0, 0, 0), Seen("b", 10, 5, 0, 0, 0), Seen("c", 10, None, 0, 0, 0)]
    unknown, off, bias, exact = figures(seen, 0.1, boxes=False)
    assert unknown.value == pytest.approx(1 / 3)
    assert (off.value, off.worst) == (3.5, "b: 5.000")
    assert (bias.value, bias.worst) == (-1.5, "b: -5.000")
    assert exact.value == 0


def test_known_pictures_go_from_nobody_to_a_class_and_are_the_same_for_the_same_seed(tmp_path: Path):
    assert sorted(counts(np.random.default_rng(1), 42)) == [0, *range(41)]
    one, other = (write_people(tmp_path / name, 3, 3) / "people" for name in ("one", "other"))
    for file in ("coco.json", "room-001.jpg", "room-003.jpg"):
        assert (one / file).read_bytes() == (other / file).read_bytes()


@NEEDED
def test_the_table_has_a_line_for_faces_that_show_and_one_for_some_that_do_not(models: Path):
    lines = table(7, 3)
    head, _, shown, painted = lines[lines.index("") + 1 :]
    assert len({line.count("|") for line in (head, shown, painted)}) == 1
    assert "painted over" in painted
