// Elements without templates: text is always text, so nothing that Slack or a person wrote can become markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name in node && name !== "list" && name !== "form" && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let counter = 0;
export const newId = () => `k${++counter}`;

export function toast(text, kind = "") {
  const note = el("div", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 7000);
}

// Put new children in a place; whoever stands in it with the keyboard keeps their place.
export function redraw(place, ...children) {
  const reach = () => [...place.querySelectorAll("button, summary, a[href], select, input, textarea, [tabindex='0']")];
  const held = place.contains(document.activeElement) ? document.activeElement : null;
  const index = held ? reach().indexOf(held) : -1;
  place.replaceChildren(...children);
  if (held) (held.isConnected ? held : reach()[index])?.focus({ preventScroll: true });
}
