from pathlib import Path

import pytest

from models.manifest import ModelUnknown, load_manifest, models_folder


def test_every_model_says_its_licence_source_purpose_and_figure():
    for model in load_manifest().model:
        assert model.licence in {"MIT", "Apache-2.0", "BSD-3-Clause"}
        assert "https://" in model.source
        assert model.purpose
        assert any(letter.isdigit() for letter in model.measured)


def test_names_and_files_are_used_once():
    models = load_manifest().model
    assert len({model.name for model in models}) == len(models) == len({model.file for model in models})


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelUnknown, match="no model called yolo; known models: silero-vad, centerface"):
        load_manifest().find("yolo")


def test_every_behaviour_reads_the_keypoints_of_a_model_that_there_is():
    manifest = load_manifest()
    assert len({one.name for one in manifest.behaviour}) == len(manifest.behaviour) > 0
    for behaviour in manifest.behaviour:
        assert manifest.find(behaviour.model)
        assert behaviour.measured is None or any(letter.isdigit() for letter in behaviour.measured.data)


@pytest.mark.parametrize(
    "environ,platform,folder",
    [
        ({"TONGTANG_MODELS": "/srv/models", "XDG_DATA_HOME": "/data"}, "linux", "/srv/models"),
        ({"XDG_DATA_HOME": "/data"}, "linux", "/data/tongtang/models"),
        ({}, "linux", str(Path.home() / ".local/share/tongtang/models")),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/tongtang/models"),
    ],
)
def test_the_folder_is_the_named_one_or_the_platforms(environ: dict[str, str], platform: str, folder: str):
    assert models_folder(environ, platform) == Path(folder)
