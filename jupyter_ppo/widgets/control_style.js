// What ipywidgets leaves out of its controls: names of sliders, live regions, the state of toggles.
const RULES = [
  ['.ppo-setting [role=slider]', (node) => ({
    'aria-label': `${node.closest('.ppo-setting').querySelector('label')?.textContent ?? ''} slider`,
  })],
  ['button > i.fa', () => ({ 'aria-hidden': 'true' })],
  ['.ppo-status > .widget-html-content', () => ({ role: 'status' })],
  ['.ppo-alert > .widget-html-content', () => ({ role: 'alert' })],
  ['.ppo-section-button', (node) => ({ 'aria-expanded': `${node.classList.contains('mod-active')}` })],
  ['.ppo-group', (node) => ({ role: 'group', 'aria-label': [...node.classList]
    .find((name) => name.startsWith('ppo-group-'))?.slice(10).replaceAll('-', ' ') ?? '' })],
];

function apply(root) {
  for (const [selector, attributes] of RULES) {
    for (const node of root.querySelectorAll(selector)) {
      for (const [name, value] of Object.entries(attributes(node))) {
        if (node.getAttribute(name) !== value) node.setAttribute(name, value);
      }
    }
  }
}

function render({ el }) {
  let timer = null;
  const observer = new MutationObserver(() => apply(observer.root));
  const start = () => { // a view is made before it is put into the page
    observer.root = el.closest('.ppo-controls');
    if (!observer.root) {
      timer = setTimeout(start, 100);
      return;
    }
    apply(observer.root);
    observer.observe(observer.root,
      { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] });
  };
  start();
  return () => {
    clearTimeout(timer);
    observer.disconnect();
  };
}

export default { render };
