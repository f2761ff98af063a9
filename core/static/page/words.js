// The service's stable codes in words. A code that is not here is shown as it is: a newer service may know more. The guard's reasons are those of
// core/guard.py, word by word; a test holds them together.

const DECISION_WORDS = {
  positive: "Pneumonia likely",
  negative: "Pneumonia unlikely",
  indeterminate: "Not decided: a person should look",
};

const GUARD_WORDS = {
  accept: "Looks like the pictures that the model was made for.",
  warn: "Unusual for this model. Take the result with care.",
  refuse: "Not a picture that the model was made for.",
  unchecked: "Not checked: whether this is a chest X-ray at all. A photograph gets a probability, too.",
};

const CODE_WORDS = {
  far_from_training: "It is unlike the frontal chest X-rays that the model knows.",
  unusual_picture: "It is more unusual than nearly all frontal chest X-rays that the model knows.",
  blank_picture: "It is all of one grey.",
  low_contrast: "It has hardly any contrast.",
  white_page: "Most of it is white, as of a page.",
  colour_photograph: "It is coloured.",
  some_colour: "Parts of it are coloured.",
  small_picture: "It has so few pixels that an opacity may not show.",
  strange_aspect: "It is much longer than wide, or wider than high.",
  several_pictures: "Its halves look like two pictures side by side.",
  package_has_no_guard: "The model package has no guard.",
  package_has_no_maps: "The model package gives no heat map.",
  operating_point_not_measured: "Nobody has measured what this operating point gives.",
  rotated_by_exif: "Turned upright, as the file says.",
  alpha_flattened: "Transparent parts were laid over black.",
  scaled_by_bits_in_use: "Deeper than 8 bits: scaled by the bits in use.",
  pixels_not_square: "Its pixels are not square.",
  patient_is_adult: "The file says that the patient is an adult. The model knows pictures of children only.",
  body_part_not_stated: "The file does not say that this is a chest.",
  view_not_stated: "The file does not say that this is a frontal view.",
  not_upright: "The file says that the patient is not upright in the picture.",
  burned_in_annotation: "The file says that text is written into the picture. It may name the patient.",
  polarity_contradicted: "The file contradicts itself about what is black and what is white.",
  window_ignored: "The file's own window shows nothing of the picture; its whole range was used.",
  scaled_by_range: "Floating-point values: its own range was stretched.",
};

const CLEAR = 0.1; // half of that is the most opaque that the map then is: no eye finds it

/** The decision in words, or that there is none. @param {any} answer */
export function decisionInWords(answer) {
  if (answer.status === "rejected") return "Refused: not a picture for this model";
  return DECISION_WORDS[answer.pneumonia.decision] ?? answer.pneumonia.decision;
}

/** The guard's verdict in a sentence, or two where an answer was wanted all the same. @param {any} answer */
export function verdictInWords({ guard, pneumonia }) {
  const said = GUARD_WORDS[guard.verdict] ?? `Guard: ${guard.verdict}`;
  return guard.verdict === "refuse" && pneumonia ? `${said} It was answered because you asked: do not rely on it.` : said;
}

/** A code in a sentence. @param {string} code */
export function codeInWords(code) {
  return CODE_WORDS[code] ?? `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll("_", " ")}.`;
}

/** The name of an operating point as people write it. @param {string} name */
export function pointInWords(name) {
  return name.replaceAll("_", " ");
}

/** What an operating point was measured to give. @param {any} point @param {(value: number) => string} percent */
export function measuredInWords({ sensitivity, specificity }, percent) {
  return sensitivity && specificity ? `Sensitivity ${percent(sensitivity.value)}, specificity ${percent(specificity.value)}` : "Not measured";
}

/** Which other operating points have this one's threshold: a package may have found one for two. @param {any} point @param {any[]} points */
export function sameInWords(point, points) {
  const same = points.filter((other) => other.name !== point.name && other.threshold === point.threshold);
  return same.length ? `Its threshold is that of ${same.map((other) => `“${pointInWords(other.name)}”`).join(" and ")}, too` : "";
}

/**
 * Why the decision is what it is: which limit the probability has met.
 * @param {any} pneumonia the answer's block
 * @param {(value: number) => string} percent
 */
export function reasonInWords(pneumonia, percent) {
  const { probability, decision, operating_point: point } = pneumonia;
  const name = `the operating point “${pointInWords(point.name)}”`;
  const { indeterminate_from: from, indeterminate_to: to, threshold } = point;
  if (decision === "indeterminate") return `Between ${percent(from)} and ${percent(to)}, ${name} decides nothing.`;
  if (decision === "negative") return `Below ${percent(probability < from ? from : threshold)}, ${name} says no pneumonia.`;
  return `From ${percent(Math.max(to, threshold))} on, ${name} says pneumonia.`;
}

/**
 * What the heat map shows. Its strongest place has no more than the picture's own probability, so that it is all but clear where that is low.
 * @param {number | undefined} probability
 */
export function heatmapInWords(probability) {
  if (probability !== undefined && probability < CLEAR) return "The heat map is all but clear, as it is at so low a probability.";
  return "Yellow to red: where the network saw pneumonia. It shows what counted, not where the illness ends.";
}
