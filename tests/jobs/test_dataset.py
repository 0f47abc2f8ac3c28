"""Training sets: cut, thinned, balanced, and read by those who train."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from command import call
from fakes import Square, draw, enroll_squares, fake_gallery
from labelled import identify_files
from PIL import Image as pillow
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.events import Refused, result_of
from gallery.faces.quality import Gates
from gallery.faces.video import VideoOptions
from gallery.jobs import decide
from gallery.jobs.dataset import DatasetChoices, dataset
from gallery.jobs.dataset_cuts import cut_out
from gallery.jobs.dataset_report import Dataset, Lack
from gallery.jobs.label_video import label_video
from gallery.jobs.meant import SeenFace
from gallery.output.format import OutputOptions, TagStyle
from gallery.output.own_folder import LIST
from gallery.output.training_set import Cut, SetFormat
from gallery.store.steps import Action
from gallery.types import Box, Pixels

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)

KOHYA, FOLDER, TAR = SetFormat.KOHYA, SetFormat.IMAGEFOLDER, SetFormat.WEBDATASET

REI, ASUKA = 'Rei: "00", <b>', "アスカ/2"


@pytest.fixture
def filled(database: Path, tmp_path: Path) -> Iterator[Engine]:
    with fake_gallery(database) as gallery:
        enroll_squares(gallery, tmp_path / "enrolled", {"Rei": BLUE, "Asuka": RED})
        for old, new in (("Rei", REI), ("Asuka", ASUKA)):
            with gallery.store.writing() as writer:
                writer.rename(old, new)
        yield gallery


def grounded(*squares: Square, seed: int, size: tuple[int, int] = (320, 240)) -> Pixels:
    """Faces on a ground that no other seed has."""
    pixels = draw(*squares, width=size[0], height=size[1])
    small = np.random.default_rng(seed).integers(100, 180, (8, 8, 1), np.uint8).repeat(3, 2)
    ground = np.asarray(pillow.fromarray(small).resize(size, pillow.Resampling.BICUBIC))
    is_ground = np.ptp(pixels.astype(np.int16), axis=2) < 10
    is_ground &= pixels.max(axis=2) > 60
    return np.where(is_ground[:, :, None], ground.mean(axis=2, keepdims=True), pixels).astype(
        np.uint8
    )


def save(path: Path, pixels: Pixels, *, orientation: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = pillow.Exif()
    exif[0x0112] = orientation
    pillow.fromarray(pixels).save(path, exif=exif, quality=95)
    return path


@pytest.fixture
def shots(tmp_path: Path) -> list[Path]:
    """Four of Rei, of which two are nearly the same, one of Asuka, one of both, one of nobody."""
    folder = tmp_path / "shots"
    rei = [Square(40 + 30 * row, 30 + 10 * row, 80, BLUE) for row in range(3)]
    made = [save(folder / f"{row}.png", grounded(one, seed=row)) for row, one in enumerate(rei)]
    near = grounded(rei[0], seed=0)
    near[:4, :4] = 0
    made.append(save(folder / "near.png", near))
    made.append(save(folder / "asuka.jpg", grounded(Square(60, 60, 80, RED), seed=9)))
    both = (Square(20, 60, 80, BLUE), Square(200, 60, 80, RED))
    made.append(save(folder / "both.png", grounded(*both, seed=11)))
    made.append(save(folder / "nobody.png", grounded(Square(90, 60, 80, GREEN), seed=12)))
    (folder / "both.txt").write_text("1girl, アスカ/2, looking at viewer", encoding="utf-8")
    return made


def made(
    engine: Engine, shots: Sequence[Path], out: Path, choices: DatasetChoices | None = None
) -> Dataset:
    list(identify_files(engine, shots, keep=True))
    return result_of(dataset(engine, out, choices or DatasetChoices(KOHYA)))


def test_kohya_reads_folders_captions_and_a_config(
    filled: Engine, shots: list[Path], tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in sorted((tmp_path / "shots").iterdir())}
    done = made(filled, shots, tmp_path / "set")
    counts = {one.name: (one.pictures, one.repeats, one.near) for one in done.characters}
    assert counts == {REI: (4, 1, 1), ASUKA: (2, 2, 0)}
    config = tomllib.loads((tmp_path / "set" / "dataset_config.toml").read_text(encoding="utf-8"))
    assert config["general"] == {
        "caption_extension": ".txt", "shuffle_caption": True, "keep_tokens": 1,
    }  # fmt: skip
    (trained,) = config["datasets"]
    assert trained["resolution"] == 1024
    captions: dict[str, list[str]] = {}
    for subset in trained["subsets"]:
        folder = Path(subset["image_dir"])
        assert folder.name.startswith(f"{subset['num_repeats']}_")
        pictures = [one for one in folder.iterdir() if one.suffix != ".txt"]
        assert {one.stem for one in pictures} == {one.stem for one in folder.glob("*.txt")}
        captions[subset["class_tokens"]] = sorted(
            one.read_text(encoding="utf-8") for one in folder.glob("*.txt")
        )
        assert len(pictures) == len(captions[subset["class_tokens"]])
    rei = 'Rei: "00"%2C <b>'
    assert captions[rei] == [rei, rei, rei, f"{rei}, {ASUKA}, 1girl, looking at viewer"]
    assert captions[ASUKA] == [ASUKA, f"{ASUKA}, {rei}, 1girl, looking at viewer"]
    assert {path: path.read_bytes() for path in sorted((tmp_path / "shots").iterdir())} == before


def test_hugging_face_reads_the_imagefolder(
    filled: Engine, shots: list[Path], tmp_path: Path
) -> None:
    made(filled, shots, tmp_path / "set", DatasetChoices(FOLDER, crop=Cut.HEAD))
    lines = (tmp_path / "set" / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    for row in rows:
        with pillow.open(tmp_path / "set" / "train" / row["file_name"]) as picture:
            assert picture.size == (120, 120)
    assert {row["character"] for row in rows} == {REI, ASUKA}
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "set"), cache_dir=str(tmp_path / "cache")
    )["train"]
    assert sorted(found["text"]) == sorted(row["text"] for row in rows)
    assert found[0]["image"].size == (120, 120)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # leaves files open
def test_webdataset_reads_the_shards(filled: Engine, shots: list[Path], tmp_path: Path) -> None:
    import tarfile

    made(filled, shots, tmp_path / "set", DatasetChoices(TAR, crop=Cut.BUST))
    shard = tmp_path / "set" / "train-00000.tar"
    with tarfile.open(shard) as opened:
        names = opened.getnames()
    assert names[:3] == ["000000.png", "000000.txt", "000000.json"]
    webdataset = pytest.importorskip("webdataset")
    samples = list(webdataset.WebDataset(str(shard), shardshuffle=False).decode("pil"))
    assert len(samples) == len(names) // 3
    assert {one["json"]["character"] for one in samples} == {REI, ASUKA}
    assert all(one["txt"] == one["json"]["text"] for one in samples)
    assert all(one["png"].mode == "RGB" for one in samples)


def test_decisions_rule_and_options_choose(
    filled: Engine, shots: list[Path], tmp_path: Path
) -> None:
    made(filled, shots, tmp_path / "set")
    seen = {one.path.name: one for one in filled.store.sightings.all()}
    result_of(decide.confirm(filled, [SeenFace(seen["nobody.png"].id)], "Midori", new=True))
    result_of(decide.set_aside(filled, [SeenFace(seen["asuka.jpg"].id)], Action.IGNORE))
    done = made(filled, shots, tmp_path / "set")
    assert {one.name: one.pictures for one in done.characters} == {REI: 4, ASUKA: 1, "Midori": 1}
    options = OutputOptions(prefix="character:", tags=TagStyle.BOORU)
    one = DatasetChoices(KOHYA, confirmed=True, options=options, repeats=3)
    done = made(filled, shots, tmp_path / "set", one)
    assert {one.name: (one.pictures, one.repeats) for one in done.characters} == {"Midori": (1, 3)}
    caption = tmp_path / "set" / "img" / "3_Midori" / "0001.txt"
    assert caption.read_text(encoding="utf-8") == "character:midori"
    done = made(
        filled, shots, tmp_path / "set", DatasetChoices(KOHYA, characters=[REI], keep_near=True)
    )
    assert {one.name: one.pictures for one in done.characters} == {REI: 5}
    with pytest.raises(InputError, match="No labelled picture shows"):
        made(filled, shots, tmp_path / "set", DatasetChoices(KOHYA, gates=Gates(min_face=500)))
    with pytest.raises(InputError, match="No character is called Nobody"):
        made(filled, shots, tmp_path / "set", DatasetChoices(KOHYA, characters=["Nobody"]))


def test_what_is_missing_is_said(filled: Engine, shots: list[Path], tmp_path: Path) -> None:
    done = made(filled, shots, tmp_path / "set", DatasetChoices(KOHYA, resolution=1024))
    lacks = {one.name: one.lacks for one in done.characters}
    assert lacks[REI] == (Lack.FEW, Lack.ONE_SOURCE, Lack.SMALL)
    more = [
        save(tmp_path / "more" / f"{row}.png", grounded(Square(15 * row, 40, 80, BLUE), seed=row))
        for row in range(3, 12)
    ]
    done = made(filled, more, tmp_path / "set", DatasetChoices(KOHYA, resolution=256))
    assert {one.name: one.lacks for one in done.characters}[REI] == ()


def test_a_turned_picture_is_upright_and_others_are_copied(filled: Engine, tmp_path: Path) -> None:
    upright = grounded(Square(40, 30, 80, BLUE), seed=1)
    turned = save(tmp_path / "shots" / "turned.jpg", np.rot90(upright), orientation=6)
    plain = save(tmp_path / "shots" / "plain.jpg", grounded(Square(90, 90, 80, BLUE), seed=5))
    made(filled, [turned, plain], tmp_path / "set")
    folder = tmp_path / "set" / "img" / "1_Rei%3A %2200%22, %3Cb%3E"
    pictures = sorted(one for one in folder.iterdir() if one.suffix != ".txt")
    assert {one.suffix for one in pictures} == {".png", ".jpg"}
    for one in pictures:
        with pillow.open(one) as picture:
            assert picture.size == (320, 240)
            assert picture.getexif().get(0x0112, 1) == 1
    (copy,) = [one for one in pictures if one.suffix == ".jpg"]
    assert copy.read_bytes() == plain.read_bytes()


def test_a_videos_tracks_come_in_by_their_best_moments(filled: Engine, tmp_path: Path) -> None:
    frames = [scene(Square(10 + 2 * row, 20, 50, RED)) for row in range(24)]
    video = write_video(tmp_path / "ep.mkv", at_rate(frames))
    list(label_video(filled, video, VideoOptions(), keep=True))
    done = result_of(dataset(filled, tmp_path / "set", DatasetChoices(FOLDER)))
    (one,) = done.characters
    assert (one.name, one.pictures, one.sources) == (ASUKA, 1, 1)
    line = (tmp_path / "set" / "train" / "metadata.jsonl").read_text(encoding="utf-8")
    row = json.loads(line)
    assert row["source"] == str(video)
    assert row["time"] == pytest.approx(0.5, abs=0.6)


def test_only_what_gallery_wrote_is_replaced(
    filled: Engine, shots: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "set"
    out.mkdir()
    made(filled, shots, out)
    first = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    made(filled, shots, out)
    assert {path: path.read_bytes() for path in first} == first
    caption = next(out.rglob("*.txt"))
    caption.write_text("edited by hand", encoding="utf-8")
    with pytest.raises(InputError, match="was put there or changed"):
        made(filled, shots, out)
    assert caption.read_text(encoding="utf-8") == "edited by hand"
    caption.write_bytes(first[caption])
    (out / "mine.png").write_bytes(b"")
    with pytest.raises(InputError, match="was put there or changed"):
        made(filled, shots, out)
    other = tmp_path / "other"
    (other / "sub").mkdir(parents=True)
    (other / "sub" / "mine.txt").write_text("mine", encoding="utf-8")
    for content in (None, b"{}", b'{"files": []}'):
        if content is not None:
            (other / LIST).write_bytes(content)
        with pytest.raises(InputError, match="holds something else than gallery wrote"):
            made(filled, shots, other)
    with pytest.raises(InputError, match="is no folder"):
        made(filled, shots, shots[0])
    inside = DatasetChoices(KOHYA, paths=[tmp_path / "shots"])
    with pytest.raises(InputError, match="is looked through"):
        made(filled, shots, tmp_path / "shots" / "set", inside)


def test_a_set_that_is_left_leaves_nothing(
    filled: Engine, shots: list[Path], tmp_path: Path
) -> None:
    list(identify_files(filled, shots, keep=True))
    job = dataset(filled, tmp_path / "new" / "set", DatasetChoices(KOHYA))
    for _ in range(3):
        next(job)
    job.close()
    assert list((tmp_path / "new").iterdir()) == []


def test_files_that_are_gone_or_changed_are_told(
    filled: Engine, shots: list[Path], tmp_path: Path
) -> None:
    list(identify_files(filled, shots, keep=True))
    shots[0].unlink()
    save(shots[1], grounded(Square(10, 10, 60, RED), seed=77))
    choices = DatasetChoices(KOHYA, paths=[tmp_path / "shots", tmp_path / "never"])
    events = list(dataset(filled, tmp_path / "set", choices))
    refused = {one.path.name: one.reason for one in events if isinstance(one, Refused)}
    assert refused.keys() == {"0.png", "1.png", "never"}
    assert "has changed since it was labelled" in refused["1.png"]
    assert "was never labelled" in refused["never"]


def test_a_cut_never_leaves_the_picture() -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    head = Box(80, 20, 120, 60)
    assert cut_out(pixels, head, Cut.HEAD).shape == (60, 60, 3)
    assert cut_out(pixels, head, Cut.BUST).shape == (80, 80, 3)
    assert cut_out(pixels, head, Cut.PICTURE).shape == (100, 200, 3)
    assert cut_out(pixels, Box(190, 90, 230, 130), Cut.HEAD).shape == (20, 20, 3)
    assert cut_out(pixels, Box(300, 90, 330, 130), Cut.HEAD).size == 0


def test_the_command_prints_a_table_and_json(
    filled: Engine, shots: list[Path], tmp_path: Path, database: Path
) -> None:
    filled.close()
    folder = tmp_path / "characters" / "Mio"
    for row in range(3):
        save(folder / f"{row}.png", grounded(Square(40, 30, 80, BLUE), seed=row))
    other = tmp_path / "other.db"
    assert call("enroll", "characters", "--cropped", cwd=tmp_path, database=other).code == 0
    labelled = call(
        "label", "characters", "--cropped", "--out", "l.jsonl", cwd=tmp_path, database=other
    )
    assert labelled.code == 0, labelled.stderr
    done = call("dataset", "set", "--alone", "--crop", "head", cwd=tmp_path, database=other)
    assert done.code == 0, done.stderr
    assert done.stdout.splitlines()[0].split()[:3] == ["character", "pictures", "repeats"]
    assert "Mio" in done.stdout
    assert "few pictures, one source, too small" in done.stdout
    done = call(
        "dataset", "set", "characters", "--alone", "--json", "--format", "webdataset",
        cwd=tmp_path, database=other,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    (one,) = json.loads(done.stdout)["characters"]
    assert one["character"] == "Mio"
    assert one["missing"] == ["few pictures", "one source", "too small"]
    done = call(
        "dataset", "more", "--alone", "--character", "mio", "--keep-near", "--repeats", "3",
        "--resolution", "64", "--min-face", "10", "--min-quality", "0.01", "--unsure",
        "--prefix", "character:", "--tags", "booru", "--tag-series", "Sky",
        cwd=tmp_path, database=other,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    captions = sorted((tmp_path / "more" / "img" / "3_Mio").glob("*.txt"))
    assert [one.read_text(encoding="utf-8") for one in captions] == ["character:mio_(sky)"] * 3
    config = tomllib.loads((tmp_path / "more" / "dataset_config.toml").read_text(encoding="utf-8"))
    assert config["datasets"][0]["resolution"] == 64
    # Ready crops show no eyes to the detector that takes them whole, and none is a portrait.
    done = call("dataset", "none", "--alone", "--portrait", cwd=tmp_path, database=other)
    assert "No labelled picture shows any of the characters" in done.complaint
    done = call("dataset", "none", "--alone", "--confirmed", cwd=tmp_path, database=other)
    assert done.code == 1
    assert "No labelled picture shows any of the characters" in done.complaint
    assert not (tmp_path / "none").exists()
    done = call("dataset", "shots", "--alone", cwd=tmp_path, database=other)
    assert done.code == 1
    assert "holds something else than gallery wrote" in done.complaint
