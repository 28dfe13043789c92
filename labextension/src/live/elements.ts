/** Small pieces of a page, without a framework. */

type Child = Node | string;

/** Return a new element; attributes that are false or undefined are left out, true is empty. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : String(value));
    }
  }
  made.append(...children);
  return made;
}

/** Return a button that does something. */
export function button(
  label: string,
  onClick: () => void,
  attributes: Readonly<Record<string, string | boolean | undefined>> = {}
): HTMLButtonElement {
  const made = element('button', { type: 'button', class: 'ppo-button', ...attributes }, label);
  made.addEventListener('click', onClick);
  return made;
}

/** Set a text only when it differs, so that nothing is laid out or read aloud again. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}
