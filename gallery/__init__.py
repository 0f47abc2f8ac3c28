"""A character gallery and identification database for anime.

`gallery.open_gallery()` is where a program begins; docs/python.md shows the rest. Importing the
package loads nothing: each name comes with its module when it is first asked for.
"""

import os

__version__ = "0.1.0"

# Where ONNX Runtime finds this when it is imported, it gathers nothing, writes no device's number
# and looks up no name. All of ours imports the package before that.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

TYPE_CHECKING = False  # as type checkers know it; importing typing takes longer than all the rest
if TYPE_CHECKING:
    from gallery.api import Gallery, Job, Picture, open_gallery
    from gallery.audit.proposals import Proposal
    from gallery.errors import (
        BadArchive,
        BadManifest,
        BadName,
        BadOutput,
        BadSetting,
        BrokenRows,
        BusyDatabase,
        BusyFile,
        ChangedProposal,
        ClosedGallery,
        CopyRefused,
        DamagedBackUp,
        DamagedCrop,
        DamagedDatabase,
        DamagedDescriptor,
        DamagedDetector,
        DamagedNetwork,
        DamagedPlace,
        DatabaseFailed,
        DecidedMeanwhile,
        EmptyCharacter,
        EmptyGallery,
        EnrolledFace,
        FallenFigure,
        FetchFailed,
        FullDisk,
        GalleryError,
        GoneFiles,
        HeadSeen,
        InputError,
        LabelledOtherwise,
        LoginRefused,
        LookAlikes,
        LostDatabase,
        LostFile,
        LostServer,
        MissingNetwork,
        MissingPackage,
        NameTaken,
        NetworkPlace,
        NewerArchive,
        NewerGallery,
        NoBackUp,
        NobodyKnown,
        NoFace,
        NoFaceAt,
        NoFaceMarked,
        NoFacePasses,
        NoGallery,
        NoNameToConfirm,
        NoPlace,
        NoRights,
        NoServer,
        NoSuchAlias,
        NoSuchCharacter,
        NoSuchCluster,
        NoSuchDatabase,
        NoSuchDetector,
        NoSuchFace,
        NoSuchFormat,
        NoSuchNetwork,
        NoSuchRejection,
        NoSuchRuntime,
        NoSuchSample,
        NoSuchSeenFace,
        NoSuchSeries,
        NoSuchStep,
        NoSuchVideo,
        NotAGallery,
        NotCropped,
        NotDrawn,
        NotEncoded,
        NothingConfirmed,
        NothingFound,
        NothingSeen,
        NothingToUndo,
        NotInCluster,
        OtherGroup,
        OutgrownCalibration,
        PluginFailed,
        ReadOnlyDatabase,
        ReferencesUndone,
        RenamedFolder,
        SamePicture,
        SetupError,
        SeveralFaces,
        StaleCalibration,
        StoreError,
        TooFewFaces,
        UnfetchableNetwork,
        UnfinishedCopy,
        Unnameable,
        UnnamedFolders,
        UnplacedPicture,
        UnreadableDatabase,
        UnreadableFile,
        UnreadableMetadata,
        UnreadablePicture,
        UnreadableVideo,
        UnusableDetector,
        UnusableFile,
        UnwritableFile,
        WhichFace,
        WhichOfFaces,
        WrongRuntime,
    )
    from gallery.evaluation.decided import DecidedEvaluation
    from gallery.evaluation.evaluate import Evaluation
    from gallery.events import (
        Advanced,
        Arrived,
        Described,
        EnrolEvent,
        EnrolmentStarted,
        EnrolmentSummary,
        Event,
        Finished,
        Gathered,
        Identified,
        LabelEvent,
        Labelled,
        LabellingStarted,
        LabelSummary,
        LeftOut,
        Noticed,
        PassedOver,
        Refused,
        Started,
        VideoStarted,
        Waiting,
    )
    from gallery.identify.calibration.calibrate import Calibrated
    from gallery.jobs.answers import Renewal
    from gallery.jobs.cluster import Cluster, Clusters
    from gallery.jobs.compare import Comparison
    from gallery.jobs.corrections import Corrected
    from gallery.jobs.dataset_report import Dataset
    from gallery.jobs.harvest import Harvested, HarvestEvent
    from gallery.jobs.name import Named
    from gallery.jobs.reencode import Reencoded
    from gallery.jobs.references import Reference, References
    from gallery.output.arrays import FaceTable
    from gallery.output.format import OutputOptions, Placing, TagStyle
    from gallery.output.records import as_json
    from gallery.output.screen_time import Episode
    from gallery.output.training_set import Cut, SetFormat
    from gallery.store.answers import AnswerCount, AnswerCounts, AnswerPage, StoredAnswer
    from gallery.store.archive import Imported
    from gallery.store.rejections import Rejection
    from gallery.store.sightings import Sighting
    from gallery.store.steps import DecidedFace, Step, Undone
    from gallery.types import (
        Answer,
        Box,
        Candidate,
        Character,
        Decided,
        DescribedFace,
        Enrolled,
        Face,
        FaceState,
        Image,
        Landmarks,
        Match,
        MatchMode,
        Outcome,
        Point,
        Quality,
        Record,
        Retired,
        Sample,
        Source,
        Verdict,
        VideoEnd,
        VideoRecord,
        VideoShot,
        VideoTrack,
    )
else:
    _HOMES = {
        "api": "Gallery Job Picture open_gallery",
        "audit.proposals": "Proposal",
        "errors": "BadArchive BadManifest BadName BadOutput BadSetting BrokenRows BusyDatabase "
        "BusyFile ChangedProposal ClosedGallery CopyRefused DamagedBackUp DamagedCrop "
        "DamagedDatabase DamagedDescriptor DamagedDetector DamagedNetwork DamagedPlace "
        "DatabaseFailed DecidedMeanwhile EmptyCharacter EmptyGallery EnrolledFace "
        "FallenFigure FetchFailed FullDisk GalleryError GoneFiles HeadSeen InputError "
        "LabelledOtherwise LoginRefused LookAlikes LostDatabase LostFile LostServer "
        "MissingNetwork MissingPackage NameTaken NetworkPlace NewerArchive NewerGallery "
        "NoBackUp NoFace NoFaceAt NoFaceMarked NoFacePasses NoGallery NoNameToConfirm "
        "NoPlace NoRights NoServer NoSuchAlias NoSuchCharacter NoSuchCluster NoSuchDatabase "
        "NoSuchDetector NoSuchFace NoSuchFormat NoSuchNetwork NoSuchRejection "
        "NoSuchRuntime NoSuchSample NoSuchSeenFace NoSuchSeries NoSuchStep NoSuchVideo NobodyKnown "
        "NotAGallery NotCropped NotDrawn NotEncoded NotInCluster NothingConfirmed "
        "NothingFound NothingSeen NothingToUndo OtherGroup OutgrownCalibration "
        "PluginFailed ReadOnlyDatabase ReferencesUndone RenamedFolder SamePicture SetupError "
        "SeveralFaces StaleCalibration StoreError TooFewFaces UnfetchableNetwork "
        "UnfinishedCopy Unnameable UnnamedFolders UnplacedPicture UnreadableDatabase "
        "UnreadableFile UnreadableMetadata UnreadablePicture UnreadableVideo "
        "UnusableDetector UnusableFile UnwritableFile WhichFace WhichOfFaces "
        "WrongRuntime",
        "evaluation.decided": "DecidedEvaluation",
        "evaluation.evaluate": "Evaluation",
        "events": "Advanced Arrived Described EnrolEvent EnrolmentStarted EnrolmentSummary "
        "Event Finished Gathered Identified LabelEvent LabelSummary Labelled LabellingStarted "
        "LeftOut PassedOver Refused Started VideoStarted Waiting Noticed",
        "identify.calibration.calibrate": "Calibrated",
        "jobs.cluster": "Cluster Clusters",
        "jobs.compare": "Comparison",
        "jobs.corrections": "Corrected",
        "jobs.dataset_report": "Dataset",
        "jobs.harvest": "HarvestEvent Harvested",
        "jobs.name": "Named",
        "jobs.references": "Reference References",
        "jobs.reencode": "Reencoded",
        "output.arrays": "FaceTable",
        "output.format": "OutputOptions Placing TagStyle",
        "output.records": "as_json",
        "output.screen_time": "Episode",
        "output.training_set": "Cut SetFormat",
        "store.archive": "Imported",
        "store.rejections": "Rejection",
        "store.sightings": "Sighting",
        "jobs.answers": "Renewal",
        "store.answers": "AnswerCount AnswerCounts AnswerPage StoredAnswer",
        "store.steps": "DecidedFace Step Undone",
        "types": "Answer Box Candidate Character Decided DescribedFace Enrolled Face FaceState "
        "Image Landmarks "
        "Match MatchMode Outcome Point Quality Record Retired Sample Source Verdict VideoEnd "
        "VideoRecord VideoShot VideoTrack",
    }

    def __getattr__(name):
        """Return a name of __all__ from the module that has it."""
        import importlib

        for home, names in _HOMES.items():
            if name in names.split():
                return getattr(importlib.import_module(f"gallery.{home}"), name)
        if name == "OpenGallery":
            raise AttributeError("gallery.OpenGallery is called gallery.Gallery now.")
        raise AttributeError(f"module 'gallery' has no attribute {name!r}")

    def __dir__():
        """List these names, too."""
        return sorted({*globals(), *__all__})


__all__ = [
    "Advanced",
    "Answer",
    "AnswerCount",
    "AnswerCounts",
    "AnswerPage",
    "Arrived",
    "BadArchive",
    "BadManifest",
    "BadName",
    "BadOutput",
    "BadSetting",
    "Box",
    "BrokenRows",
    "BusyDatabase",
    "BusyFile",
    "Calibrated",
    "Candidate",
    "ChangedProposal",
    "Character",
    "ClosedGallery",
    "Cluster",
    "Clusters",
    "Comparison",
    "CopyRefused",
    "Corrected",
    "Cut",
    "DamagedBackUp",
    "DamagedCrop",
    "DamagedDatabase",
    "DamagedDescriptor",
    "DamagedDetector",
    "DamagedNetwork",
    "DamagedPlace",
    "DatabaseFailed",
    "Dataset",
    "Decided",
    "DecidedEvaluation",
    "DecidedFace",
    "DecidedMeanwhile",
    "Described",
    "DescribedFace",
    "EmptyCharacter",
    "EmptyGallery",
    "EnrolEvent",
    "Enrolled",
    "EnrolledFace",
    "EnrolmentStarted",
    "EnrolmentSummary",
    "Episode",
    "Evaluation",
    "Event",
    "Face",
    "FaceState",
    "FaceTable",
    "FallenFigure",
    "FetchFailed",
    "Finished",
    "FullDisk",
    "Gallery",
    "GalleryError",
    "Gathered",
    "GoneFiles",
    "HarvestEvent",
    "Harvested",
    "HeadSeen",
    "Identified",
    "Image",
    "Imported",
    "InputError",
    "Job",
    "LabelEvent",
    "LabelSummary",
    "Labelled",
    "LabelledOtherwise",
    "LabellingStarted",
    "Landmarks",
    "LeftOut",
    "LoginRefused",
    "LookAlikes",
    "LostDatabase",
    "LostFile",
    "LostServer",
    "Match",
    "MatchMode",
    "MissingNetwork",
    "MissingPackage",
    "NameTaken",
    "Named",
    "NetworkPlace",
    "NewerArchive",
    "NewerGallery",
    "NoBackUp",
    "NoFace",
    "NoFaceAt",
    "NoFaceMarked",
    "NoFacePasses",
    "NoGallery",
    "NoNameToConfirm",
    "NoPlace",
    "NoRights",
    "NoServer",
    "NoSuchAlias",
    "NoSuchCharacter",
    "NoSuchCluster",
    "NoSuchDatabase",
    "NoSuchDetector",
    "NoSuchFace",
    "NoSuchFormat",
    "NoSuchNetwork",
    "NoSuchRejection",
    "NoSuchRuntime",
    "NoSuchSample",
    "NoSuchSeenFace",
    "NoSuchSeries",
    "NoSuchStep",
    "NoSuchVideo",
    "NobodyKnown",
    "NotAGallery",
    "NotCropped",
    "NotDrawn",
    "NotEncoded",
    "NotInCluster",
    "NothingConfirmed",
    "NothingFound",
    "NothingSeen",
    "NothingToUndo",
    "Noticed",
    "OtherGroup",
    "Outcome",
    "OutgrownCalibration",
    "OutputOptions",
    "PassedOver",
    "Picture",
    "Placing",
    "PluginFailed",
    "Point",
    "Proposal",
    "Quality",
    "ReadOnlyDatabase",
    "Record",
    "Reencoded",
    "Reference",
    "References",
    "ReferencesUndone",
    "Refused",
    "Rejection",
    "RenamedFolder",
    "Renewal",
    "Retired",
    "SamePicture",
    "Sample",
    "SetFormat",
    "SetupError",
    "SeveralFaces",
    "Sighting",
    "Source",
    "StaleCalibration",
    "Started",
    "Step",
    "StoreError",
    "StoredAnswer",
    "TagStyle",
    "TooFewFaces",
    "Undone",
    "UnfetchableNetwork",
    "UnfinishedCopy",
    "Unnameable",
    "UnnamedFolders",
    "UnplacedPicture",
    "UnreadableDatabase",
    "UnreadableFile",
    "UnreadableMetadata",
    "UnreadablePicture",
    "UnreadableVideo",
    "UnusableDetector",
    "UnusableFile",
    "UnwritableFile",
    "Verdict",
    "VideoEnd",
    "VideoRecord",
    "VideoShot",
    "VideoStarted",
    "VideoTrack",
    "Waiting",
    "WhichFace",
    "WhichOfFaces",
    "WrongRuntime",
    "as_json",
    "open_gallery",
]
