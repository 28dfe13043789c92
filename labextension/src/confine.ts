// A page that is given to an iframe as text loses the headers that it was sent with.
const POLICY =
  '<meta http-equiv="Content-Security-Policy" ' +
  "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">";

// Its links are relative to JupyterLab's own address unless it says otherwise, so that a link to
// one of its sections would load JupyterLab into the frame.
const BASE = '<base href="about:srcdoc">';

/**
 * The page with the service's Content-Security-Policy inside, before anything else can load, and
 * with links that stay in the page.
 */
export function confined(html: string): string {
  const head = /^\s*(?:<!doctype[^>]*>)?\s*(?:<html[^>]*>)?\s*(?:<head[^>]*>)?/i.exec(html)?.[0];
  const start = head ?? '';
  return start + POLICY + BASE + html.slice(start.length);
}

/**
 * The page in one colour scheme, whatever the reader's browser or system prefers.
 *
 * The page asks what is preferred (`prefers-color-scheme`), and not every browser lets the frame
 * around it answer, so the question is answered in the page's own style sheets.
 */
export function coloured(html: string, scheme: 'light' | 'dark'): string {
  const page = new DOMParser().parseFromString(html, 'text/html');
  for (const style of page.head.querySelectorAll('style')) {
    style.textContent = (style.textContent ?? '').replace(
      /\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)/gi,
      (_, asked: string) =>
        // Always, or never in a frame that can be seen.
        asked.toLowerCase() === scheme ? '(min-width: 0)' : '(max-width: 0)'
    );
  }
  const last = page.createElement('style');
  last.textContent = `:root { color-scheme: ${scheme}; }`;
  page.head.append(last);
  return `<!DOCTYPE html>\n${page.documentElement.outerHTML}`;
}
