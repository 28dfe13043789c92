/** Elements of a chart's heading. */
/** An element with a class and a text. */
export function node(tag: string, name: string, text = ''): HTMLElement {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

/** A small button of a chart's heading. */
export function smallButton(text: string, label: string, controls: string): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'ppo-chart-button';
  button.textContent = text;
  button.title = label;
  button.setAttribute('aria-label', label);
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-controls', controls);
  return button;
}
