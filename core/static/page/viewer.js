// The picture with its heat map: window and level by dragging or by sliders, the map's opacity by a slider.
import { make } from "./dom.js";
import { ask } from "./credentials.js";
import { heatmapInWords } from "./words.js";

const LONGEST_SIDE_PX = 1024; // sharper than any column of this page
const SCALED_BY_THE_SERVICE = ["scaled_by_bits_in_use", "scaled_by_range"]; // a browser would show these too dark

const COLOURED = ["colour_photograph", "some_colour"]; // of the guard: a grey view would contradict it

/**
 * @typedef {object} DecodedPicture
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} grey a value a pixel, 0 black to 255 white
 * @property {Uint8ClampedArray | null} colour red, green, blue and 255 for each pixel; null where grey is all there is to see
 * @property {boolean} coloured whether the guard says so
 */

/**
 * Decode a picture, in the browser where it can, else by the service (DICOM, TIFF), which gives grey alone.
 * @param {Blob} blob
 * @param {any} answer what the service said of the picture
 * @returns {Promise<DecodedPicture>}
 */
export async function decodePicture(blob, answer) {
  const byService = (answer.image?.warnings ?? []).some((code) => SCALED_BY_THE_SERVICE.includes(code));
  const bitmap = byService ? null : await createImageBitmap(blob, { colorSpaceConversion: "none" }).catch(() => null);
  const coloured = (answer.guard?.reasons ?? []).some((code) => COLOURED.includes(code));
  const { colour, ...picture } = toPixels(bitmap ?? (await createImageBitmap(await previewOf(blob))));
  return { ...picture, colour: coloured && bitmap ? colour : null, coloured };
}

async function previewOf(blob) {
  const response = await ask("preview", { method: "POST", body: blob, headers: { "Content-Type": "application/octet-stream" } });
  return response.blob();
}

/** @param {ImageBitmap} bitmap */
function toPixels(bitmap) {
  const scale = Math.min(1, LONGEST_SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.fillStyle = "#000"; // transparent parts are air, as the service takes them
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  // ITU-R BT.601, as the service turns colour into grey.
  for (let i = 0, j = 0; i < grey.length; i += 1, j += 4) grey[i] = (299 * data[j] + 587 * data[j + 1] + 114 * data[j + 2] + 500) / 1000;
  return { width, height, grey, colour: data };
}

/**
 * Give a picture as it is looked at: grey under a heat map, for which colours of its own would be taken.
 * @param {DecodedPicture} picture
 * @param {string | null} heatmap
 * @param {{opacity: number}} look
 */
export function underMap(picture, heatmap, look) {
  return heatmap && look.opacity > 0 ? { ...picture, colour: null } : picture;
}

/** Why a coloured picture looks as it does. @param {DecodedPicture} picture @param {string | null} heatmap */
function colourSentence({ coloured, colour }, heatmap) {
  if (!coloured) return null;
  if (!colour) return "Shown in grey, as the model reads it: a browser cannot show such a file.";
  return heatmap ? "Grey under the heat map, as the model reads it; coloured without the heat map." : "Shown in colour. The model reads it in grey.";
}

/**
 * Draw a picture through a window: grey, or each of its colours.
 * @param {HTMLCanvasElement} canvas
 * @param {DecodedPicture} picture
 * @param {number} [window] width in grey values, 255 shows all
 * @param {number} [level] the grey value in the middle
 */
export function paint(canvas, picture, window = 255, level = 127.5) {
  if (canvas.width !== picture.width || canvas.height !== picture.height) Object.assign(canvas, { width: picture.width, height: picture.height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const low = level - window / 2;
  const table = Uint32Array.from({ length: 256 }, (_, value) => {
    const shown = Math.max(0, Math.min(255, Math.round(((value - low) * 255) / window)));
    return (0xff000000 | (shown << 16) | (shown << 8) | shown) >>> 0;
  });
  const image = context.createImageData(picture.width, picture.height);
  const pixels = new Uint32Array(image.data.buffer);
  const { grey, colour } = picture;
  const red = 0xff0000ff, green = 0xff00ff00, blue = 0xffff0000;
  if (!colour) for (let i = 0; i < pixels.length; i += 1) pixels[i] = table[grey[i]];
  else for (let i = 0, j = 0; i < pixels.length; i += 1, j += 4) pixels[i] = (table[colour[j]] & red) | (table[colour[j + 1]] & green) | (table[colour[j + 2]] & blue);
  context.putImageData(image, 0, 0);
}

/**
 * Make the viewer of one picture.
 * @param {{name: string, look: {window: number, level: number, opacity: number}, answer?: any}} item keeps how it is looked at
 * @param {DecodedPicture} picture
 * @param {string | null} heatmap PNG in base64
 * @returns {HTMLElement}
 */
export function makeViewer(item, picture, heatmap) {
  const { look } = item;
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { role: "img", "aria-label": `Picture: ${item.name}`, title: "Drag: sideways for contrast, up and down for brightness. Double-click: as it was." }));
  const map = heatmap ? make("img", { alt: "Heat map", src: `data:image/png;base64,${heatmap}`, draggable: false }) : null;
  const sliders = {
    window: slider("Contrast (window)", 1, 511, (value) => `${value}`),
    level: slider("Brightness (level)", 0, 255, (value) => `${value}`),
    opacity: heatmap ? slider("Heat map", 0, 100, (value) => `${value}\u00a0%`) : null,
  };
  let asked = 0;
  const show = () => {
    sliders.window.set(512 - look.window);
    sliders.level.set(255 - look.level);
    sliders.opacity?.set(look.opacity);
    if (map) map.style.opacity = String(look.opacity / 100);
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => paint(canvas, underMap(picture, heatmap, look), look.window, look.level));
  };
  sliders.window.input.addEventListener("input", () => change(look, { window: 512 - sliders.window.input.valueAsNumber }, show));
  sliders.level.input.addEventListener("input", () => change(look, { level: 255 - sliders.level.input.valueAsNumber }, show));
  sliders.opacity?.input.addEventListener("input", () => change(look, { opacity: sliders.opacity?.input.valueAsNumber }, show));
  const reset = () => change(look, { window: 255, level: 128, opacity: 100 }, show);
  dragOn(canvas, look, show);
  canvas.addEventListener("dblclick", reset);
  paint(canvas, underMap(picture, heatmap, look), look.window, look.level);
  show();
  const controls = make("div", { className: "look" }, sliders.opacity?.field, sliders.window.field, sliders.level.field, make("button", { type: "button", className: "quiet", onclick: reset }, "Reset the view"));
  const says = [map && heatmapInWords(item.answer?.pneumonia?.probability), colourSentence(picture, heatmap)];
  const legend = says.filter(Boolean).map((sentence) => make("p", { className: "small soft" }, sentence));
  return make("div", { className: "viewer" }, make("div", { className: "plate" }, canvas, map), controls, ...legend);
}

function change(look, to, show) {
  Object.assign(look, to);
  look.window = Math.max(1, Math.min(511, look.window));
  look.level = Math.max(0, Math.min(255, look.level));
  show();
}

function dragOn(canvas, look, show) {
  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    last = event;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    change(look, { window: look.window - (event.clientX - last.clientX), level: look.level + (event.clientY - last.clientY) }, show);
    last = event;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));
}

function slider(label, min, max, inWords) {
  const input = /** @type {HTMLInputElement} */ (make("input", { type: "range", min, max, step: 1 }));
  const field = make("label", { className: "slider" }, make("span", {}, label), input);
  const set = (value) => {
    input.value = String(value);
    input.setAttribute("aria-valuetext", inWords(Math.round(value)));
  };
  return { input, field, set };
}
