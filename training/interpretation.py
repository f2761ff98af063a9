"""What the figures of an evaluation mean, in sentences worked out from them: each depends on a comparison, none is always there."""

from typing import Final

import msgspec

from core.shares import percent
from training import interpretation_corruptions, watch
from training.evaluation import Estimate, Evaluation, Point
from training.names import BACTERIAL, VIRAL
from training.records import AgainstShortcut

_FEW_PATIENTS: Final = 30
_LOOSELY, _FOLLOWED = 0.2, 0.4  # rank correlation with the shortcut within a class
_SEEN: Final = (
    "This is the data set that the model was trained on, by its digest: the figures say how well it remembers, not what it will do for "
    "other patients."
)
_CALIBRATED, _WIDE = 0.03, 0.05  # the latter is half an interval


def interpret(evaluation: Evaluation) -> Evaluation:
    """Return the evaluation with its sentences, by section of the page."""
    sections = {
        "summary": _summary(evaluation),
        "data": _data(evaluation),
        "discrimination": _discrimination(evaluation),
        "thresholds": _thresholds(evaluation),
        "calibration": _calibration(evaluation),
        "kinds": _kinds(evaluation),
        "indeterminate": _indeterminate(evaluation),
        "corruptions": interpretation_corruptions.sentences(evaluation),
        "against_shortcut": _against_shortcut(evaluation),
        "mistakes": _mistakes(evaluation),
        "guard": watch.sentences(evaluation),
    }
    return msgspec.structs.replace(evaluation, sentences={name: tuple(sentences) for name, sentences in sections.items()})


def shown(estimate: Estimate) -> str:
    """Put a figure into words: "0.971 (0.958 to 0.982)", or why there is none."""
    if estimate.value is None:
        return f"not measured: {estimate.why_not}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _summary(evaluation: Evaluation) -> list[str]:
    model, facts, measured = evaluation.model, evaluation.dataset, evaluation.metrics
    unread = f"; {len(facts.unreadable)} more could not be read" if facts.unreadable else ""
    calibration = f"Calibration error {measured.calibration_error:.3f}."
    if {BACTERIAL, VIRAL} <= set(model.labels):
        calibration = f"Bacterial against viral: AUROC {shown(measured.bacterial_vs_viral_auroc)}. {calibration}"
    return [
        f"{model.name} {model.version} on {facts.name}: {facts.pictures} pictures of {facts.patients} patients, {facts.normal} normal and "
        f"{facts.pneumonia} with pneumonia{unread}.",
        *([_SEEN] if facts.seen_in_training else []),
        f'AUROC {shown(measured.auroc)}. At "{evaluation.operating_point}": accuracy {shown(measured.accuracy)}, sensitivity '
        f"{shown(measured.sensitivity)}, specificity {shown(measured.specificity)}.",
        calibration,
        *watch.sentences(evaluation),
    ]


def _data(evaluation: Evaluation) -> list[str]:
    facts, said = evaluation.dataset, []
    if facts.seen_in_training:
        said.append(_SEEN)
    if facts.pictures_without_patient:
        everything = "No file name tells" if facts.pictures_without_patient == facts.pictures else "Some file names do not tell"
        said.append(
            f"{everything} the patient ({facts.pictures_without_patient} of {facts.pictures} pictures): each of these pictures stands for "
            "a patient of its own, so the intervals are too narrow where several show the same person."
        )
    for count, name in ((facts.normal, "normal"), (facts.pneumonia, "pneumonia")):
        if count == 0:
            said.append(f"The class {name} is missing: whatever compares the two classes cannot be measured.")
    if facts.patients < _FEW_PATIENTS:
        said.append(f"With {facts.patients} patients the intervals are rough: a bootstrap of so few knows little of patients not drawn.")
    if facts.identical_pictures:
        said.append(f"Pictures that repeat another one byte for byte: {facts.identical_pictures}. They count, and are drawn together.")
    if facts.unreadable:
        codes = sorted({one.code for one in facts.unreadable})
        said.append(f"Files left out: {len(facts.unreadable)} ({', '.join(codes)}); no figure knows of them.")
    if facts.ignored_folders:
        said.append(f"Folders that are no class of the package were passed over: {', '.join(facts.ignored_folders)}.")
    return said


def _discrimination(evaluation: Evaluation) -> list[str]:
    auroc, said = evaluation.metrics.auroc, []
    if auroc.value is None or auroc.low is None or auroc.high is None:
        return [f"There is no ROC curve: {auroc.why_not}."]
    said.append(f"A picture with pneumonia gets a higher probability than a normal one in {percent(auroc.value)} of all pairs.")
    if auroc.low < auroc.high:
        said.append(f"Its 95 % confidence interval, for patients like these, goes from {percent(auroc.low)} to {percent(auroc.high)}.")
    else:
        said.append("No draw of patients gives another figure, so the interval says nothing: there are too few hard pictures here.")
    if auroc.low <= 0.5:
        said.append("The interval reaches 0.5: the model is not shown to be better than chance here.")
    if (auroc.high - auroc.low) / 2.0 > _WIDE:
        said.append("The interval is wide: more patients would say more than another model.")
    return said


def _thresholds(evaluation: Evaluation) -> list[str]:
    point = evaluation.point
    # What training promises it measured on the very patients whom it held out.
    said = [] if evaluation.dataset.held_out else [*_against_promise(point, "sensitivity"), *_against_promise(point, "specificity")]
    rows = [row for row in evaluation.curves.thresholds if row.balanced_accuracy is not None]
    here = point.balanced_accuracy
    if not rows or here.value is None or here.low is None or here.high is None:
        return said
    best = max(rows, key=lambda row: row.balanced_accuracy or 0.0)
    gain = (best.balanced_accuracy or 0.0) - here.value
    if gain > here.high - here.value and gain > 0.01:
        way = "higher" if best.threshold > point.threshold else "lower"
        said.append(
            f"The order of the pictures is better than the threshold: a {way} one, {best.threshold:.2f} in place of {point.threshold:.2f}, "
            f"would give balanced accuracy {best.balanced_accuracy:.3f} in place of {here.value:.3f} on these pictures. It was picked on "
            "them, so it flatters; calibrate on pictures of this place to choose one."
        )
    else:
        said.append(f"No threshold is clearly better than {point.threshold:.2f} here: the best gains {max(gain, 0.0):.3f}.")
    return said


def _against_promise(point: Point, name: str) -> list[str]:
    promised: Estimate = getattr(point, f"promised_{name}")
    here: Estimate = getattr(point, name)
    if here.value is None or here.low is None or here.high is None or promised.value is None:
        return [f'The {name} of "{point.name}" is {shown(here)}.']
    said = f'The package promises {name} {promised.value:.3f} at "{point.name}"; here it is {shown(here)}'
    if here.high < promised.value:
        return [f"{said}, clearly less: these pictures differ from those that it was measured on."]
    if here.low > promised.value:
        return [f"{said}, clearly more."]
    return [f"{said}, which agrees within chance."]


def _calibration(evaluation: Evaluation) -> list[str]:
    bins, error = evaluation.curves.reliability, evaluation.metrics.calibration_error
    pictures = sum(one.pictures for one in bins)
    gap = sum(one.pictures * (one.mean_probability - one.share_with_pneumonia) for one in bins) / pictures
    said = [f"On average the probability is {100 * error:.1f} points away from the share of pictures that have pneumonia."]
    if error <= _CALIBRATED:
        said.append("On pictures like these, with as much pneumonia among them, it means what it says on the whole.")
    elif abs(gap) > error / 2.0:
        way, other = ("too high", "rarer") if gap > 0 else ("too low", "more common")
        said.append(
            f"It is {way} by {100 * abs(gap):.1f} points on the whole: pneumonia is {other} here than where the model was calibrated, or "
            "these pictures look otherwise."
        )
    else:
        said.append("It is too high in some ranges and too low in others, which a temperature would not mend at once.")
    worst = max(bins, key=lambda one: one.pictures * abs(one.mean_probability - one.share_with_pneumonia))
    if not worst.share_low <= worst.mean_probability <= worst.share_high:
        said.append(
            f"Most of it comes from probabilities of {worst.low:.1f} to {worst.high:.1f} ({worst.pictures} pictures): said "
            f"{percent(worst.mean_probability, 0)}, seen {percent(worst.share_with_pneumonia, 0)}."
        )
    return said


def _kinds(evaluation: Evaluation) -> list[str]:
    kinds = [kind for kind in evaluation.kinds if kind.sensitivity.value is not None]
    if not kinds:
        return ["No file or folder name tells a kind of pneumonia."]
    said = [
        f"{kind.kind.capitalize()}: found in {shown(kind.sensitivity)}, called by its name in {shown(kind.named_right)}." for kind in kinds
    ]
    if len(kinds) > 1:
        low, high = (pick(kinds, key=lambda kind: kind.sensitivity.value or 0.0) for pick in (min, max))
        apart = (low.sensitivity.high or 0.0) < (high.sensitivity.low or 0.0)
        said.append(
            f"{low.kind.capitalize()} is missed more often than {high.kind}."
            if apart
            else "Neither kind is missed more often than the other beyond chance."
        )
    auroc = evaluation.metrics.bacterial_vs_viral_auroc
    if auroc.value is not None:
        said.append(f"Bacterial against viral: AUROC {shown(auroc)}. In the public data set these labels are weak.")
    return said


def _indeterminate(evaluation: Evaluation) -> list[str]:
    zone = evaluation.indeterminate
    if zone.pictures == 0:
        return ["No picture is called indeterminate at this operating point."]
    said = [
        f"Indeterminate: {zone.pictures} of {evaluation.dataset.pictures} pictures ({percent(zone.share.value or 0.0)}), "
        f"{zone.with_pneumonia} of them with pneumonia. Left to a person, the rest has accuracy {shown(zone.decided.accuracy)}."
    ]
    wrong = len(evaluation.mistakes)
    caught = sum(mistake.decision == "indeterminate" for mistake in evaluation.mistakes)
    if wrong:
        said.append(f"The zone holds {caught} of the {wrong} mistakes ({percent(caught / wrong, 0)}).")
    return said


def _against_shortcut(evaluation: Evaluation) -> list[str]:
    found = evaluation.against_shortcut
    if found is None or found.fall.value is None:
        return [] if found is None else [f"Not measured: {found.fall.why_not}"]
    said = [
        f"From size, sharpness and brightness of the files alone pneumonia is told with AUROC {shown(found.shortcut_auroc)}; on the "
        f"{found.pictures} pictures that look most like the other class, with {shown(found.adverse_shortcut_auroc)}. There the model has "
        f"{shown(found.auroc)}."
    ]
    if (found.shortcut_auroc.low or 0.0) <= 0.5:
        return [*said, "These files do not give the class away, so this says little about the model."]
    return [*said, _leaning(found)]


def _leaning(found: AgainstShortcut) -> str:
    fall, low = found.fall.value or 0.0, found.fall.low or 0.0
    falls = f"balanced accuracy falls by {100 * fall:.1f} points there" if fall > 0.0 else "balanced accuracy does not fall there"
    classes = {"normal": found.correlation_normal.value or 0.0, "pneumonia": found.correlation_pneumonia.value or 0.0}
    name, closest = max(classes.items(), key=lambda item: item[1])
    told = f"(rank correlation {closest:.2f} among those of class {name})"
    if closest >= _FOLLOWED:
        held = falls if low > 0.0 else "its decisions hold there, though they may not in another hospital"
        return f"The model leans on the shortcut: its probability follows the files within a class {told}, and {held}."
    if low > 0.0 and fall > interpretation_corruptions.MOST_FALL:
        return f"Where the files mislead {falls}, yet the probability hardly follows them {told}: they may be hard otherwise."
    how = f"its probability {'only loosely' if closest >= _LOOSELY else 'hardly'} follows the files {told}"
    return f"Nothing here says that the model leans on the shortcut: {falls}, and {how}."


def _mistakes(evaluation: Evaluation) -> list[str]:
    missed, alarms = evaluation.confusion.false_negative, evaluation.confusion.false_positive
    if not missed + alarms:
        return ["Every picture is on the right side of the threshold."]
    sure = sum(mistake.decision != "indeterminate" for mistake in evaluation.mistakes)
    return [
        f"Missed: {missed} with pneumonia. False alarms: {alarms} normal. Of these {missed + alarms}, {sure} "
        f"{'is' if sure == 1 else 'are'} outside the indeterminate zone, where nobody would look again."
    ]
