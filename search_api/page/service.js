// Asks the service; what it refuses comes as a Problem, with what a person can do about it.
const UNREACHABLE = "unreachable";
const AGAIN = "Try again";
const ADVICE = { // by the last part of the problem's type
  [UNREACHABLE]: "Check that the service is running and that you are connected, then try again.",
  "key-required": "Your key is missing, has expired or was revoked: sign in with a valid one.",
  "scope-missing": "Ask whoever runs this service for a key that may do this.",
  "unreadable-image": "Choose another file: JPEG, PNG, WebP, AVIF, TIFF, GIF and BMP can be read, and HEIC where the service is set up for it.",
  "upload-too-large": "Choose a smaller file, or save the picture with fewer pixels.",
  "zero-embedding": "Choose a picture, or a part of one, that shows something.",
  "invalid-filter": "Correct the conditions under “Which images”.",
  "unknown-label": "Labels have changed since this page was opened: choose again under “Which images”.",
  "image-not-found": "It was deleted or has changed since: choose another picture.",
  "picture-unavailable": "Its file is gone: choose another picture.",
  "query-not-found": "It was kept for a while, and that is over, or somebody deleted it: choose the picture again.",
  "gallery-not-found": "Choose a gallery in the list above.",
  "cursor-gone": "The gallery was published anew meanwhile: search again.",
};
const MOMENTS = new Set([408, 429, 500, 502, 503, 504]); // what may be over in a while

export class Problem extends Error {
  constructor({ type = "", title = "", detail = "", status = 0 }, { retryAfter = null } = {}) {
    super(detail || title);
    Object.assign(this, { title, status, kind: type.split(":").pop(), retryAfter });
  }

  get advice() {
    if (ADVICE[this.kind]) return ADVICE[this.kind];
    if (!MOMENTS.has(this.status)) return "";
    return this.retryAfter ? `Try again in ${this.retryAfter} seconds.` : "Try again in a moment.";
  }

  get again() { return this.kind === UNREACHABLE || MOMENTS.has(this.status) ? AGAIN : null; }

  get needsKey() { return this.kind === "key-required"; }
}

export async function ask(path, options) {
  const response = await reach(path, options);
  if (response.status === 204) return null;
  const content = await told(response);
  if (response.ok) return content;
  throw refusal(response, content);
}

export async function load(path, options) { // what is no JSON, such as a picture
  const response = await reach(path, options);
  if (response.ok) return response.blob();
  throw refusal(response, await told(response));
}

const reach = (path, options) => fetch(path, options).catch((error) => {
  if (error.name === "AbortError") throw error;
  throw new Problem({ type: UNREACHABLE, title: "The service cannot be reached", detail: "Nothing answers at this address." });
});

const told = (response) => response.json().catch(() => ({ title: "The answer is not understood", status: response.status }));

const refusal = (response, content) => new Problem(content, { retryAfter: Number(response.headers.get("Retry-After")) || null });

export const post = (path, form, options = {}) => ask(path, { method: "POST", body: form, ...options });

export const send = (method, path, value) =>
  ask(path, { method, headers: { "Content-Type": "application/json" }, body: value && JSON.stringify(value) });

export const inGallery = (name, rest = "") => `/v1/galleries/${encodeURIComponent(name)}${rest}`;

export function imageAddress({ gallery, build }, imageId, what = "thumbnail") {
  const named = build ? `&build=${build}` : ""; // with it the browser may keep the picture
  return `/v1/images/${encodeURIComponent(imageId)}/${what}?gallery=${encodeURIComponent(gallery)}${named}`;
}
