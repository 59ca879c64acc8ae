// Data of the site: scripts that say course.data(name, value), loaded when somebody asks for them.

const promises = {}, waiting = {};

globalThis.course = {data: (name, value) => waiting[name](value)};

// load("questions") -> a promise of what data/questions.js says
export function load(name) {
  promises[name] ??= new Promise((resolve, reject) => {
    waiting[name] = resolve;
    script(`data/${name}.js`).catch((error) => {
      delete promises[name];  // the next one who asks may have more luck
      reject(error);
    });
  });
  return promises[name];
}

// Run a classic script once.
export function script(src) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = src;
    element.onload = resolve;
    element.onerror = () => reject(new Error(`Cannot load ${src}.`));
    document.head.append(element);
  });
}

// Base64 -> a DataView, as widgets get bytes from a kernel.
export function bytes(text) {
  return new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}
