import tomllib
from pathlib import Path

import pytest

from agent.settings import AgentSettings, load_settings
from contract.settings import SettingsRefused


def written(folder: Path, text: str) -> Path:
    path = folder / "agent.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_is_a_complete_one(tmp_path):
    assert load_settings(written(tmp_path, "")).sources.source == "rehearsal"


def test_relative_paths_start_at_the_files_folder(tmp_path):
    settings = load_settings(written(tmp_path, '[agent]\nstate = "state"\n[models]\nfolder = "weights"\n'))
    assert settings.state == tmp_path / "state"
    assert settings.models.folder == tmp_path / "weights"
    assert settings.overlay_socket == tmp_path / "state" / "overlay.sock"


def test_a_misspelt_key_is_answered_with_the_right_one(tmp_path):
    with pytest.raises(SettingsRefused, match="did you mean source"):
        load_settings(written(tmp_path, '[sources]\nsorce = "camera:0"\n'))


def test_every_wrong_value_has_its_line(tmp_path):
    with pytest.raises(SettingsRefused) as caught:
        load_settings(written(tmp_path, '[hub]\nurl = "ftp://x"\nkeepalive_s = 0\n[agent]\ndevice = "A B"\n'))
    for where in ("hub.url", "hub.keepalive_s", "agent.device"):
        assert where in str(caught.value)


def test_every_setting_is_described_and_stands_in_the_shipped_file():
    text = (Path(__file__).parents[2] / "configs" / "agent.toml").read_text(encoding="utf-8")
    shipped = tomllib.loads("\n".join(line.removeprefix("# ") if " = " in line else line for line in text.split("\n")))
    for table, field in AgentSettings.model_fields.items():
        for key, one in field.annotation.model_fields.items():
            assert one.title and one.description, f"{table}.{key}"
            assert key in shipped[table], f"{table}.{key}"


def test_masks_are_read_from_the_settings(tmp_path):
    text = "[masks]\ncamera = [[[0.0, 0.0], [0.25, 0.4]], [[0.7, 0.1], [1, 0.1], [1, 0.5]]]\n"
    masks = load_settings(written(tmp_path, text)).masks
    assert masks.camera == (((0.0, 0.0), (0.25, 0.4)), ((0.7, 0.1), (1.0, 0.1), (1.0, 0.5)))
    assert masks.slides == ()
    assert masks.faces == "off"


def test_a_mask_that_cannot_be_meant_keeps_the_settings_from_being_used(tmp_path):
    wrong = {
        "camera = [[[0.0, 0.0], [0.25, 4]]]": "masks.camera.0.1.1: input should be less than or equal to 1",
        "camera = [[[0.0, 0.0]]]": "masks.camera.0: value error, an area has two opposite corners",
        "slides = [[[0.5, 0.5], [0.5, 0.5]]]": "masks.slides.0: value error, the area covers nothing",
        "drawn_on = [0, 720]": "masks.drawn_on.0: input should be greater than or equal to 160",
        "faces = true": "masks.faces: input should be 'off' or 'blur'",
    }
    for text, words in wrong.items():
        with pytest.raises(SettingsRefused) as caught:
            load_settings(written(tmp_path, f"[masks]\n{text}\n"))
        assert words in str(caught.value)
