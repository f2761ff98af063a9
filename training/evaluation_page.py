"""An evaluation as a page: each section with its sentences, its table and its figure."""

from collections.abc import Callable, Sequence
from typing import Final

from training import figures, mistake_pictures, pages
from training.evaluate import Examined
from training.evaluation import Estimate, Evaluation, Rates
from training.interpretation import shown
from training.pages import Picture, Section, Table

_RATES: Final = (
    ("accuracy", "accuracy"),
    ("balanced accuracy", "balanced_accuracy"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("positive predictive value", "positive_predictive_value"),
    ("negative predictive value", "negative_predictive_value"),
)
_AREAS: Final = (
    ("AUROC, pneumonia against normal", "auroc"),
    ("AUPRC, pneumonia against normal", "auprc"),
    ("AUROC, viral against bacterial", "bacterial_vs_viral_auroc"),
)


def render(examined: Examined) -> str:
    """Return the page as HTML. It shows pictures of patients: keep it where the pictures may be."""
    evaluation = examined.evaluation
    sections = [section(evaluation) for section in _SECTIONS]
    sections.insert(-1, _mistakes(examined))
    title = f"{evaluation.model.name} {evaluation.model.version} on {evaluation.dataset.name}"
    return pages.render(title, evaluation.sentences["summary"][0], sections)


def _section(evaluation: Evaluation, title: str, name: str, tables: Sequence[Table] = (), pictures: Sequence[Picture] = ()) -> Section:
    return Section(title, evaluation.sentences[name], tables, pictures)


def _figures(evaluation: Evaluation) -> Section:
    measured = evaluation.metrics
    rows = [(title, shown(getattr(measured, field))) for title, field in (*_AREAS, *_RATES)]
    rows += [("expected calibration error", f"{measured.calibration_error:.4f}"), ("Brier score", f"{measured.brier:.4f}")]
    caption = f"Decisions at {evaluation.operating_point}; an indeterminate picture counts by its side. Intervals: {evaluation.intervals}."
    return Section("Figures", evaluation.sentences["summary"][1:], [Table(("figure", "value (95 % interval)"), rows, caption)])


def _data(evaluation: Evaluation) -> Section:
    facts = evaluation.dataset
    rows = [("normal", str(facts.normal)), ("pneumonia", str(facts.pneumonia))]
    rows += [(f"of these {kind}", str(count)) for kind, count in facts.kinds.items()]
    rows += [("patients", str(facts.patients)), ("files left out", str(len(facts.unreadable)))]
    tables = [Table(("what", "count"), rows)]
    if facts.unreadable:
        left_out = [(one.file, one.code, one.detail) for one in facts.unreadable]
        tables.append(Table(("file", "code", "reason"), left_out, "Files that were left out"))
    return _section(evaluation, "Data", "data", tables)


def _confusion(evaluation: Evaluation) -> Section:
    counts = evaluation.confusion
    rows = [
        (row.label, _number(row.precision), _number(row.recall), _number(row.f1), str(row.pictures))
        for row in evaluation.classification_report
    ]
    report = Table(("class", "precision", "recall", "F1", "pictures"), rows, "Classification report, by side of the threshold")
    tables = [report]
    if counts.kinds:
        columns = list(next(iter(counts.kinds.values())))
        kinds = [(truth, *(str(answers[column]) for column in columns)) for truth, answers in counts.kinds.items()]
        tables.append(Table(("truth", *columns), kinds, "Kinds: rows are the truth, columns the answer"))
    side = (
        f"By side of the threshold: {counts.true_positive} true and {counts.false_positive} false positives, {counts.true_negative} true "
        f"and {counts.false_negative} false negatives."
    )
    return Section("Confusion", [side], tables, [Picture(figures.confusion(counts), side)])


def _discrimination(evaluation: Evaluation) -> Section:
    curves, facts, drawn = evaluation.curves, evaluation.dataset, []
    if curves.roc:
        drawn.append(Picture(figures.roc(curves.roc, evaluation.operating_points), "ROC curve, and its upper left corner"))
    if curves.precision_recall:
        drawn.append(Picture(figures.precision_recall(curves.precision_recall, facts.pneumonia / facts.pictures), "precision over recall"))
    return _section(evaluation, "Discrimination", "discrimination", pictures=drawn)


def _thresholds(evaluation: Evaluation) -> Section:
    rows = [
        (
            point.name,
            f"{point.threshold:.4f}",
            f"{point.indeterminate_from:.3f} to {point.indeterminate_to:.3f}"
            if point.indeterminate_from < point.indeterminate_to
            else "none",
            shown(point.sensitivity),
            _number(point.promised_sensitivity.value),
            shown(point.specificity),
            _number(point.promised_specificity.value),
        )
        for point in evaluation.operating_points
    ]
    heading = ("point", "threshold", "indeterminate", "sensitivity", "promised", "specificity", "promised")
    drawn = figures.thresholds(evaluation.curves.thresholds, evaluation.point)
    alt = "sensitivity, specificity and balanced accuracy over the threshold"
    return _section(evaluation, "Operating points", "thresholds", [Table(heading, rows)], [Picture(drawn, alt)])


def _calibration(evaluation: Evaluation) -> Section:
    drawn = figures.reliability(evaluation.curves.reliability)
    counted = figures.probabilities(evaluation.curves.reliability, evaluation.point)
    pictures = [Picture(drawn, "share with pneumonia over the probability"), Picture(counted, "pictures of each class by probability")]
    return _section(evaluation, "Calibration", "calibration", pictures=pictures)


def _kinds(evaluation: Evaluation) -> Section:
    rows = [(kind.kind, str(kind.pictures), shown(kind.sensitivity), shown(kind.named_right)) for kind in evaluation.kinds]
    tables = [Table(("kind", "pictures", "found", "called by its name"), rows)] if rows else []
    return _section(evaluation, "Kinds of pneumonia", "kinds", tables)


def _indeterminate(evaluation: Evaluation) -> Section:
    zone = evaluation.indeterminate

    def value(rates: Rates, field: str) -> str:
        figure: Estimate = getattr(rates, field)
        return shown(figure)

    rows = [(title, value(evaluation.metrics, field), value(zone.decided, field)) for title, field in _RATES]
    tables = [Table(("figure", "all pictures", "indeterminate ones left to a person"), rows)] if zone.pictures else []
    return _section(evaluation, "Indeterminate", "indeterminate", tables)


def _corruptions(evaluation: Evaluation) -> Section:
    if not evaluation.corruptions:
        return Section("Corruptions", ["Not measured: --corruptions none."])
    rows = [
        (
            row.name,
            f"{row.degree}: {row.amount}",
            _number(row.auroc),
            _number(row.sensitivity),
            _number(row.specificity),
            _number(row.balanced_accuracy),
            "-" if row.fall.value is None else f"{round(100 * row.fall.value, 1) + 0.0:+.1f}",
        )
        for row in evaluation.corruptions
    ]
    heading = ("corruption", "degree", "AUROC", "sensitivity", "specificity", "balanced accuracy", "fall, points")
    caption = "The same pictures at the network's size. Fall: of balanced accuracy against the pictures as they are."
    measured = any(row.fall.value is not None for row in evaluation.corruptions)
    drawn = [Picture(figures.corruptions(evaluation.corruptions), "fall of balanced accuracy under each corruption")] if measured else []
    return _section(evaluation, "Corruptions", "corruptions", [Table(heading, rows, caption)], drawn)


def _against_shortcut(evaluation: Evaluation) -> Section:
    found = evaluation.against_shortcut
    if found is None or found.fall.value is None:
        return _section(evaluation, "Against the shortcut", "against_shortcut")
    everywhere = evaluation.metrics
    rows = [("AUROC of the files alone", shown(found.shortcut_auroc), shown(found.adverse_shortcut_auroc))]
    for title, field in (("AUROC", "auroc"), *_RATES[1:4]):
        rows.append((title, shown(getattr(everywhere, field)), shown(getattr(found, field))))
    caption = (
        f"Adverse: {found.normal} normal and {found.pneumonia} pneumonia pictures of {found.patients} patients, the third of each class "
        "whose files look most like the other one."
    )
    sides = Table(("figure", "all pictures", "adverse pictures"), rows, caption)
    correlations = [("normal", shown(found.correlation_normal)), ("pneumonia", shown(found.correlation_pneumonia))]
    follows = Table(("class", "rank correlation of the model with the files"), correlations)
    return _section(evaluation, "Against the shortcut", "against_shortcut", [sides, follows])


def _mistakes(examined: Examined) -> Section:
    evaluation = examined.evaluation
    file_of = {answer.case.shown: answer.case.file for answer in examined.table.answered}
    sentences, drawn = list(evaluation.sentences["mistakes"]), []
    for truth, name in mistake_pictures.SORTS:
        wrong = [(mistake, file_of[mistake.file]) for mistake in evaluation.mistakes if mistake.truth == truth]
        if wrong:
            beside = mistake_pictures.beside(examined.classifier.manifest)
            alt = f"The surest {min(len(wrong), mistake_pictures.MOST)} of {len(wrong)} {name}{beside}"
            sentences.append(f"{alt}; the probability of pneumonia stands above.")
            drawn.append(Picture(mistake_pictures.draw(wrong, examined.classifier, examined.point), alt))
    return Section("Worst mistakes", sentences, (), drawn)


def _origin(evaluation: Evaluation) -> Section:
    speed = evaluation.speed
    rows = [
        ("made", evaluation.created),
        ("package, sha256 of its manifest", evaluation.model.sha256),
        ("network, sha256", evaluation.model.network_sha256),
        ("data set, sha256", evaluation.dataset.sha256),
        ("trained on, sha256", evaluation.model.trained_on_sha256 or "not known"),
        ("versions", ", ".join(f"{name} {version}" for name, version in evaluation.versions.items())),
        ("time a picture", f"{speed.total_ms_median} ms (95 % within {speed.total_ms_p95} ms), {speed.threads} at once"),
    ]
    return Section("Origin", (), [Table(("what", "value"), rows)])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


_SECTIONS: Final[tuple[Callable[[Evaluation], Section], ...]] = (
    _figures,
    _data,
    _confusion,
    _discrimination,
    _thresholds,
    _calibration,
    _kinds,
    _indeterminate,
    _against_shortcut,
    _corruptions,
    _origin,
)
