// Finds and fills elements of the page. All text goes through textContent: nothing from the network
// is ever parsed as HTML.

/** The element of this kind; the page is broken without it. */
export function find<E extends Element>(
  selector: string,
  kind: new () => E,
  within: ParentNode = document,
): E {
  const found = within.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${selector}`);
}

export function all(selector: string, within: ParentNode = document): readonly HTMLElement[] {
  return [...within.querySelectorAll(selector)].filter((one) => one instanceof HTMLElement);
}

/** Changes nothing, and disturbs no screen reader, when the text is the same. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setState(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

/** Adds or removes rows until there are `count`; rows that stay are used again. */
export function rowsFor(
  parent: HTMLElement,
  count: number,
  make: () => HTMLElement,
): readonly HTMLElement[] {
  while (parent.children.length > count) parent.lastElementChild?.remove();
  while (parent.children.length < count) parent.append(make());
  return [...parent.children].filter((one) => one instanceof HTMLElement);
}

/** An element with a class and text. */
export function element(tag: string, name = '', text = ''): HTMLElement {
  const made = document.createElement(tag);
  if (name !== '') made.className = name;
  if (text !== '') made.textContent = text;
  return made;
}
