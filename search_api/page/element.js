// Elements of the page, made without markup: what people wrote is always text.
export const $ = (id) => document.getElementById(id);

export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list" && key !== "form") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((each) => each !== null && each !== undefined && each !== ""));
  return element;
}

export const button = (text, onclick, properties = {}) => make("button", { type: "button", onclick, ...properties }, text);

export function say(where, text, { problem = false } = {}) {
  if (where.textContent !== text) where.textContent = text;
  where.classList.toggle("problem", problem);
}

export function later(milliseconds, work) { // once, when nothing has come for so long
  let timer = null;
  return (...told) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...told), milliseconds);
  };
}
