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
