// Which part of the graph is seen: pan, zoom, and following the current step.

const picture = document.getElementById("picture");
const lens = document.getElementById("camera");
const size = { width: Number(picture.dataset.width), height: Number(picture.dataset.height) };
const NEAREST = 3;
const LEGIBLE = 0.7; // below this the text of a box cannot be read
const MARGIN = 28;

const camera = { x: 0, y: 0, scale: 1, whole: true };

function place(x, y, scale, glide) {
  Object.assign(camera, { x, y, scale });
  lens.classList.toggle("gliding", Boolean(glide));
  lens.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
}

const view = () => picture.getBoundingClientRect();

function scaleOfAll() {
  const { width, height } = view();
  return Math.min((width - 2 * MARGIN) / size.width, (height - 2 * MARGIN) / size.height, 1.5);
}

/** Show the whole graph. */
function fit(glide) {
  const { width, height } = view();
  const scale = Math.max(scaleOfAll(), 0.02);
  place((width - size.width * scale) / 2, (height - size.height * scale) / 2, scale, glide);
  camera.whole = true;
}

/** At first: all of it where that can be read, else a legible part. */
function open() {
  fit(false);
  if (camera.scale < LEGIBLE) {
    place(MARGIN, (view().height - size.height * 0.9) / 2, 0.9);
    camera.whole = false;
  }
}

/** Bring boxes into view, moving no more than needed. */
function follow(boxes, glide) {
  if (!boxes.length) return;
  const { width, height } = view();
  const left = Math.min(...boxes.map((box) => box.x - box.width / 2));
  const right = Math.max(...boxes.map((box) => box.x + box.width / 2));
  const top = Math.min(...boxes.map((box) => box.y - box.height / 2));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height / 2));
  const { scale } = camera;
  const room = (right - left) * scale < width - 2 * MARGIN && (bottom - top) * scale < height - 2 * MARGIN;
  if (!room && boxes.length > 1) {
    follow(boxes.slice(0, 1), glide);
    return;
  }
  const x = shifted(camera.x, left * scale, right * scale, width);
  const y = shifted(camera.y, top * scale, bottom * scale, height);
  const near = Math.abs(x - camera.x) < 2 * width && Math.abs(y - camera.y) < 2 * height;
  if (x !== camera.x || y !== camera.y) place(x, y, scale, glide && near);
}

function shifted(offset, low, high, length) {
  if (low + offset >= MARGIN && high + offset <= length - MARGIN) return offset;
  return (length - low - high) / 2;
}

/** Zoom about a point of the window. */
function zoom(factor, at, glide) {
  const { left, top, width, height } = view();
  const px = at ? at.x - left : width / 2;
  const py = at ? at.y - top : height / 2;
  const least = Math.min(scaleOfAll() / 2, LEGIBLE);
  const scale = Math.min(Math.max(camera.scale * factor, least), NEAREST);
  const ratio = scale / camera.scale;
  place(px - (px - camera.x) * ratio, py - (py - camera.y) * ratio, scale, glide);
  camera.whole = false;
}

// -- pointers: one drags, two pinch -------------------------------------------------------------

const pointers = new Map();
let travelled = 0;

picture.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  if (!pointers.size) travelled = 0;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
});

window.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = { x: event.clientX, y: event.clientY };
  const other = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at)[0];
  travelled += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
  if (other) {
    const apart = (a) => Math.hypot(a.x - other.x, a.y - other.y) || 1;
    zoom(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  }
  if (travelled > 4) {
    const share = other ? 0.5 : 1;
    place(camera.x + (now.x - before.x) * share, camera.y + (now.y - before.y) * share, camera.scale);
    camera.whole = false;
    picture.classList.add("dragged");
  }
  pointers.set(event.pointerId, now);
});

for (const kind of ["pointerup", "pointercancel"]) {
  window.addEventListener(kind, (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) picture.classList.remove("dragged");
  });
}

picture.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 16 : 1;
  zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), { x: event.clientX, y: event.clientY });
}, { passive: false });

document.getElementById("closer").addEventListener("click", () => zoom(1.3, null, true));
document.getElementById("farther").addEventListener("click", () => zoom(1 / 1.3, null, true));
document.getElementById("fit").addEventListener("click", () => fit(true));
