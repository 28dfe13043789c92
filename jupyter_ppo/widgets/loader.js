// Every widget saves this text with the notebook, so it only fetches: all views of this package
// come from the kernel, once per page. Until then, and where no kernel answers, the saved picture
// is shown.
const page = (globalThis[Symbol.for('jupyter-ppo')] ??= {
  id: crypto.getRandomValues(new Uint32Array(2)).join('-'), codes: new Map(),
});
const node = (name, props) => Object.assign(document.createElement(name), props);

function codeOf(hash) {
  const code = page.codes.get(hash) ?? { waiting: [], asked: 0, styled: new WeakSet() };
  if (page.codes.has(hash)) return code;
  page.codes.set(hash, code);
  code.ready = new Promise((take) => { code.take = take; }).then(async ([js, css]) => {
    const url = URL.createObjectURL(new Blob([js], { type: 'text/javascript' }));
    code.css = new TextDecoder().decode(css);
    code.views = (await import(url)).views;
    URL.revokeObjectURL(url);
  });
  return code;
}

// One request of the page at a time; the next is another widget's, whose kernel may be alive.
function askNext(code) {
  const send = code.waiting.shift();
  if (!send) return;
  code.waiting.push(send);
  code.asked = Date.now();
  send();
  code.timer = setTimeout(askNext, code.pause, code);
  code.pause = Math.min(2 * code.pause, 60000);
}

function putStyle(code, root) {
  if (code.styled.has(root)) return;
  code.styled.add(root);
  (root.head ?? root).append(node('style', { textContent: code.css }));
}

function render({ model, el }) {
  const hash = model.get('_code');
  const code = codeOf(hash);
  let close;
  let open = true;
  const seen = new ResizeObserver(() => { // attached by now, perhaps in a shadow root
    putStyle(code, el.getRootNode());
    seen.disconnect();
  });
  const show = () => {
    if (!open) return;
    putStyle(code, document);
    el.replaceChildren();
    close = code.views[model.get('_kind')](model, el);
    seen.observe(el);
  };
  const take = (content, buffers) => {
    if (content.type === 'code' && content.hash === hash) code.take(buffers);
  };
  const ask = () => model.send({ type: 'code', hash, from: page.id });
  const stop = () => {
    code.waiting = code.waiting.filter((other) => other !== ask);
    model.off('msg:custom', take);
  };
  if (code.views) show();
  else {
    const picture = model.get('picture');
    el.replaceChildren(picture
      ? node('img', { alt: 'Saved picture', style: 'max-width:100%',
        src: `data:image/svg+xml,${encodeURIComponent(picture)}` })
      : node('p', { textContent: 'Waiting for the kernel …' }));
    model.on('msg:custom', take);
    code.waiting.unshift(ask); // a new widget's kernel is the likeliest to be alive
    clearTimeout(code.timer);
    code.pause = 3000;
    if (Date.now() - code.asked > 2500) askNext(code);
    else code.timer = setTimeout(askNext, 3000, code);
    code.ready.then(() => { stop(); show(); }).catch((error) => {
      stop();
      el.append(node('p', { textContent: `The view could not be loaded: ${error.message}` }));
    });
  }
  return () => { open = false; stop(); seen.disconnect(); close?.(); };
}

export default { render };
