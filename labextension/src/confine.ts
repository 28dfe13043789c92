// A page that is given to an iframe as text loses the headers that it was sent with.
const POLICY =
  '<meta http-equiv="Content-Security-Policy" ' +
  "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">";

/** The page with the service's Content-Security-Policy inside, before anything else can load. */
export function confined(html: string): string {
  const head = /^\s*(?:<!doctype[^>]*>)?\s*(?:<html[^>]*>)?\s*(?:<head[^>]*>)?/i.exec(html)?.[0];
  const start = head ?? '';
  return start + POLICY + html.slice(start.length);
}
