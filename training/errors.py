"""What can go wrong in training, each with a stable code, so that the terminal shows "error: code: sentence" and no traceback."""

from core.errors import PneumoniaError


class TrainingError(PneumoniaError):
    """Base of what a training command can meet."""


class DatasetMissing(TrainingError):
    """The data set's folder is not there."""

    code = "dataset_missing"


class NoClassFolders(TrainingError):
    """The folder does not hold one folder per class."""

    code = "no_class_folders"


class NoPictures(TrainingError):
    """The class folders hold no picture, or none that can be read."""

    code = "no_pictures"


class NoNetwork(TrainingError):
    """The server does not answer."""

    code = "no_network"


class DownloadRefused(TrainingError):
    """The server answers, and will not give the file."""

    code = "download_refused"


class DownloadInterrupted(TrainingError):
    """The download broke off again and again; what came is kept."""

    code = "download_interrupted"


class WrongDigest(TrainingError):
    """The file is not the one that was promised."""

    code = "wrong_digest"


class DiskFull(TrainingError):
    """There is no room for a file."""

    code = "disk_full"


class ArchiveUnreadable(TrainingError):
    """The archive is none, or damaged."""

    code = "archive_unreadable"


class ArchiveUnsafe(TrainingError):
    """The archive holds what must not be unpacked."""

    code = "archive_unsafe"


class FileExists(TrainingError):
    """Another file has the name of one that is to be written."""

    code = "file_exists"


class UnknownKind(TrainingError):
    """The kind of pneumonia cannot be read from a file's name."""

    code = "unknown_kind"


class TooFewPatients(TrainingError):
    """A kind has too few patients to be split."""

    code = "too_few_patients"


class UnknownArchitecture(TrainingError):
    """No architecture has that name."""

    code = "unknown_architecture"


class InitialWeightsUnusable(TrainingError):
    """The initial weights cannot be had or do not fit the architecture."""

    code = "initial_weights_unusable"


class RunMismatch(TrainingError):
    """The work folder holds a run of another data set or configuration."""

    code = "run_mismatch"


class InvalidOption(TrainingError):
    """An option of the command has a value that makes no sense."""

    code = "invalid_option"


class ParityBroken(TrainingError):
    """The converted network does not answer as the Keras model does."""

    code = "parity_broken"


class ConversionFailed(TrainingError):
    """The Keras model cannot be converted for serving."""

    code = "conversion_failed"


class PackageExists(TrainingError):
    """The output folder holds something that must not be replaced."""

    code = "package_exists"


class NothingToEvaluate(TrainingError):
    """The data set holds no readable picture."""

    code = "nothing_to_evaluate"


class InvalidConfiguration(TrainingError):
    """The configuration file cannot be read, or holds what makes no sense."""

    code = "invalid_configuration"


class CannotWrite(TrainingError):
    """A checkpoint, a result or a report cannot be written, for another reason than a full disk: a folder that is read-only."""

    code = "cannot_write"


class InvalidPredictions(TrainingError):
    """A file with predictions is not what it should be."""

    code = "invalid_predictions"


class SeenInTraining(TrainingError):
    """The network has learned from the very pictures that should judge it."""

    code = "seen_in_training"


class NotTrainedOn(TrainingError):
    """The held-out patients of a data set are asked for that the package was not trained on."""

    code = "not_trained_on"


class UnreadableModel(TrainingError):
    """A model file from elsewhere cannot be read, or is no network from one picture to one row of numbers."""

    code = "unreadable_model"


class UnsafeModel(TrainingError):
    """A model file from elsewhere carries Python code, or operations that touch files."""

    code = "unsafe_model"


class ConventionUnknown(TrainingError):
    """Neither the model nor the options tell what its inputs or outputs mean."""

    code = "convention_unknown"


class LabelsContradicted(TrainingError):
    """On labelled pictures the model says the opposite of what its labels were said to be."""

    code = "labels_contradicted"


class EvaluationMismatch(TrainingError):
    """An evaluation's report cannot be read, or is of another package."""

    code = "evaluation_mismatch"


class RunUnusable(TrainingError):
    """A folder is neither a package nor a finished run that can be exported."""

    code = "run_unusable"


class NothingToCompare(TrainingError):
    """A folder holds neither a model package nor a cross-validation."""

    code = "nothing_to_compare"
