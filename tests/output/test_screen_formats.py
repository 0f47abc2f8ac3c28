"""Who is on screen: each format read by its own library, whatever the characters are called."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import pytest
from lxml import etree
from videos import at_rate, scene, write_video

from gallery.errors import InputError
from gallery.numerics.spans import Span
from gallery.output import registry
from gallery.output.format import Output, OutputOptions
from gallery.output.screen_time import Episodes, seconds_of
from gallery.types import (
    Answer,
    Box,
    Decided,
    Face,
    Match,
    Verdict,
    VideoEnd,
    VideoRecord,
    VideoShot,
    VideoTrack,
)

HOUR = 3600.0

EVIL = (
    'Rei "00" --> <b>Ayanami</b>',
    "Chloé & Söhne; a=b #1 \\N",
    "two\nlines\tof 日向ソラ",
    "\u200fשרה\u200e|{\\an2}",
    "1\n\n00:00:01,000 --> 00:00:02,000",
)

EVERY = 0.5


def answer(name: str | None, verdict: Verdict = Verdict.SURE) -> Answer:
    matches = () if name is None else (Match(name, 0.25),)
    return Answer(Face(Box(10, 10, 50, 60), 0.9), verdict, name, 0.25, matches)


def records(
    path: Path, tracks: Sequence[tuple[Answer, float, float]], end: float = 2 * HOUR
) -> Iterator[VideoRecord]:
    """What labelling says of a video of one shot."""

    def part(part: VideoTrack | VideoShot | VideoEnd, *faces: Answer) -> VideoRecord:
        return VideoRecord(path, 160, 120, "fake", faces=faces, part=part, asked=(0.0, None, EVERY))

    for row, (face, first, last) in enumerate(tracks, 1):
        yield part(VideoTrack(1, row, first, last, first, 3), face)
    yield part(VideoShot(1, 0.0, end, len(tracks), 9))
    yield part(VideoEnd(1, len(tracks), end))


TRACKS = [
    (answer(EVIL[0]), 1.0, 5.0),
    (answer(EVIL[1]), 3.0, 8.0),
    (answer(EVIL[2]), HOUR + 1.25, HOUR + 2.0),
    (answer(EVIL[3]), HOUR + 60.0, HOUR + 61.0),
    (answer(EVIL[4]), HOUR + 100.0, HOUR + 100.0),
    (answer(None, Verdict.UNKNOWN), 0.0, 9.0),
    (answer("Nobody sure", Verdict.UNSURE), 0.0, 9.0),
]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "第1話.mkv", at_rate([scene()] * 4))


def written(
    name: str,
    video: Path,
    target: Path | None = None,
    *,
    tracks: Sequence[tuple[Answer, float, float]] = TRACKS,
    unsure: bool = False,
) -> None:
    output = Output(target, video.parent, "fake", OutputOptions(unsure=unsure))
    writer = registry.open_writer(name, output)
    assert (writer.is_document, writer.takes_videos, writer.name) == (True, True, name)
    for record in records(video, tracks):
        writer.write(record)
    writer.close()


def one_line(name: str) -> str:
    return " ".join(name.split())


def test_webvtt_is_read_by_its_library(video: Path, tmp_path: Path) -> None:
    webvtt = pytest.importorskip("webvtt")
    written("vtt", video, tmp_path / "ep.vtt")
    cues = list(webvtt.read(str(tmp_path / "ep.vtt")))
    assert [(one.start_in_seconds, one.end_in_seconds) for one in cues][:2] == [(1, 5), (3, 8)]
    assert [one.start for one in cues] == [
        "00:00:01.000", "00:00:03.000", "01:00:01.250", "01:01:00.000", "01:01:40.000",
    ]  # fmt: skip
    assert cues[4].end == "01:01:40.500"
    for cue, name in zip(cues, EVIL, strict=True):
        told = cue.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert told == one_line(name)
        assert cue.raw_text.startswith("<v ")
        assert cue.voice is not None


@pytest.mark.parametrize("suffix", ["vtt", "srt"])
def test_subtitles_are_read_by_ffmpeg(suffix: str, video: Path, tmp_path: Path) -> None:
    path = tmp_path / f"ep.{suffix}"
    written(suffix, video, path)
    shown = []
    with av.open(str(path)) as container:
        (stream,) = container.streams.subtitles
        for packet in container.demux(stream):
            for part in packet.decode():
                assert packet.pts is not None
                start = float(packet.pts * packet.time_base)
                text = part.dialogue.decode() if hasattr(part, "dialogue") else ""
                shown.append((start, text))
    starts = [start for start, _ in shown]
    assert starts[0] == 1.0
    assert starts[-1] == pytest.approx(HOUR + 100)
    assert len(shown) == (5 if suffix == "vtt" else 6)
    assert "日向ソラ" in shown[-3][1]
    assert "שרה" in shown[-2][1]
    if suffix == "srt":
        # Who is there at once stands in one cue, a line for each.
        assert starts[:3] == [1.0, 3.0, 5.5]
        assert shown[1][1].count("\n") == 1
        assert "＜b＞Ayanami＜/b＞" in shown[0][1]


def test_matroska_chapters_are_sound_and_cover_the_video(video: Path, tmp_path: Path) -> None:
    written("chapters", video, tmp_path / "ep.xml")
    tree = etree.parse(tmp_path / "ep.xml").getroot()
    atoms = tree.findall("EditionEntry/ChapterAtom")
    titles = [one.findtext("ChapterDisplay/ChapterString") for one in atoms]
    times = [(one.findtext("ChapterTimeStart"), one.findtext("ChapterTimeEnd")) for one in atoms]
    assert titles[:4] == [
        "-",
        one_line(EVIL[0]),
        ", ".join(sorted(map(one_line, EVIL[:2]))),
        one_line(EVIL[1]),
    ]
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(times))
    assert times[0] == ("00:00:00.000000000", "00:00:01.000000000")
    assert times[-1][1] == "02:00:00.042000000"
    numbers = [one.findtext("ChapterUID") for one in atoms]
    assert len(set(numbers)) == len(numbers)
    assert "0" not in numbers


def test_mkvmerge_takes_the_chapters(video: Path, tmp_path: Path) -> None:
    program = shutil.which("mkvmerge")
    if program is None:
        pytest.skip("mkvmerge is not installed; Debian has it in mkvtoolnix")
    written("chapters", video, tmp_path / "ep.xml")
    words = ("--output", tmp_path / "with.mkv", "--chapters", tmp_path / "ep.xml", video)
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    with av.open(str(tmp_path / "with.mkv")) as container:
        found = container.chapters()
    assert found[1]["metadata"]["title"] == one_line(EVIL[0])
    assert [float(one["start"] * (one["time_base"] or 1)) for one in found][:4] == [0, 1, 3, 5.5]


def test_ffmpeg_reads_its_chapters(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "ep.ffmetadata"
    written("ffmetadata", video, path)
    with av.open(str(path), format="ffmetadata") as container:
        found = container.chapters()
    titles = [one["metadata"]["title"] for one in found]
    assert one_line(EVIL[2]) in titles
    assert one_line(EVIL[3]) in titles
    assert ", ".join(sorted(map(one_line, EVIL[:2]))) in titles
    assert [one["start"] for one in found][:4] == [0, 1000, 3000, 5500]
    assert found[-1]["end"] == 7_200_042


def test_markers_count_the_frames_of_the_video(video: Path, tmp_path: Path) -> None:
    written("edl", video, tmp_path / "ep.edl")
    lines = (tmp_path / "ep.edl").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "TITLE: Who is on screen, by gallery: 第1話.mkv"
    events = [line for line in lines if line[:3].isdigit()]
    assert len(events) == len(EVIL)
    assert events[0].split()[4:6] == ["01:00:01:00", "01:00:01:01"]
    assert events[2].split()[4] == "02:00:01:06"
    marks = [line for line in lines if line.startswith(" |C:ResolveColor")]
    assert marks[0].endswith(f"|M:{one_line(EVIL[0])} |D:108")
    assert marks[3].count("|") == 3


def test_the_edit_list_is_read_by_another_program(video: Path, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_cmx3600_adapter", reason="`pip install otio-cmx3600-adapter`")
    written("edl", video, tmp_path / "ep.edl")
    found = otio.adapters.read_from_file(str(tmp_path / "ep.edl"), rate=24)
    starts = [one.source_range.start_time.to_seconds() - HOUR for one in found.find_clips()]
    assert starts == [1.0, 3.0, HOUR + 1.25, HOUR + 60.0, HOUR + 100.0]


def test_opentimelineio_reads_the_time_line(video: Path, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    written("otio", video, tmp_path / "ep.otio")
    found = otio.adapters.read_from_file(str(tmp_path / "ep.otio"))
    (clip,) = found.find_clips()
    assert Path(otio.url_utils.filepath_from_url(clip.media_reference.target_url)) == video
    marked = sorted(
        (one.marked_range.start_time.to_seconds(), one.marked_range.duration.to_seconds(), one.name)
        for one in clip.markers
    )
    assert [one[2] for one in marked] == list(EVIL)
    assert marked[0][:2] == pytest.approx((1.0, 4.5))
    assert marked[2][0] == pytest.approx(HOUR + 1.25)


def test_the_time_line_has_all_tracks(video: Path, tmp_path: Path) -> None:
    written("timeline", video, tmp_path / "ep.json")
    found = json.loads((tmp_path / "ep.json").read_text(encoding="utf-8"))
    assert [one["character"] for one in found["characters"]][:2] == [EVIL[1], EVIL[0]]
    assert found["characters"][0] == {"character": EVIL[1], "seconds": 5.5, "spans": [[3.0, 8.5]]}
    assert found["seconds"] == pytest.approx(2 * HOUR + 0.042)
    assert [one["verdict"] for one in found["tracks"]][-2:] == ["unknown", "unsure"]


@pytest.mark.parametrize("name", registry.ON_SCREEN)
def test_files_lie_beside_the_video_and_come_out_the_same(name: str, video: Path) -> None:
    written(name, video)
    (path,) = [one for one in video.parent.iterdir() if one != video]
    assert path.name == f"第1話.who{registry.FORMATS[name].screen_suffix}"
    before = path.read_bytes()
    written(name, video)
    assert path.read_bytes() == before
    written(name, video, tracks=[])
    written(name, video)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", registry.ON_SCREEN)
def test_a_file_of_somebody_else_is_left_alone(name: str, video: Path) -> None:
    path = video.with_name(f"第1話.who{registry.FORMATS[name].screen_suffix}")
    content = b"1\n00:00:01,000 --> 00:00:02,000\nWords that are spoken.\n\n"
    path.write_bytes(content)
    with pytest.raises(InputError, match="something else than gallery wrote"):
        written(name, video)
    assert path.read_bytes() == content


def test_unsure_names_are_written_where_that_is_wanted(video: Path, tmp_path: Path) -> None:
    written("vtt", video, tmp_path / "ep.vtt", unsure=True)
    assert "Nobody sure" in (tmp_path / "ep.vtt").read_text(encoding="utf-8")
    written("vtt", video, tmp_path / "ep.vtt")
    assert "Nobody sure" not in (tmp_path / "ep.vtt").read_text(encoding="utf-8")


def test_one_file_has_room_for_one_video(video: Path, tmp_path: Path) -> None:
    spec = registry.output_spec(f"vtt:{tmp_path / 'ep.vtt'}")
    registry.require_for_videos([spec])
    with pytest.raises(InputError, match="is for one video, and there are several"):
        registry.require_for_videos([spec], videos=2)
    writer = registry.open_writer("vtt", Output(spec.target, tmp_path, "fake"))
    for record in records(video, TRACKS):
        writer.write(record)
    with pytest.raises(InputError, match="give vtt or vtt:FOLDER"):
        writer.write(next(records(tmp_path / "other.mkv", TRACKS)))


def test_videos_of_one_stem_have_two_files(tmp_path: Path) -> None:
    writer = registry.open_writer("vtt", Output(tmp_path / "below", tmp_path, "fake"))
    for name in ("ep.mkv", "ep.mp4", "other.mkv"):
        for record in records(tmp_path / name, TRACKS):
            writer.write(record)
    writer.close()
    assert sorted(one.name for one in (tmp_path / "below").iterdir()) == [
        "ep.mkv.who.vtt", "ep.mp4.who.vtt", "other.who.vtt",
    ]  # fmt: skip


def test_an_output_names_its_file_of_records() -> None:
    for name in ("vtt", "srt", "edl", "otio", "ffmetadata"):
        records_at, spec = registry.of_records(Path(f"a/ep.{name}"))
        assert records_at == Path("a/ep.jsonl")
        assert spec == registry.OutputSpec(name, Path(f"a/ep.{name}"))
    assert registry.of_records(Path("ep.xml"))[1] == registry.OutputSpec("chapters", Path("ep.xml"))
    for out in (Path("ep.jsonl"), Path("ep.csv"), Path("ep.json")):
        assert registry.of_records(out) == (out, None)


def test_a_face_is_on_screen_until_its_cut_and_twins_count_once(tmp_path: Path) -> None:
    twins = [(answer("Rei"), 1.0, 2.0), (answer("Rei"), 1.5, 3.0), (answer("Rei"), 9.9, 10.0)]
    episodes = Episodes(unsure=False)
    for record in records(tmp_path / "ep.mkv", twins, end=10.0):
        episodes.add(record)
    (one,) = episodes.videos.values()
    spans = one.cast()["Rei"]
    assert spans[0] == Span(1.0, 3.5)
    assert spans[1] == pytest.approx((9.9, 10.0 + 1 / 24))
    assert seconds_of(spans) == pytest.approx(2.5 + 0.1 + 1 / 24)
    assert one.cast(gap=7.0)["Rei"] == (Span(1.0, spans[1].end),)


def test_what_a_person_set_aside_is_nobody(tmp_path: Path) -> None:
    from gallery.output.format import without_set_aside

    aside = Answer(
        Face(Box(10, 10, 50, 60), 0.9), Verdict.UNKNOWN, None, None, (), decided=Decided.IGNORED
    )
    (track, *_) = records(tmp_path / "ep.mkv", [(aside, 1.0, 2.0)])
    assert without_set_aside(track) is None
